/**
 * An image for containers (OCI image layout), with nothing in it but the program and the libraries that it needs: no shell,
 * no package manager. There is none without glibc, as the runtime has none.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { compress } from "./deb.ts";
import type { Platform } from "./elf.ts";
import { type Entry, tar } from "./tar.ts";

/** The user of an image, by number; the names of a host mean nothing there. */
const USER = 65_532;

/** What an image is made of. */
export interface ImageOptions {
  readonly platform: Platform;
  readonly version: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** The program. */
  readonly program: readonly Entry[];
  /** The libraries, a layer of their own: they change with the base, and the program with every release. */
  readonly libraries: readonly Entry[];
}

/** A layout with one image for each platform, as entries of an archive. */
export function ociLayout(images: readonly ImageOptions[]): Entry[] {
  const blobs = new Map<string, Uint8Array>();
  const put = (mediaType: string, bytes: Uint8Array) => {
    const digest = createHash("sha256").update(bytes).digest("hex");
    blobs.set(digest, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const manifests = images.map(({ platform, version, time, program, libraries }) => {
    const layers = [libraries, [...program, ...surroundings()]].map((entries) => {
      const archive = tar(entries, "", time);
      const diffId = `sha256:${createHash("sha256").update(archive).digest("hex")}`;
      return { diffId, blob: put("application/vnd.oci.image.layer.v1.tar+gzip", compress(archive)) };
    });
    const created = new Date(time * 1000).toISOString();
    const config = put(
      "application/vnd.oci.image.config.v1+json",
      json({
        created,
        architecture: platform.debian,
        os: "linux",
        config: {
          User: `${USER}:${USER}`,
          Entrypoint: ["/usr/bin/sallyport"],
          Cmd: ["server"],
          Env: ["PATH=/usr/bin", "SALLYPORT_STATE=/var/lib/sallyport"],
          ExposedPorts: { "7443/tcp": {} },
          Volumes: { "/var/lib/sallyport": {} },
          WorkingDir: "/",
          StopSignal: "SIGTERM",
          Labels: {
            "org.opencontainers.image.title": "sallyport",
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "MIT",
          },
        },
        rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
        history: ["libraries", "program"].map((comment) => ({ created, comment })),
      }),
    );
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    const manifest = json({ schemaVersion: 2, mediaType, config, layers: layers.map(({ blob }) => blob) });
    return {
      ...put(mediaType, manifest),
      platform: { architecture: platform.debian, os: "linux" },
      annotations: { "org.opencontainers.image.ref.name": version },
    };
  });
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests };
  return [
    { path: "oci-layout", mode: 0o644, bytes: json({ imageLayoutVersion: "1.0.0" }) },
    { path: "index.json", mode: 0o644, bytes: json(index) },
    ...[...blobs].map(([digest, bytes]): Entry => ({ path: `blobs/sha256/${digest}`, mode: 0o644, bytes })),
  ];
}

/** What a program expects to be there. */
function surroundings(): Entry[] {
  const text = (path: string, content: string): Entry => ({
    path,
    mode: 0o644,
    bytes: new TextEncoder().encode(content),
  });
  return [
    text(
      "etc/passwd",
      `root:x:0:0:root:/root:/nologin\nsallyport:x:${USER}:${USER}:Sallyport:/var/lib/sallyport:/nologin\n`,
    ),
    text("etc/group", `root:x:0:\nsallyport:x:${USER}:\n`),
    text("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    { path: "tmp", mode: 0o1777 },
    { path: "var/lib/sallyport", mode: 0o700, owner: USER },
  ];
}
