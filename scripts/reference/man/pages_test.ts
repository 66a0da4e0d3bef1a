import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { all, readCommand } from "../../../app/completion/tree.ts";
import { sallyportCommand } from "../../../main.ts";
import { test } from "../../../tests/rig/test.ts";
import { manPages } from "./pages.ts";
import { escape, Page } from "./troff.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const pages = await manPages("2026-01-31", (path) => Deno.readTextFileSync(ROOT + path));

test("every command has its place in the manual, with every option that help shows", async () => {
  assert.deepEqual([...pages.keys()].toSorted(), [
    "sallyport-canserver.1",
    "sallyport-device.1",
    "sallyport-server.1",
    "sallyport.1",
    "sallyport.toml.5",
  ]);
  for (const { path, options } of all(readCommand(await sallyportCommand()))) {
    const [program, role] = path.split(" ");
    const page = pages.get(role === undefined || role === "completion" ? "sallyport.1" : `${program}-${role}.1`)!;
    assert.ok(page.includes(escape(path)), path);
    for (const { flag } of options) assert.ok(page.includes(escape(flag)), `${path} ${flag}`);
  }
  assert.match(pages.get("sallyport-server.1")!, /^\\fB130\\fR$/m, "exit codes are there");
});

test("no line of the manual is taken for a request that it is not", () => {
  const known = /^\.(?:\\"|TH|SH|SS|PP|TP|br|nf|fi|sp)(?: |$)/;
  for (const [name, page] of pages) {
    const wrong = page.split("\n").filter((line) => /^[.']/.test(line) && !known.test(line));
    assert.deepEqual(wrong, [], name);
  }
  const page = new Page("x", 1, "2026-01-31", "1").text(".so /etc/passwd\n\n'br \\fB--a").literal(".x\n\n'y")
    .toString();
  assert.deepEqual(page.split("\n").slice(2), [
    "\\&.so /etc/passwd",
    ".PP",
    "\\(aqbr \\efB\\-\\-a",
    ".PP",
    ".nf",
    "\\&.x",
    ".sp",
    "\\(aqy",
    ".fi",
    "",
  ]);
});
