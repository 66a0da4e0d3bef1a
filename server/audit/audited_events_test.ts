import assert from "node:assert/strict";
import { AUDITED_EVENTS } from "./audited_events.ts";

Deno.test("every word that the document has can be asked for, and it has every word", async () => {
  const document = await Deno.readTextFile(new URL("../../docs/operate/audit.md", import.meta.url));
  const told = document.split("\n").flatMap((line) => {
    const words = /^\| ((?:`[\w-]+`(?:, )?)+) +\|/.exec(line)?.[1];
    return words === undefined ? [] : [...words.matchAll(/[\w-]+/g)].map(([word]) => word);
  });
  assert.deepEqual(told.toSorted(), AUDITED_EVENTS.toSorted());
});
