/**
 * A device from source, with the permissions that `docs/how-to/endpoints.md` has for each endpoint, and not one more.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../rig/processes/child.ts";
import { type LogLine, startServer, v1DeviceArgs, v1ServerArgs } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, startV2Server } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Pty } from "../rig/pty.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { udpEcho, UdpPeer } from "../rig/udp.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

/** Starts a device from source, with these permissions alone. */
function device(permissions: readonly string[], args: readonly string[]): Child {
  const given = ["--allow-env", ...permissions];
  const command = [Deno.execPath(), "run", "--quiet", "--no-prompt", "--no-check", ...given, MAIN, "device", ...args];
  return Child.start("device", command, { env: { SALLYPORT_ENGINE: "" } });
}

/** An endpoint, what it takes beside what each device does, and what tells that it works: what is sent comes back. */
interface Row {
  readonly endpoint: string;
  /** Nothing where the engine cannot have it. */
  readonly native?: readonly string[];
  readonly portable?: readonly string[];
  readonly greeting?: string;
  /** What tells it in place of that. */
  works?(device: Child): Promise<boolean>;
}

/** Has each endpoint served with the permissions of its row, and then without them, on both engines. */
async function demand(rows: Readonly<Record<string, Row>>): Promise<void> {
  const named = Object.keys(rows).map((_, at) => `127.0.0.1:${7_001 + at}`);
  await using server = await startServer(v1ServerArgs(named));
  for (const [at, [kind, { endpoint, greeting = "hello", works, ...needs }]] of Object.entries(rows).entries()) {
    for (const engine of ["native", "portable"] as const) {
      const base = engine === "native" ? ["--allow-ffi"] : [`--allow-net=${server.address}`];
      const isServed = async (more: readonly string[]) => {
        const from = server.child.stdout.length;
        const args = [...v1DeviceArgs(server.address, [`${named[at]}=${endpoint}`]), "--engine", engine];
        await using child = device([...base, ...more], args);
        try {
          await child.line(/^online/);
        } catch {
          return false; // it says so and ends
        }
        using client = await Stream.connect(portOf(await server.host(named[at]!, from)));
        await client.write(greeting).catch(() => {});
        if (works) return await works(child);
        const got = await client.readSome();
        return got !== null && new TextDecoder().decode(got) === greeting;
      };
      const wanted = needs[engine];
      if (!wanted) continue;
      assert.ok(await isServed(wanted), `${kind}, ${engine}: ${wanted.join(" ")} do not do`);
      if (wanted.length > 0) assert.ok(!await isServed([]), `${kind}, ${engine}, is had without permission`);
    }
  }
}

const files = (path: string) => [`--allow-read=${path}`, `--allow-write=${path}`];

/** Why a device ended a client of a bus. */
function endOf(device: Child): Promise<string> {
  return device.logLine(
    (line) => /^client \? ended: (.+)$/.exec((JSON.parse(line) as LogLine).message)?.[1],
    "why the client of the bus ended",
  );
}

processTest(
  "each stream is reached with the permissions that are documented, and without them is not",
  [],
  async () => {
    using folder = new TempFolder();
    using far = new Pty();
    await using tcp = echoService();
    const socket = `${folder.path}/echo.sock`;
    const unix = Deno.listen({ transport: "unix", path: socket });
    const unixEchoed = (async () => {
      for await (const conn of unix) await conn.readable.pipeTo(conn.writable).catch(() => {});
    })();
    const echoed = (async () => {
      for (let bytes; (bytes = await far.read().catch(() => undefined))?.length;) await far.write(bytes);
    })();
    await demand({
      tcp: { endpoint: `127.0.0.1:${tcp.port}`, native: [], portable: [`--allow-net=127.0.0.1:${tcp.port}`] },
      unix: { endpoint: `unix:${socket}`, native: [], portable: [...files(socket), `--allow-net=unix:${socket}`] },
      serial: {
        endpoint: `serial:${far.path}`,
        native: files(far.path),
        portable: ["--allow-ffi", ...files(far.path)],
      },
    });
    far.close();
    unix.close();
    await Promise.all([echoed, unixEchoed]);
  },
);

