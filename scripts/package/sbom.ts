/**
 * What is in the program, for whoever has to know: SPDX 2.3, from the lock file.
 *
 * @module
 */

import { createHash } from "node:crypto";

/** As much of `deno.lock` as is read. */
export interface Lock {
  /** Packages of npm that the project names. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** All packages of npm, by name and version. */
  readonly npm: Readonly<Record<string, { readonly integrity: string; readonly dependencies?: readonly string[] }>>;
}

/** What is told of the program beside that. */
export interface SbomFacts {
  readonly version: string;
  /** The runtime's version that is in the binary. */
  readonly runtime: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** Packages that only tests use: they are in no binary. */
  readonly testsOnly: readonly string[];
}

/** The document, as JSON. */
export function sbom(lock: Lock, { version, runtime, time, testsOnly }: SbomFacts): string {
  const bundled = reached(
    lock,
    Object.keys(lock.specifiers).filter((name) => !testsOnly.some((test) => name.startsWith(`npm:${test}@`))),
  );
  const packages = [...bundled].toSorted().map((key) => {
    const at = key.lastIndexOf("@");
    const [name, packageVersion] = [key.slice(0, at), key.slice(at + 1)];
    return {
      SPDXID: idOf(key),
      name,
      versionInfo: packageVersion,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      checksums: [{ algorithm: "SHA512", checksumValue: sha512Of(lock.npm[key]!.integrity) }],
      externalRefs: [purl(`pkg:npm/${name.replace("@", "%40")}@${packageVersion}`)],
    };
  });
  const own = { SPDXID: "SPDXRef-sallyport", name: "sallyport", versionInfo: version, licenseDeclared: "MIT" };
  const deno = { SPDXID: "SPDXRef-deno", name: "deno", versionInfo: runtime, licenseDeclared: "MIT" };
  const rest = { downloadLocation: "NOASSERTION", filesAnalyzed: false };
  const seed = createHash("sha256").update(JSON.stringify([own, deno, packages])).digest("hex").slice(0, 32);
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `sallyport-${version}`,
    documentNamespace: `urn:sallyport:sbom:${version}:${seed}`,
    creationInfo: {
      created: new Date(time * 1000).toISOString().replace(".000", ""),
      creators: ["Tool: sallyport-package"],
    },
    packages: [
      { ...own, ...rest },
      { ...deno, ...rest, externalRefs: [purl(`pkg:github/denoland/deno@v${runtime}`)] },
      ...packages,
    ],
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: own.SPDXID },
      ...[deno, ...packages].map(({ SPDXID }) => ({
        spdxElementId: own.SPDXID,
        relationshipType: "CONTAINS",
        relatedSpdxElement: SPDXID,
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Packages that `specifiers` lead to, with theirs. */
function reached(lock: Lock, specifiers: readonly string[]): Set<string> {
  const found = new Set<string>();
  const visit = (name: string) => {
    const key = Object.keys(lock.npm).find((each) => each === name || each.startsWith(`${name}@`));
    if (key === undefined) throw new TypeError(`deno.lock has no ${name}`);
    if (found.has(key)) return;
    found.add(key);
    for (const dependency of lock.npm[key]!.dependencies ?? []) visit(dependency);
  };
  for (const specifier of specifiers) {
    visit(specifier.replace(/^npm:(@?[^@]+)@.*$/, `$1@${lock.specifiers[specifier]}`));
  }
  return found;
}

function idOf(key: string): string {
  return `SPDXRef-npm-${key.replaceAll(/[^A-Za-z0-9.]+/g, "-").replace(/^-/, "")}`;
}

function sha512Of(integrity: string): string {
  const base64 = integrity.replace(/^sha512-/, "");
  return Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function purl(locator: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: locator };
}
