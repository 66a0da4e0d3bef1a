/**
 * What is installed: the program, units, the manual, completion, examples and what else belongs to it.
 *
 * @module
 */

import { SHELLS } from "../../app/completion/command.ts";
import { readCommand } from "../../app/completion/tree.ts";
import { sallyportCommand } from "../../main.ts";
import { manPages } from "../reference/man/pages.ts";
import { compress } from "./deb.ts";
import type { Entry } from "./tar.ts";

/** Units that there are examples of. */
export const UNITS = ["sallyport-server", "sallyport-device", "sallyport-canserver"] as const;

/** Where things are put. */
export interface Layout {
  /** Below it are `bin`, `lib` and `share`; without slashes around. */
  readonly prefix: string;
  /** The folder of zsh's completions, below `share/zsh`. */
  readonly zsh: string;
}

/** As packages for Debian have it. */
export const DEBIAN: Layout = { prefix: "usr", zsh: "vendor-completions" };

/** As administrators install what is no package. */
export const LOCAL: Layout = { prefix: "usr/local", zsh: "site-functions" };

/** What the content depends on beside the sources. */
export interface ContentOptions {
  readonly binary: Uint8Array;
  readonly layout: Layout;
  /** The lists of what is in the program. */
  readonly sbom: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Text of a file of the sources, by its path. */
  readonly read: (path: string) => string;
  /** The paths of the documents. */
  readonly documents: readonly string[];
}

/** The paths of all documents below `folder` of the sources at `root`, in their order. */
export function documentsOf(root: string, folder = "docs"): string[] {
  return [...Deno.readDirSync(root + folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? documentsOf(root, path) : name.endsWith(".md") ? [path] : [];
  }).toSorted();
}

/** All that is installed. */
export async function contents(
  { binary, layout: { prefix, zsh }, sbom, time, read, documents }: ContentOptions,
): Promise<Entry[]> {
  const root = readCommand(await sallyportCommand());
  const doc = `${prefix}/share/doc/sallyport`;
  const date = new Date(time * 1000).toISOString().slice(0, 10);
  const examples = ["server.toml", "device.toml", "devices.toml"];
  return [
    { path: `${prefix}/bin/sallyport`, mode: 0o755, bytes: binary },
    ...UNITS.map((unit) =>
      text(`${prefix}/lib/systemd/system/${unit}.service`, unitFor(read(`examples/${unit}.service`), prefix))
    ),
    ...[...await manPages(date, read)].map(([name, page]): Entry => ({
      path: `${prefix}/share/man/man${name.at(-1)}/${name}.gz`,
      mode: 0o644,
      bytes: compress(new TextEncoder().encode(page)),
    })),
    text(`${prefix}/share/bash-completion/completions/sallyport`, SHELLS.bash(root)),
    text(`${prefix}/share/zsh/${zsh}/_sallyport`, SHELLS.zsh(root)),
    text(`${prefix}/share/fish/vendor_completions.d/sallyport.fish`, SHELLS.fish(root)),
    text(`${doc}/copyright`, copyright(read("LICENSE"))),
    { path: `${doc}/CHANGELOG.md.gz`, mode: 0o644, bytes: compress(new TextEncoder().encode(read("CHANGELOG.md"))) },
    text(`${doc}/sbom.spdx.json`, sbom),
    ...documents.map((path) => text(`${doc}/${path}`, read(path))),
    ...examples.map((name) => text(`${doc}/examples/${name}`, read(`examples/${name}`))),
    ...["server", "device"].map((role) =>
      text(`etc/sallyport/${role}.toml`, commentedOut(read(`examples/${role}.toml`)))
    ),
  ];
}

/** A unit for a program that is installed elsewhere than the example says. */
export function unitFor(unit: string, prefix: string): string {
  return unit.replaceAll("/usr/local/", `/${prefix}/`);
}

/** An example as a configuration with nothing in it: whoever installs it has to want something first. */
export function commentedOut(example: string): string {
  const head = "# Nothing is set here yet: all lines are examples, or defaults.\n";
  return head + example.replaceAll(/^(?!#|$)/gm, "# ");
}

function copyright(license: string): string {
  const [first = "", ...rest] = license.trim().split("\n").slice(2);
  const body = rest.map((line) => line === "" ? " ." : ` ${line}`).join("\n");
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sallyport

Files: *
Copyright: ${first.replace(/^Copyright \(c\) /, "")}
License: MIT
Comment: The binary holds the Deno runtime (MIT), V8 (BSD-3-Clause) and the packages in sbom.spdx.json.

License: MIT
${body.replace(/^ \.\n/, "")}
`;
}

function text(path: string, content: string): Entry {
  return { path, mode: 0o644, bytes: new TextEncoder().encode(content) };
}
