import assert from "node:assert/strict";
import { helped } from "./arguments.ts";

Deno.test("whoever asks how a script is called is told, wherever that stands", () => {
  for (const args of [["--help"], ["--", "--help"], ["-h"], ["--seed", "7", "--help"]]) assert.ok(helped(args, "it"));
  for (const args of [[], ["--"], ["--seed", "7"]]) assert.ok(!helped(args, "it"));
});
