/**
 * rathole, over plain TCP and over TLS.
 *
 * @module
 */

import type { Instance, Role } from "../instance.ts";
import { foreignTarget, type Places, programPath, writeFile } from "./foreign.ts";
import type { Target } from "./target.ts";

/** The name in the certificate. */
const HOST_NAME = "localhost";

/** It guards a file that nobody else may read, for as long as the bench runs. */
const PASSWORD = "bench";

const LOG = { RUST_LOG: "warn" };

/** Over plain TCP. */
export const ratholePlain: Target = foreignTarget({
  name: "rathole plain",
  programs: ["rathole"],
  server: (instance, places) => startServer(instance, places, ""),
  device: (instance, places) => startDevice(instance, places, ""),
});

/** Over TLS, with a certificate authority of its own. */
export const ratholeTls: Target = foreignTarget({
  name: "rathole TLS",
  programs: ["rathole", "openssl"],
  async server(instance, places) {
    await makeCertificates(instance);
    return startServer(
      instance,
      places,
      `[server.transport]
type = "tls"
[server.transport.tls]
pkcs12 = "${instance.folder}/identity.pfx"
pkcs12_password = "${PASSWORD}"
`,
    );
  },
  device: (instance, places) =>
    startDevice(
      instance,
      places,
      `[client.transport]
type = "tls"
[client.transport.tls]
trusted_root = "${instance.folder}/ca.crt"
hostname = "${HOST_NAME}"
`,
    ),
});

function startServer(instance: Instance, places: Places, transport: string) {
  const file = writeFile(
    instance,
    "server.toml",
    `[server]
bind_addr = "${places.address}:${places.control}"
default_token = "bench"
${transport}[server.services.bench]
bind_addr = "127.0.0.1:${places.host}"
`,
  );
  return spawn(instance, "server", ["--server", file]);
}

function startDevice(instance: Instance, places: Places, transport: string) {
  const file = writeFile(
    instance,
    "client.toml",
    `[client]
remote_addr = "${places.address}:${places.control}"
default_token = "bench"
${transport}[client.services.bench]
local_addr = "127.0.0.1:${places.service}"
`,
  );
  return spawn(instance, "device", ["--client", file]);
}

function spawn(instance: Instance, role: Role, args: string[]) {
  return instance.spawn(role, { name: `rathole ${args[0]}`, program: programPath("rathole"), args, env: LOG });
}

/**
 * An authority, a certificate for {@linkcode HOST_NAME} and the archive that the server wants. The archive is encrypted as
 * both TLS libraries that rathole is built with can read it.
 */
async function makeCertificates(instance: Instance): Promise<void> {
  const at = (name: string) => `${instance.folder}/${name}`;
  writeFile(instance, "names", `subjectAltName=DNS:${HOST_NAME}\n`);
  const key = ["-newkey", "rsa:2048", "-nodes"];
  const steps = [
    ["req", "-x509", ...key, "-days", "2", "-subj", "/CN=bench CA", "-keyout", at("ca.key"), "-out", at("ca.crt")],
    ["req", ...key, "-subj", `/CN=${HOST_NAME}`, "-keyout", at("server.key"), "-out", at("server.csr")],
    [
      ...["x509", "-req", "-days", "2", "-in", at("server.csr"), "-extfile", at("names"), "-out", at("server.crt")],
      ...["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial"],
    ],
    [
      ...["pkcs12", "-export", "-in", at("server.crt"), "-inkey", at("server.key"), "-certfile", at("ca.crt")],
      ...["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
      ...["-passout", `pass:${PASSWORD}`, "-out", at("identity.pfx")],
    ],
  ];
  for (const args of steps) await instance.run("server", { name: "openssl", program: programPath("openssl"), args });
}
