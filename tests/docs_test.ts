import assert from "node:assert/strict";
import { Command } from "commander";
import { all, readCommand } from "../app/completion/tree.ts";
import { sallyportCommand } from "../main.ts";
import { ExitCode } from "../app/exit_codes.ts";
import { GOODBYE_CODES } from "../protocol/v2/wire/goodbye.ts";
import { CHANNEL_END_REASONS, LINK_END_REASONS, REFUSAL_REASONS } from "../protocol/reasons.ts";
import "./rig/engine.ts"; // what it loads stays, and would count as a leak of the test that is first
import { FACES_PAGE, facesPage } from "./rig/faces.ts";
import { API_PAGE, apiPage, DEVICE_API_PAGE, deviceRoutes, serverRoutes } from "./rig/api_reference.ts";
import { EVENTS_PAGE, eventsOf, eventsPage } from "./rig/events_reference.ts";
import { METRICS_PAGE, metricsPage } from "./rig/metrics_reference.ts";
import { FIELDS_PAGE, withFieldTables } from "./rig/field_tables.ts";
import { RELOAD_PAGE, withReloadTables } from "./rig/reload_tables.ts";
import { commands, optionRows, readRows, TABLES } from "./rig/option_tables.ts";
import { DEVICE_OPTIONS, deviceConfig } from "../device/cli/config.ts";
import { parseDevices } from "../server/devices/authorized_devices.ts";
import { SERVER_OPTIONS, serverConfig } from "../server/cli/config.ts";
import { addOptions, optionValues } from "../app/options.ts";
import { TomlTable } from "../app/toml/table.ts";

const checked = { sanitizeOps: true, sanitizeResources: true };
const ROOT = new URL("../", import.meta.url);

function read(file: string): string {
  return Deno.readTextFileSync(new URL(file, ROOT));
}

/** The most pages in a folder. */
const MAX_PAGES = 15;

/** The pages below docs/. */
function pages(): string[] {
  return ["docs", "docs/operate", "docs/how-to", "docs/migrate", "docs/reference"].flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, ROOT))].filter(({ name }) => name.endsWith(".md"))
      .map(({ name }) => `${folder}/${name}`)
  );
}

/** The first cells of the table whose head begins with `head`. */
function firstCells(text: string, head: string): string[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith("|") && line.split("|")[1]?.trim() === head);
  assert.notEqual(start, -1, `there is no table ${head}`);
  const length = lines.slice(start).findIndex((line) => !line.startsWith("|"));
  return lines.slice(start + 2, start + length).map((line) => line.split("|")[1]!.trim().replaceAll("`", ""));
}

Deno.test("every command has an example of itself in its help", checked, async () => {
  const without = [...all(readCommand(await sallyportCommand()))].filter(({ path, examples }) =>
    path !== "sallyport" && !examples.includes(`  ${path}`)
  );
  assert.deepEqual(without.map(({ path }) => path), []);
});

Deno.test(
  "the tables of options say what --help says, for every command; to write them: scripts/reference/option_tables.ts",
  checked,
  () => {
    const all = commands();
    assert.deepEqual(Object.values(TABLES).flat().toSorted(), [...all.keys()].toSorted());
    for (const [file, names] of Object.entries(TABLES)) {
      for (const name of names) {
        assert.deepEqual(
          readRows(read(file), name),
          optionRows(all.get(name)!),
          `${file}, ${name}`,
        );
      }
    }
  },
);

Deno.test(
  "what changes without a restart is as the product has it; to write it: scripts/reference/option_tables.ts",
  checked,
  () => {
    const words = (text: string) => text.replace(/-{3,}/g, "---").split(/[\s|]+/).filter(Boolean);
    assert.deepEqual(words(read(RELOAD_PAGE)), words(withReloadTables(read(RELOAD_PAGE))));
  },
);

Deno.test(
  "the fields of --json are as their types have them; to write them: scripts/reference/option_tables.ts",
  checked,
  () => {
    const words = (text: string) => text.replace(/-{3,}/g, "---").split(/[\s|]+/).filter(Boolean);
    assert.deepEqual(words(read(FIELDS_PAGE)), words(withFieldTables(read(FIELDS_PAGE))));
  },
);

Deno.test(
  "the reference of the admin API is as its schemas; to write it: scripts/reference/api_reference.ts",
  checked,
  async () => {
    // The formatter may break lines and pad cells.
    const words = (text: string) => text.replace(/-{3,}/g, "---").split(/[\s|]+/).filter(Boolean);
    assert.deepEqual(words(read(API_PAGE)), words(apiPage(await serverRoutes())));
    assert.deepEqual(words(read(DEVICE_API_PAGE)), words(apiPage(deviceRoutes(), "device")));
    assert.deepEqual(words(read(FACES_PAGE)), words(facesPage(await serverRoutes(), deviceRoutes())));
  },
);

