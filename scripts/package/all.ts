/**
 * All that is handed to others, as files by name.
 *
 * @module
 */

import { contents, DEBIAN, LOCAL } from "./contents.ts";
import { compress, deb } from "./deb.ts";
import { glibcOf, type Platform, platformOf, runtimeOf } from "./elf.ts";
import { librariesFrom } from "./libraries.ts";
import { type ImageOptions, ociLayout } from "./oci.ts";
import { type Lock, sbom } from "./sbom.ts";
import { tar } from "./tar.ts";

/** A file to hand out. */
export interface Packaged {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly mode: number;
}

/** What they are made from. */
export interface PackageOptions {
  /** The program's files, one for each platform. */
  readonly binaries: readonly string[];
  /** Folders with Debian systems, by platform, for images. */
  readonly bases: ReadonlyMap<string, string>;
  /** The runtime's version; `undefined` for what the first binary says. */
  readonly runtime: string | undefined;
  readonly version: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** The paths of the documents. */
  readonly documents: readonly string[];
}

/** Packages of npm that are in no binary. */
const TESTS_ONLY = ["fast-check", "toml-eslint-parser"];

/**
 * Makes them.
 *
 * @param read Text of a file of the sources, by its path.
 * @param tell Is told what could not be made.
 */
export async function packageAll(
  { binaries, bases, runtime, version, time, documents }: PackageOptions,
  read: (path: string) => string,
  tell: (line: string) => void,
): Promise<Packaged[]> {
  const packaged: Packaged[] = [];
  const images: ImageOptions[] = [];
  const glibcs: string[] = [];
  const lock = JSON.parse(read("deno.lock")) as Lock;
  const first = binaries[0]!;
  const deno = runtime ?? inFile(first, () => runtimeOf(Deno.readFileSync(first)));
  const list = sbom(lock, { version, runtime: deno, time, testsOnly: TESTS_ONLY });
  for (const path of binaries) {
    const binary = await Deno.readFile(path);
    const platform = inFile(path, () => platformOf(binary));
    const glibc = glibcOf(binary);
    glibcs.push(glibc);
    const forDebian = await contents({ binary, layout: DEBIAN, sbom: list, time, read, documents });
    const control = controlOf(platform, version, glibc);
    const scripts = Object.fromEntries(
      ["postinst", "prerm", "postrm"].map((name) => [name, read(`scripts/package/debian/${name}`)]),
    );
    packaged.push({
      name: `sallyport_${version}_${platform.debian}.deb`,
      bytes: deb({ control, scripts, entries: forDebian, time }),
      mode: 0o644,
    }, {
      name: `sallyport-${version}-linux-${platform.debian}.tar.gz`,
      bytes: compress(tar(await contents({ binary, layout: LOCAL, sbom: list, time, read, documents }), "", time)),
      mode: 0o644,
    });
    const base = bases.get(platform.debian) ?? (platform.machine === Deno.build.arch ? "/" : undefined);
    if (base === undefined) {
      tell(`no image for ${platform.debian}: it takes the libraries of a Debian system, --base ${platform.debian}=DIR`);
      continue;
    }
    const program = forDebian.filter(({ path }) =>
      /^usr\/(?:bin\/|share\/doc\/sallyport\/(?:copyright|sbom))/.test(path)
    );
    images.push({ platform, version, time, program, libraries: await librariesFrom(base, platform) });
  }
  const script = read("scripts/package/install.sh").replace("@GLIBC@", glibcs.toSorted(byNumbers).at(-1)!);
  packaged.push(
    { name: "install.sh", bytes: new TextEncoder().encode(script), mode: 0o755 },
    { name: `sallyport-${version}.spdx.json`, bytes: new TextEncoder().encode(list), mode: 0o644 },
  );
  if (images.length > 0) {
    packaged.push({ name: `sallyport-${version}-oci.tar`, bytes: tar(ociLayout(images), "", time), mode: 0o644 });
  }
  return packaged;
}

function controlOf({ debian }: Platform, version: string, glibc: string): Record<string, string> {
  return {
    Package: "sallyport",
    Version: version,
    Architecture: debian,
    Maintainer: "The Sallyport authors <sallyport@localhost>",
    Section: "net",
    Priority: "optional",
    Depends: `libc6 (>= ${glibc}), libgcc-s1, adduser`,
    Recommends: "libssl3 | libssl3t64, ca-certificates",
    Description: "relay for TCP services on devices without a public address\n" +
      " A device behind NAT dials out to a server on a public host and keeps one\n" +
      " encrypted link; the server opens a port for each of its services, and\n" +
      " clients such as ssh go on when the link is cut and comes back.",
  };
}

function inFile<T>(path: string, fn: () => T): T {
  try {
    return fn();
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`${path}: ${error.message}`, { cause: error }) : error;
  }
}

function byNumbers(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