processTest("each way to run a program takes the permissions that are documented, and no more", [], async () => {
  const [cat, shell] = [["--allow-run=/bin/cat"], ["--allow-run=/bin/sh"]];
  await demand({
    pipes: { endpoint: 'exec:["/bin/cat"]', native: cat, portable: cat },
    "stderr=client": { endpoint: 'exec:["/bin/cat"],stderr=client', native: shell, portable: shell },
    pty: { endpoint: 'exec:["/bin/cat"],pty', native: shell },
  });
});

processTest("each bus is opened with the permissions that are documented, and without them is not", [], async () => {
  using far = new Pty();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  let opened = Promise.withResolvers<boolean>();
  /** What an adapter says to some commands. */
  const answer = (commands: Uint8Array) => {
    const text = new TextDecoder().decode(commands);
    if (text.includes("O")) opened.resolve(true);
    return new TextEncoder().encode("\r".repeat(text.split("\r").length - 1));
  };
  const adapter = (async () => {
    for (let bytes; (bytes = await far.read().catch(() => undefined))?.length;) await far.write(answer(bytes));
  })();
  const adapters = (async () => {
    for await (const conn of listener) {
      const answers = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
        transform: (bytes, out) => out.enqueue(answer(bytes)),
      });
      await conn.readable.pipeThrough(answers).pipeTo(conn.writable).catch(() => {});
    }
  })();
  const slcan = {
    greeting: "CANNELLONIv1",
    async works(device: Child) {
      const isOpen = await Promise.race([opened.promise, endOf(device).then(() => false)]);
      opened = Promise.withResolvers();
      return isOpen;
    },
  };
  await demand({
    "can:virtual": { endpoint: "can:virtual:permissions", native: [], portable: [], greeting: "CANNELLONIv1" },
    "can:slcan": {
      endpoint: `can:slcan:${far.path},500000`,
      native: files(far.path),
      portable: ["--allow-ffi", ...files(far.path)],
      ...slcan,
    },
    "can:slcan:tcp": {
      endpoint: `can:slcan:tcp:127.0.0.1:${port},500000`,
      native: [],
      portable: [`--allow-net=127.0.0.1:${port}`],
      ...slcan,
    },
    "can:can0": {
      endpoint: "can:no-such-bus0",
      native: [],
      portable: ["--allow-ffi"],
      greeting: "CANNELLONIv1",
      // What the kernel says of it, which need not have CAN: it was asked.
      works: async (device) => /there is no CAN here|there is no interface no-such-bus0/.test(await endOf(device)),
    },
  });
  far.close();
  listener.close();
  await Promise.all([adapter, adapters]);
});

processTest("a service over UDP is reached with the permissions that are documented", [], async () => {
  await using echo = await udpEcho();
  for (const engine of ["native", "portable"] as const) {
    using folder = new TempFolder();
    await using server = await startV2Server(folder.path, ["--engine", engine]);
    const services = [`echo=udp:127.0.0.1:${echo.address.port}`];
    const enrolment = await enrol(folder.path, server.address, ["echo=udp:127.0.0.1:0"]);
    const state = `${folder.path}/device`;
    await Deno.mkdir(state, { mode: 0o700 });
    const nets = `--allow-net=${server.address},0.0.0.0,127.0.0.1:${echo.address.port}`;
    const own = engine === "native" ? ["--allow-ffi"] : [nets];
    const permissions = [...own, `--allow-read=${state}`, `--allow-write=${state}`];
    await using child = device(permissions, [
      ...joinArgs(folder.path, enrolment, services),
      ...["--engine", engine, "--admin", "off"],
    ]);
    const [, host] = await child.line(/^service echo udp:(\S+)$/);
    await using client = await UdpPeer.connect(portOf(host!));
    client.send("hello");
    assert.equal(await client.text(), "hello");
  }
});
