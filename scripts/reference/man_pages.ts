/**
 * `deno run -A scripts/reference/man_pages.ts [FOLDER]`: writes the manual, from what `--help` is made from, by default to
 * dist/man: `man dist/man/sallyport-server.1`.
 */

import { fileURLToPath } from "node:url";
import { say } from "../../tests/rig/say.ts";
import { manPages } from "./man/pages.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = Deno.args[0] ?? `${root}dist/man`;
const today = new Date().toISOString().slice(0, 10);
await Deno.mkdir(folder, { recursive: true });
for (const [name, text] of await manPages(today, (path) => Deno.readTextFileSync(root + path))) {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  say(`${folder}/${name}`);
}
