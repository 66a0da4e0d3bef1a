import assert from "node:assert/strict";
import { v1Close, v1Connect, v1Listen, writeV1Header } from "./codec.ts";
import { V1Command } from "./commands.ts";
import { hex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

const SPECIFICATION = new URL("./v1.md", import.meta.url);

/** The cells of the table rows whose first cell matches. */
function rows(text: string, first: RegExp): string[][] {
  return text.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .filter(([cell = ""]) => first.test(cell));
}

test("the specification's examples are what the codec writes", async () => {
  const text = await Deno.readTextFile(SPECIFICATION);
  const data = Uint8Array.of(0, 0, 0, 0, 0x68, 0x69);
  writeV1Header(data, 1, 2);
  const written = {
    LISTEN: v1Listen(),
    CONNECT: v1Connect(1, { host: "10.41.51.152", port: 23 }),
    DATA: data,
    CLOSE: v1Close(1),
  };
  const commands = rows(text, /^(LISTEN|CONNECT|DATA|CLOSE)$/).filter(([, number = ""]) => /^\d$/.test(number));
  assert.equal(commands.length, 4);
  for (const [name, number, , , example] of commands) {
    const command = name as keyof typeof written;
    assert.equal(Number(number), V1Command[command]);
    assert.equal(example, `\`${hex(written[command])}\``);
  }
});
