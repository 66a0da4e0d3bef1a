/**
 * The floor plan: which room may import which, and that no room outgrows its reader. `docs/architecture.md` draws it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The most product files in a folder. */
const MAX_FILES = 15;

/** The most lines in a file of any kind. */
const MAX_LINES = 350;

/** What each room may import besides itself. `tests/rig` and what follows see the product, and never the other way round. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ["base"],
  net: ["base", "protocol"],
  relay: ["base", "protocol", "net"],
  serial: ["base", "protocol", "net"],
  can: ["base", "protocol", "net", "serial"],
  app: ["base", "protocol", "net"],
  canserver: ["base", "protocol", "net", "app", "can"],
  server: ["base", "protocol", "net", "relay", "app"],
  device: ["base", "protocol", "net", "relay", "app", "can", "serial"],
};

/** What each room within `net/` may import of the others, besides what stands in `net/` itself. */
const WITHIN_NET: Readonly<Record<string, readonly string[]>> = {
  "net/udp": [],
  "net/kernel": [],
  "net/openssl": [],
  "net/proxy": [],
  "net/tls": ["net/kernel"],
  "net/portable": ["net/tls", "net/udp"],
  "net/native/local": ["net/kernel", "net/native", "net/udp"],
  "net/native": ["net/kernel", "net/native/local", "net/openssl", "net/portable", "net/tls", "net/udp"],
  "net/dial": ["net/kernel", "net/tls"],
};

/** The only modules that know which engine there is. */
const ENGINES = ["net/native", "net/portable"];
const CHOOSER = "net/engines.ts";
/** The runtime's store of CAs: a program empties it when it starts, before there is any engine. */
const RUNTIME_STORE = "net/portable/peer_certificate.ts";

const PRODUCT = Object.keys(MAY_IMPORT);
const OUTSIDE = ["tests", "scripts", "bench", "examples"];

/** A module of this repository, by its path from the root. */
interface Module {
  readonly path: string;
  readonly room: string;
  readonly lines: number;
  readonly imports: readonly string[];
  /** The imports that are there when it runs: types are not. */
  readonly needs: readonly string[];
  /** The text without its block comments. */
  readonly code: string;
}

function* files(folder: string): Generator<string> {
  for (const entry of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) yield* files(path);
    else if (entry.name.endsWith(".ts")) yield path;
  }
}

function read(path: string): Module {
  const text = Deno.readTextFileSync(join(ROOT, path));
  const code = text.replaceAll(/^ *\*.*$/gm, "");
  const targets = (text: string) =>
    [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map(([, target]) => join(dirname(path), target!));
  return {
    path,
    room: path.split("/")[0]!,
    lines: text.split("\n").length - 1,
    imports: targets(code),
    needs: targets(code.replaceAll(/^(import|export) type [^;]*;/gm, "")),
    code,
  };
}

const MODULES = [...PRODUCT, ...OUTSIDE].flatMap((folder) => [...files(folder)].map(read));
const isTest = ({ path }: Module) => path.endsWith("_test.ts");
const product = MODULES.filter((module) => PRODUCT.includes(module.room) && !isTest(module));

Deno.test("imports point one way: base, protocol, net, relay and app, server and device", () => {
  assert.ok(product.length > 100, "the modules were found");
  const wrong = product.flatMap(({ path, room, imports }) =>
    imports.filter((target) => {
      const to = target.split("/")[0]!;
      return to !== room && target !== "deno.json" && !MAY_IMPORT[room]!.includes(to);
    }).map((target) => `${path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("within net, engines stand on what they need, and nobody else asks which one there is", () => {
  const rooms = new Set(product.map(({ path }) => dirname(path)).filter((room) => room.startsWith("net/")));
  assert.deepEqual([...rooms].toSorted(), Object.keys(WITHIN_NET).toSorted());
  const wrong = product.flatMap(({ path, imports }) =>
    imports.filter((target) => {
      const [from, to] = [dirname(path), dirname(target)];
      if (from === to || path === CHOOSER) return false;
      if (from in WITHIN_NET && to in WITHIN_NET) return !WITHIN_NET[from]!.includes(to);
      if (from in WITHIN_NET && target === CHOOSER) return true;
      return (ENGINES.includes(to) && target !== RUNTIME_STORE) || (from === "net/openssl" && to === "net");
    }).map((target) => `${path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the product imports no test, and nothing imports scripts or the bench but themselves", () => {
  const wrong = MODULES.flatMap((module) =>
    module.imports.filter((target) => {
      const to = target.split("/")[0]!;
      if ((to === "scripts" || to === "bench") && to !== module.room) return true;
      if (to === "tests") {
        return PRODUCT.includes(module.room) ? !isTest(module) || !target.startsWith("tests/rig/") : false;
      }
      return target.endsWith("_test.ts") && !isTest(module);
    }).map((target) => `${module.path} imports ${target}`)
  );
  assert.deepEqual(wrong, []);
});

Deno.test("no module imports itself by way of others", () => {
  const byPath = new Map(product.map((module) => [module.path, module]));
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]) => {
    if (way.includes(path)) return void circles.push([...way.slice(way.indexOf(path)), path].join(" → "));
    if (done.has(path)) return;
    for (const target of byPath.get(path)?.needs ?? []) visit(target, [...way, path]);
    done.add(path);
  };
  for (const { path } of product) visit(path, []);
  assert.deepEqual(circles, []);
});

Deno.test(`no room of the product or of scripts has more than ${MAX_FILES} files, and no file ${MAX_LINES} lines`, () => {
  const scripts = MODULES.filter((module) => module.room === "scripts" && !isTest(module));
  const rooms = Map.groupBy([...product, ...scripts], ({ path }) => dirname(path));
  const full = [...rooms].filter(([, modules]) => modules.length > MAX_FILES).map(([room]) => room);
  assert.deepEqual(full, []);
  assert.deepEqual([...product, ...scripts].filter(({ lines }) => lines > MAX_LINES).map(({ path }) => path), []);
});

Deno.test("the product knows no time but that of the clock that it is given", () => {
  const bare = product.filter(({ path }) => path !== "base/clock.ts").flatMap(({ path, code }) =>
    [...code.matchAll(/\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bset(?:Timeout|Interval)\b/g)].map(([what]) =>
      `${path}: ${what}`
    )
  );
  assert.deepEqual(bare, []);
});

Deno.test("every file that the documents and the docstrings name is there", () => {
  const paths = ["/main.ts", "/mod.ts", ...MODULES.map(({ path }) => `/${path}`)];
  const pages = ["CONTRIBUTING.md", "docs/architecture.md", "protocol/v1/v1.md", "protocol/v2/v2.md"];
  const missing = [...pages, ...MODULES.map(({ path }) => path)].flatMap((from) =>
    [...Deno.readTextFileSync(join(ROOT, from)).matchAll(/`((?:[\w-]+\/|\.\.?\/)*[\w-]+\.ts)`/g)]
      .filter(([, named]) => !paths.some((path) => path.endsWith(`/${named!.replace(/^(?:\.\.?\/)+/, "")}`)))
      .map(([, named]) => `${from} names ${named}`)
  );
  assert.deepEqual(missing, []);
});
