/**
 * A session with real processes on machines of their own: it survives every way in which a link is lost, and it ends at
 * once, with nothing left behind, where it cannot go on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TOLD_END_TIMEOUT_MS } from "../../relay/limits.ts";
import { isNative, isTlsNative } from "../rig/engine.ts";
import type { Child } from "../rig/processes/child.ts";
import { CUT_KINDS, type CutKind } from "../rig/cuts/cuts.ts";
import { type Daemon, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { PUBLIC_ADDRESS } from "../rig/machines/nat_network.ts";
import { poll } from "../rig/wait.ts";
import { find } from "../rig/processes/programs.ts";
import { RESUME_NEEDS, ResumeMachines } from "../rig/machines/resume_machines.ts";
import { HOST_PORT, SERVER_PORT, timed } from "../rig/machines/v2_machines.ts";
import { startV2Server } from "../rig/processes/relay.ts";

/** Longest time from the fact being known to the end of a client, in milliseconds. */
const TOLD_MS = isNative ? 1_000 : 1_000 + TOLD_END_TIMEOUT_MS; // they send on

/** Clients that are inside when a session ends. */
const CLIENTS = 5;

/** Bytes of the largest transfer and bytes a second of each client, each way; one in six leaves in the middle. */
const LOAD = { size: 2_000_000, rate: 1_000_000, leaving: 6 };

/** Silence is taken for a loss after two seconds. */
const QUICK = ["--probe-count", "1"];

/** The quick cuts together, and each slow one on its own, so that no test takes long. */
const GROUPS: readonly (readonly CutKind[])[] = [
  ["device-reset", "server-reset", "router-reset", "storm", "public-address"],
  ["silent", "lost-up", "lost-down", "nat-entry"],
  ["outage", "interface", "device-address"],
  ["handshake-reset", "handshake-lost", "reset-then-address"],
  ["device-frozen", "server-frozen"],
];

Deno.test("every kind of cut is in the suite", { sanitizeOps: true, sanitizeResources: true }, () => {
  assert.deepEqual(GROUPS.flat().toSorted(), Object.keys(CUT_KINDS).toSorted());
});

for (const kinds of GROUPS) {
  processTest(`v2 resume: nothing is lost when the link is cut (${kinds.join(", ")})`, RESUME_NEEDS, async () => {
    await using machines = await ResumeMachines.start({ server: QUICK, device: QUICK });
    const { server, device } = machines;
    const before = [server.descriptors, device.descriptors];
    await using transfers = machines.transfers({ seed: 3, lanes: 4, rounds: null, ...LOAD });
    await transfers.flowing();
    for (const kind of kinds) {
      const { resumes } = await machines.cuts.cut(kind);
      assert.ok(resumes > 0);
    }
    const lines = await transfers.finish(15_000);
    assert.deepEqual(transfers.losses, []);
    assert.ok(lines.some(({ up, down }) => up + down > 0));
    assert.deepEqual(machines.cuts.lost, []);
    // The runtime's TLS keeps the sockets of peers that fell silent until the system gives them up.
    const kept = isTlsNative ? 0 : kinds.length;
    await server.descriptorsBackTo(before[0]! + kept);
    await device.descriptorsBackTo(before[1]! + kept);
  });
}

processTest(
  "v2 resume: a server that was restarted knows no session: the device closes its ends at once",
  RESUME_NEEDS,
  async () => {
    await using inside = await Inside.start();
    const { machines: { net, relay, server, device }, before } = inside;
    const from = device.child.stderr.length;
    await server.child.kill();
    await device.logged(/^link interrupted/, from);
    await using _again = await startV2Server(relay.folder.path, [], {
      prefix: net.on("server"),
      listen: `${PUBLIC_ADDRESS}:${SERVER_PORT}`,
    });
    await device.logged(/^link up/, from);
    await inside.ended(timed(inside.serviceIsFree()));
    await device.descriptorsBackTo(before.device);
  },
);

processTest(
  "v2 resume: a device that was restarted begins anew, and the server ends the clients of before",
  RESUME_NEEDS,
  async () => {
    await using inside = await Inside.start();
    const { machines: { net, relay, server, device }, before } = inside;
    const from = server.child.stderr.length;
    await device.child.kill();
    await server.logged(/^link interrupted/, from);
    await using _again = startDevice(["--state", relay.folder.path], { prefix: net.on("device") });
    await server.logged(/^link down: .*replaced/, from);
    await inside.ended(inside.gone());
    await server.descriptorsBackTo(before.server);
  },
);

