/**
 * Every kind of endpoint behind a relay of processes, from source or of the compiled binaries: what is sent comes through
 * both ways, also over a cut.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ascii } from "../rig/bytes.ts";
import { portOf } from "../rig/ports.ts";
import { processTest } from "../rig/processes/harness.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { Pty } from "../rig/pty.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { udpEcho, UdpPeer } from "../rig/udp.ts";
import { UnixService } from "../rig/unix_service.ts";

/** Who is at both ends of a service: what each says has to be heard by the other. */
interface Ends extends AsyncDisposable {
  say(text: string): Promise<void>;
}

/** A client that hears what it says from whatever is behind the service. */
function echoing(client: Stream): Ends {
  return {
    async say(text) {
      await client.write(text);
      assert.equal(await client.readText(text.length), text);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(client.close()),
  };
}

/** One service: its endpoint at the device, and who is at its ends. */
interface Kind {
  readonly endpoint: string;
  readonly grant?: string;
  ends(port: number): Promise<Ends>;
}

for (const engine of ["native", "portable"]) {
  processTest(
    `v2, ${engine}: each kind of endpoint carries what is said both ways, and goes on over a cut`,
    [],
    async () => {
      using folder = new TempFolder();
      await using tcp = echoService();
      await using udp = await udpEcho();
      using unix = new UnixService(`${folder.path}/echo.sock`);
      using far = new Pty();
      const connect = async (port: number) => echoing(await Stream.connect(port));
      const kinds: Record<string, Kind> = {
        tcp: { endpoint: `127.0.0.1:${tcp.port}`, ends: connect },
        exec: { endpoint: 'exec:["/bin/cat"]', ends: connect },
        stderr: {
          endpoint: 'exec:["/bin/sh","-c","cat >&2"],stderr=client',
          ends: connect,
        },
        unix: {
          endpoint: `unix:${folder.path}/echo.sock`,
          async ends(port) {
            const client = await Stream.connect(port);
            const service = await unix.accept();
            return {
              async say(text) {
                await client.write(text);
                assert.equal(await service.readText(text.length), text);
                await service.write(text);
                assert.equal(await client.readText(text.length), text);
              },
              [Symbol.asyncDispose]: () => Promise.resolve([client, service].forEach((end) => end.close())),
            };
          },
        },
        serial: {
          endpoint: `serial:${far.path},115200,8n1`,
          async ends(port) {
            const client = await Stream.connect(port);
            return {
              async say(text) {
                await client.write(text);
                assert.equal(await far.text(text.length), text);
                await far.write(text);
                assert.equal(await client.readText(text.length), text);
              },
              [Symbol.asyncDispose]: () => Promise.resolve(client.close()),
            };
          },
        },
        can: {
          endpoint: "can:virtual:endpoints",
          async ends(port) {
            const [one, two] = [await Stream.connect(port), await Stream.connect(port)];
            for (const client of [one, two]) {
              await client.write("CANNELLONIv1");
              assert.equal(await client.readText(12), "CANNELLONIv1");
            }
            return {
              async say(text) {
                const frame = new Uint8Array([0, 0, 1, 0x23, 8, ...ascii(text.padEnd(8).slice(0, 8))]);
                for (const [from, to] of [[one, two], [two, one]] as const) {
                  await from.write(frame);
                  assert.deepEqual(await to.read(frame.length), frame);
                }
              },
              [Symbol.asyncDispose]: () => Promise.resolve([one, two].forEach((end) => end.close())),
            };
          },
        },
        udp: {
          endpoint: `udp:127.0.0.1:${udp.address.port}`,
          grant: "udp:127.0.0.1:0",
          async ends(port) {
            const client = await UdpPeer.connect(port);
            return {
              async say(text) {
                client.send(text);
                assert.equal(await client.text(), text);
              },
              [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
            };
          },
        },
        ...(engine === "native" && {
          pty: {
            endpoint: 'exec:["/bin/sh","-c","stty raw -echo && echo ready && exec cat"],pty',
            async ends(port: number) {
              const client = await Stream.connect(port);
              assert.equal(await client.readText(6), "ready\n"); // it has a terminal, without an echo of its own from now on
              return echoing(client);
            },
          },
        }),
      };
      const names = Object.keys(kinds);
      await using relay = await V2Relay.start(names.map((name) => `${name}=${kinds[name]!.endpoint}`), {
        grants: names.map((name) => kinds[name]!.grant ? `${name}=${kinds[name]!.grant}` : name),
        server: ["--engine", engine],
        device: ["--engine", engine],
      });
      await using stack = new AsyncDisposableStack();
      const ends: Ends[] = [];
      for (const [at, name] of names.entries()) {
        ends.push(stack.use(await kinds[name]!.ends(portOf(relay.hosts[at]!))));
      }
      for (const each of ends) await each.say("hello");
      await relay.command("drop", "gw1");
      await relay.server.child.line(/^link-resumed gw1 /);
      for (const each of ends) await each.say("again");
    },
  );
}
