/**
 * `deno task package [-- OPTIONS]`: what is handed to others, out of the binaries of `deno task compile`, in dist/packages:
 * a package for Debian and an archive for each platform, one image for containers, `install.sh`, the list of what is in
 * the program, and SHA-256 sums. The same sources and binaries give the same bytes.
 *
 * - `--binary FILE`, any number of times: `sallyport` for one platform each, which the file itself tells; by default
 *   dist/sallyport, and dist/arm64/sallyport if it is there
 * - `--out DIR`: elsewhere than dist/packages
 * - `--base amd64=DIR`: the Debian system that has the libraries for the image of that platform; by default this machine
 *   for its own platform; a platform without one has no image
 * - `--runtime VERSION`: the Deno in the binaries, for the list; by default what the first binary says
 * - `--try [--root FILE_OR_DIR]`: installs, upgrades, removes and purges the package in a Debian system of its own, with
 *   a relay at work in it; as root. The system is that in FILE_OR_DIR (a folder or a tar archive, of which a copy is
 *   taken), or made by mmdebstrap or debootstrap.
 */

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { VERSION } from "../base/version.ts";
import { say } from "../tests/rig/say.ts";
import { helped } from "./arguments.ts";
import { documentsOf } from "./package/contents.ts";
import { packageAll, type Packaged } from "./package/all.ts";
import { tryPackage } from "./package/try.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

const USAGE = "deno task package -- [--binary FILE]... [--out DIR] [--base PLATFORM=DIR]... [--runtime VERSION] " +
  "[--try [--root FILE_OR_DIR]]";

if (helped(Deno.args, USAGE)) Deno.exit(0);

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: {
    binary: { type: "string", multiple: true },
    out: { type: "string", default: `${ROOT}dist/packages` },
    base: { type: "string", multiple: true, default: [] },
    runtime: { type: "string" },
    try: { type: "boolean", default: false },
    root: { type: "string" },
  },
});

/** Seconds since 1970: as the environment says, else of the last commit. */
async function timeOf(): Promise<number> {
  const given = Deno.env.get("SOURCE_DATE_EPOCH");
  if (given !== undefined && /^\d+$/.test(given)) return Number(given);
  const { stdout } = await new Deno.Command("git", { args: ["-C", ROOT, "log", "-1", "--format=%ct"] }).output();
  return Number(new TextDecoder().decode(stdout)) || 0;
}

async function present(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}

async function main(): Promise<void> {
  const usual = [`${ROOT}dist/sallyport`, `${ROOT}dist/arm64/sallyport`];
  const binaries = values.binary ?? (await Promise.all(usual.map(present))).flatMap((is, at) => is ? [usual[at]!] : []);
  if (binaries.length === 0) {
    throw new Error(
      "there is no dist/sallyport, or name it with --binary; run:\n  deno task compile\n  deno task package",
    );
  }
  const bases = new Map(values.base.map((text) => text.split("=", 2) as [string, string]));
  const documents = documentsOf(ROOT);
  const options = { documents, binaries, bases, runtime: values.runtime, time: await timeOf(), version: VERSION };
  const packaged = await packageAll(options, (path) => Deno.readTextFileSync(ROOT + path), say);
  await write(packaged);
  const platforms = packaged.map(({ name }) => /_(\w+)\.deb$/.exec(name)?.[1]).filter((name) => name !== undefined);
  for (const missing of ["amd64", "arm64"].filter((name) => !platforms.includes(name))) {
    const triple = missing === "amd64" ? "x86_64" : "aarch64";
    say(`no ${missing}: it takes \`deno task compile -- --target ${triple}-unknown-linux-gnu --out dist/${missing}\``);
  }
  if (!values.try) return;
  const next = await packageAll(
    { ...options, version: `${VERSION}+next` },
    (path) => Deno.readTextFileSync(ROOT + path),
    () => {},
  );
  await tryPackage({ packaged, next, root: values.root }, say);
}

/** All files, anew, with their sums. */
async function write(packaged: readonly Packaged[]): Promise<void> {
  await Deno.remove(values.out, { recursive: true }).catch(() => {});
  await Deno.mkdir(values.out, { recursive: true });
  const sums = packaged.map(({ name, bytes }) => `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
  const all = [...packaged, {
    name: "SHA256SUMS",
    bytes: new TextEncoder().encode(sums.toSorted().join("")),
    mode: 0o644,
  }];
  for (const { name, bytes, mode } of all) {
    await Deno.writeFile(`${values.out}/${name}`, bytes, { mode });
    say(`${values.out}/${name}  ${(bytes.length / 1e6).toFixed(1)} MB`);
  }
}

try {
  await main();
} catch (error) {
  say(`package: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