Deno.test(
  "the reference of metrics is as the program's; to write it: scripts/reference/metrics_reference.ts",
  checked,
  async () => {
    const words = (text: string) => text.replace(/-{3,}/g, "---").split(/[\s|]+/).filter(Boolean);
    assert.deepEqual(words(read(METRICS_PAGE)), words(await metricsPage()));
  },
);

Deno.test(
  "the reference of events is as their types; to write it: scripts/reference/events_reference.ts",
  checked,
  () => {
    const words = (text: string) => text.replace(/-{3,}/g, "---").split(/[\s|]+/).filter(Boolean);
    assert.deepEqual(words(read(EVENTS_PAGE)), words(eventsPage()));
    for (const file of ["server/events.ts", "device/events.ts"]) {
      const source = read(file);
      const types = source.matchAll(/^ {2}readonly type: "([\w-]+)";$/gm);
      assert.deepEqual(eventsOf(source).map(({ type }) => type), [...types].map(([, type]) => type), file);
      const facts = eventsOf(source).flatMap(({ facts }) => facts).length;
      assert.equal(facts, [...source.matchAll(/^ {2}readonly (?!type:)/gm)].length, file);
    }
  },
);

Deno.test("the documents have every reason, goodbye and exit code, and no others", checked, () => {
  const text = read("docs/reference/reasons.md");
  assert.deepEqual(firstCells(text, "client's reason").toSorted(), [...CHANNEL_END_REASONS].toSorted());
  assert.deepEqual(firstCells(text, "link's reason").toSorted(), [...LINK_END_REASONS].toSorted());
  assert.deepEqual(firstCells(text, "refusal"), [...REFUSAL_REASONS]);
  assert.deepEqual(firstCells(text, "goodbye"), [...GOODBYE_CODES]);
  assert.deepEqual(firstCells(read("docs/reference/output.md"), "code").map(Number), Object.values(ExitCode));
});

Deno.test("every link to a file or a heading of the documents leads somewhere", checked, () => {
  const files = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md", ...pages()];
  for (const file of files) {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const [path = "", heading] = target.split("#");
      const url = path === "" ? new URL(file, ROOT) : new URL(path, new URL(file, ROOT));
      assert.ok(Deno.statSync(url), `${file}: ${target}`);
      if (heading === undefined) continue;
      const headings = [...Deno.readTextFileSync(url).matchAll(/^#+ (.*)$/gm)].map(([, text]) =>
        text!.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")
      );
      assert.ok(headings.includes(heading), `${file}: ${target}`);
    }
  }
});

Deno.test(`the index of the documents has every page, and no folder more than ${MAX_PAGES}`, checked, () => {
  const index = read("docs/README.md");
  for (const page of pages().filter((page) => page !== "docs/README.md")) {
    assert.ok(index.includes(`(${page.slice("docs/".length)})`), `docs/README.md lacks ${page}`);
  }
  const folders = Map.groupBy(pages(), (page) => page.slice(0, page.lastIndexOf("/")));
  for (const [folder, all] of folders) assert.ok(all.length <= MAX_PAGES, `${folder} has ${all.length} pages`);
});

Deno.test("the example of devices.toml is taken", checked, () => {
  const devices = parseDevices("examples/devices.toml", read("examples/devices.toml"));
  assert.deepEqual(devices.map(({ name, services }) => [name, services.length]), [["gw1", 2], ["gw2", 2]]);
});

Deno.test("the example files of configuration are taken, and name every option that a file can have", checked, () => {
  for (const role of ["server", "device"] as const) {
    const path = `examples/${role}.toml`;
    const source = read(path);
    const table = role === "server" ? SERVER_OPTIONS : DEVICE_OPTIONS;
    for (const name of Object.keys(table)) {
      assert.match(source, new RegExp(`^#? ?(${name} =|\\[\\[${name}\\]\\])`, "m"), `${path} lacks ${name}`);
    }
    const file = TomlTable.parse(path, source);
    if (role === "server") {
      const command = new Command();
      addOptions(command, SERVER_OPTIONS, true);
      assert.ok(serverConfig(optionValues(SERVER_OPTIONS, command, file), file).listen.length > 0);
    } else {
      const command = new Command();
      addOptions(command, DEVICE_OPTIONS, true);
      const values = optionValues(DEVICE_OPTIONS, command, file);
      assert.equal(deviceConfig(values, file, undefined).profile, "v2");
    }
  }
});
