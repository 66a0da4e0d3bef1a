/**
 * Many devices in one process: `devices.ts KEYS SERVER_KEY PORT WAY SERVICE_PORT`, where KEYS is a file with their private
 * keys, as JSON. Prints `online` when all are, and ends at SIGTERM.
 *
 * @module
 */

import { connectDevice, identityFromPem, type KeepAliveMode, parseNamedService, parsePublicKey } from "../../mod.ts";
import { say } from "../../tests/rig/say.ts";

const [file = "", serverKey = "", port = "", way = "", servicePort = ""] = Deno.args;
const keys = JSON.parse(await Deno.readTextFile(file)) as string[];
const devices = await Promise.all(keys.map(async (pem) =>
  connectDevice({
    profile: "v2",
    server: { host: "127.0.0.1", port: Number(port) },
    serverKey: parsePublicKey(serverKey),
    identity: await identityFromPem(pem),
    services: [parseNamedService(`ssh=127.0.0.1:${servicePort}`)],
    keepAlive: way as KeepAliveMode,
  })
));
Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
await Promise.all(devices.map((device) => device.ready));
say("online");
