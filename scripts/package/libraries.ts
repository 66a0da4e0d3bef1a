/**
 * The libraries that a program needs to run where there is nothing else, out of a Debian system: this machine's, or one
 * below a folder, such as `debootstrap` makes.
 *
 * @module
 */

import type { Platform } from "./elf.ts";
import type { Entry } from "./tar.ts";

/** What the runtime is linked with, and what the native engine asks for. */
const LIBRARIES = [
  ...["libc.so.6", "libdl.so.2", "libgcc_s.so.1", "libm.so.6", "libpthread.so.0", "librt.so.1"],
  ...["libssl.so.3", "libcrypto.so.3"],
];

/** What starts a program that is linked with others. */
const LOADERS: Readonly<Record<string, string>> = {
  amd64: "lib64/ld-linux-x86-64.so.2",
  arm64: "lib/ld-linux-aarch64.so.1",
};

/** Copied besides, if it is there: which CAs to believe, and whose the libraries are. */
const FILES = [
  "etc/ssl/certs/ca-certificates.crt",
  ...["libc6", "libgcc-s1", "libssl3", "libssl3t64"].map((name) => `usr/share/doc/${name}/copyright`),
];

/**
 * The libraries for `platform`, out of the system below `base`.
 *
 * @throws {Deno.errors.NotFound} that names what is not there.
 */
export async function librariesFrom(base: string, { debian, triple }: Platform): Promise<Entry[]> {
  const root = base.replace(/\/+$/, "");
  const loader = LOADERS[debian]!;
  const entries = [await copied(root, loader, [loader, `usr/${loader}`], 0o755)];
  for (const name of LIBRARIES) {
    const places = ["lib", "usr/lib"].map((folder) => `${folder}/${triple}/${name}`);
    entries.push(await copied(root, `usr/lib/${triple}/${name}`, places, 0o644));
  }
  for (const path of FILES) {
    const entry = await copied(root, path, [path], 0o644).catch(() => undefined);
    if (entry) entries.push(entry);
  }
  return entries;
}

async function copied(root: string, path: string, places: readonly string[], mode: number): Promise<Entry> {
  for (const place of places) {
    try {
      return { path, mode, bytes: await Deno.readFile(`${root}/${place}`) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Deno.errors.NotFound(`${root || "/"} has no ${places.join(" and no ")}`);
}