processTest(
  "v2 resume: when the time is up, both sides end everything, and the next session works",
  RESUME_NEEDS,
  async () => {
    await using inside = await Inside.start(["--expiration", "1s"]);
    const { machines, before } = inside;
    const { server, device, cuts } = machines;
    await cuts.interrupt();
    await device.logged(/^session lost: .*expired/);
    await inside.ended(timed(inside.serviceIsFree()));
    await server.logged(/^link down: .*expired/);
    await inside.ended(inside.gone());
    await inside.portIsClosed();
    await server.descriptorsBackTo(before.server - 2); // nor are there the link, and the listener of the host port
    await device.descriptorsBackTo(before.device);
    const from = device.child.stdout.length;
    await cuts.restore();
    await device.child.line(/^service transfer /, from);
    await using next = machines.transfers({ seed: 4, lanes: 1, rounds: 1, size: 10_000, rate: 0 });
    assert.deepEqual((await next.done(15_000)).flatMap(({ failed }) => failed ?? []), []);
  },
);

processTest(
  "v2 resume: a device that is revoked while it is away is not waited for, and hears of it when it comes",
  RESUME_NEEDS,
  async () => {
    await using inside = await Inside.start(["--expiration", "1m"], { joined: false });
    const { machines: { server, cuts, relay }, device, before } = inside;
    await cuts.interrupt();
    await device.logged(/^link interrupted/);
    await server.logged(/^link interrupted.* keep-alive-timeout/);
    const from = server.child.stderr.length;
    await relay.command("revoke", "gw1");
    await server.logged(/^link down: .*revoked/, from);
    await inside.ended(inside.gone());
    await inside.portIsClosed();
    if (isTlsNative) await server.descriptorsBackTo(before.server - 2); // else the silent peer's connection stays for now
    await cuts.restore();
    await device.logged(/refused this device/);
    await inside.ended(timed(inside.serviceIsFree()));
    await device.descriptorsBackTo(before.device);
  },
);

/** Clients in the middle of long transfers. */
class Inside implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;

  private constructor(
    stack: AsyncDisposableStack,
    readonly machines: ResumeMachines,
    readonly device: Daemon,
    readonly clients: Child,
    /** Descriptors when nobody was inside. */
    readonly before: { readonly server: number; readonly device: number },
  ) {
    this.#stack = stack;
  }

  /** `joined`: the device is the one that has joined; that one ends when it is revoked, any later one does not. */
  static async start(both: readonly string[] = [], { joined = true } = {}): Promise<Inside> {
    await using stack = new AsyncDisposableStack();
    const machines = stack.use(await ResumeMachines.start({ server: both, device: both }));
    const { server, relay, net } = machines;
    let { device } = machines;
    if (!joined) {
      await device.child.kill();
      device = stack.use(startDevice(["--state", relay.folder.path, ...both], { prefix: net.on("device") }));
      await device.child.line(/^service transfer /);
    }
    const before = { server: server.descriptors, device: device.descriptors };
    const transfers = stack.use(
      machines.transfers({ seed: 5, lanes: CLIENTS, rounds: 1, size: 50_000_000, rate: 200_000 }),
    );
    await transfers.flowing();
    const made = new Inside(stack.move(), machines, device, transfers.child, before);
    await poll(() => made.#connections === CLIENTS, () => `${made.#connections} clients are inside`);
    return made;
  }

  /** What has to come, in time. */
  async ended(time: Promise<number>): Promise<void> {
    const took = await time;
    assert.ok(took < TOLD_MS, `it took ${took} ms`);
  }

  /** How long it takes until all clients have seen the end. */
  async gone(): Promise<number> {
    return await timed(this.clients.end());
  }

  /** Waits until the device has no connection to its service. */
  async serviceIsFree(): Promise<void> {
    await poll(() => this.#connections === 0, () => `${this.#connections} connections to the service`);
  }

  /** The host port has to be closed. */
  async portIsClosed(): Promise<void> {
    const listening = await this.machines.net.run("server", find("ss")!, "-tlnH", "sport", "=", `:${HOST_PORT}`);
    assert.equal(listening, "");
  }

  /** Connections from the device's machine to the service there. */
  get #connections(): number {
    const port = this.machines.servicePort.toString(16).toUpperCase().padStart(4, "0");
    const table = Deno.readTextFileSync(`/proc/${this.device.child.pid}/net/tcp`);
    return table.split("\n").filter((line) => line.includes(` 0100007F:${port} 01 `)).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}
