/**
 * A host port whose host is a name that no name server answers for, as a process of its own. It prints `turn` when the
 * event loop has had a turn, and `failed` when the port could not be opened.
 *
 * @module
 */

import { HostPort } from "../../../server/ports/host_port.ts";
import { serverSettings } from "../../../server/options.ts";

const options = {
  place: { host: "service.silent.example", ports: [0, 0] },
  localAddress: "ssh",
  kept: { get: () => undefined, set: () => {} },
} as const;

setTimeout(() => say("turn"), 0);
const port: HostPort = new HostPort(options, {
  settings: serverSettings({ listen: [] }),
  emit: ({ type }) => type === "host-failed" && end(),
  onClient: (conn) => conn.close(),
});

function end(): void {
  say("failed");
  queueMicrotask(() => port.close());
}

function say(what: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}\n`));
}
