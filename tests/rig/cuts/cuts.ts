/**
 * Ways in which a device's link is lost, each made for real on the machines of a {@linkcode NatNetwork}, and how the
 * session comes back after it.
 *
 * @module
 */

import { Random } from "../random.ts";
import { GATEWAY_ADDRESS, INNER_ROUTER_ADDRESS, type NatMachine, type NatNetwork } from "../machines/nat_network.ts";
import type { Daemon } from "../processes/daemons.ts";
import { pause, poll } from "../wait.ts";
import { find } from "../processes/programs.ts";
import { SERVER_PORT } from "../machines/v2_machines.ts";

/** All ways, with what a person would call them. */
export const CUT_KINDS = {
  "device-reset": "the device's socket is destroyed, and the server is sent a reset",
  "server-reset": "the server's socket is destroyed, and the device is sent a reset",
  "router-reset": "the router answers both sides with resets",
  "silent": "the router loses what belongs to the connection, both ways, without a word",
  "lost-up": "the router loses what the device sends on the connection, and nothing else",
  "lost-down": "the router loses what the server sends on the connection, and nothing else",
  "outage": "the router loses everything for a while",
  "interface": "the device's interface goes down, and up again",
  "device-address": "the device's address changes",
  "public-address": "the public address of the device's network changes",
  "nat-entry": "the router forgets what it knew of connections",
  "device-frozen": "the device's process stands still until the server takes it for lost",
  "server-frozen": "the server's process stands still until the device takes it for lost",
  "handshake-reset": "a reset; then resets at some byte of each new connection, several in a row",
  "handshake-lost": "a reset; then the router loses everything from some byte of the new connection on",
  "storm": "resets again and again, in whatever phase the session is",
  "reset-then-address": "a reset, then a change of the public address while the device is on its way back",
} as const;

/** One of the ways. */
export type CutKind = keyof typeof CUT_KINDS;

/** The quick ones: both sides learn of them at once. */
export const QUICK_CUTS = ["device-reset", "server-reset", "router-reset", "storm"] as const satisfies CutKind[];

/** What came of a cut. */
export interface CutOutcome {
  /** How it was cut. */
  readonly kind: CutKind;
  /** Milliseconds from the cut to the resumed session, by the device's log. */
  readonly fromCut: number;
  /** The same from when a new connection could have come about. */
  readonly fromPath: number;
  /** Links that came about until it was over. */
  readonly resumes: number;
  /** Bytes that both sides sent again. */
  readonly replayed: number;
}

/** Bytes of a connection, headers and all, within which it is broken; a handshake takes less. */
const MAX_BROKEN_AT = 8_000;

/** Lines of the logs that came before. */
interface Seen {
  readonly server: number;
  readonly device: number;
}

/** The address that the device has after an odd number of changes. */
const OTHER_ADDRESS = "192.168.77.3";

/** Longest time from a cut to a session that works again, in milliseconds: less than the expiration time allows. */
const BACK_MS = 30_000;

/** What `ss` calls the sockets of a link: a client's, or a service's, may have the same port on its other side. */
function sockets(device: "sport" | "dport", port: number): string[] {
  return [`${device} = :${port} and ${device === "sport" ? "dport" : "sport"} = :${SERVER_PORT}`];
}

/** Cuts the links of one device. */
export class Cuts {
  readonly #net: NatNetwork;
  readonly #server: Daemon;
  readonly #device: Daemon;
  readonly #random: Random;
  readonly #lost: string[] = [];
  readonly #read = new Map<Daemon, number>();
  #address: string = GATEWAY_ADDRESS;

  private constructor(net: NatNetwork, server: Daemon, device: Daemon, seed: number) {
    this.#net = net;
    this.#server = server;
    this.#device = device;
    this.#random = new Random(seed);
  }

  /** For a device whose first link is up. `seed`: what times within cuts come from. */
  static async of(
    { net, server, device }: { readonly net: NatNetwork; readonly server: Daemon; readonly device: Daemon },
    seed: number,
  ): Promise<Cuts> {
    // A router that has forgotten a connection is to lose its packets, not to guess what they belong to.
    await net.run("router", "sh", "-c", "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose");
    return new Cuts(net, server, device, seed);
  }

  /** When the session did not go on; one line for each time that either side said so. */
  get lost(): readonly string[] {
    for (const daemon of [this.#device, this.#server]) {
      const { stderr } = daemon.child;
      for (let at = this.#read.get(daemon) ?? 0; at < stderr.length; at++) {
        if (/"message":"(session lost|link down)/.test(stderr[at]!)) this.#lost.push(stderr[at]!);
      }
      this.#read.set(daemon, stderr.length);
    }
    return this.#lost;
  }

  /** Bytes that the device's machine has sent and received. */
  get carried(): number {
    const table = Deno.readTextFileSync(`/proc/${this.#device.child.pid}/net/dev`);
    const fields = /^\s*cable:(.*)$/m.exec(table)![1]!.trim().split(/\s+/).map(Number);
    return fields[0]! + fields[8]!;
  }

  /** Makes a cut, and waits until the session goes on. `hold`: milliseconds that an outage lasts after both noticed. */
  async cut(kind: CutKind, hold = 0): Promise<CutOutcome> {
    const from = { server: this.#server.child.stderr.length, device: this.#device.child.stderr.length };
    const cutAt = Date.now();
    const pathAt = await this.#make(kind, hold, from);
    // A link that came up before the path went is lost, too, and nobody knows it yet.
    const seen = kind === "reset-then-address" ? { ...from, device: this.#device.child.stderr.length } : from;
    await poll(() => this.#isBack(seen), () => `no resumed session after ${kind}\n${this.#tail(from)}`, BACK_MS);
    const resumed = (daemon: Daemon, from: number) =>
      daemon.child.stderr.slice(from).filter((line) => line.includes('"link resumed')).map((line) =>
        JSON.parse(line) as { readonly time: string; readonly replayed: number }
      );
    const onDevice = resumed(this.#device, from.device);
    const onServer = resumed(this.#server, from.server);
    const backAt = Date.parse(onDevice.at(-1)!.time);
    return {
      kind,
      fromCut: Math.max(0, backAt - cutAt),
      fromPath: Math.max(0, backAt - (pathAt ?? cutAt)),
      resumes: onDevice.length,
      replayed: [...onDevice, ...onServer].reduce((sum, { replayed }) => sum + replayed, 0),
    };
  }

  /** Loses everything, until {@linkcode Cuts.restore}. */
  async interrupt(): Promise<void> {
    await this.#net.cut();
  }

  /** Loses nothing any more. */
  async restore(): Promise<void> {
    await this.#net.heal();
  }

  /** @returns since when a new connection could come about, by the wall clock, if that is later than the cut. */
  async #make(kind: CutKind, hold: number, from: Seen): Promise<number | undefined> {
    const net = this.#net;
    const port = this.#port;
    switch (kind) {
      case "device-reset":
        return void await this.#destroy("device", sockets("sport", port));
      case "server-reset":
        return void await this.#destroy("server", sockets("dport", this.#remotePort));
      case "router-reset":
        return await this.#filter(from.device, [
          `tcp sport ${port} reject with tcp reset`,
          `tcp dport ${port} reject with tcp reset`,
        ]);
      case "silent":
        return await this.#filter(from.device, [`tcp sport ${port} drop`, `tcp dport ${port} drop`]);
      case "lost-up":
        return await this.#filter(from.device, [`tcp sport ${port} drop`]);
      case "lost-down":
        return await this.#filter(from.device, [`tcp dport ${port} drop`]);
      case "outage":
        await net.cut();
        await this.#noticed(from.device, hold);
        await net.heal();
        return Date.now();
      case "interface":
        await net.run("device", "ip", "link", "set", "cable", "down");
        await this.#noticed(from.device, hold);
        await net.run("device", "ip", "link", "set", "cable", "up");
        await net.run("device", "ip", "route", "replace", "default", "via", INNER_ROUTER_ADDRESS);
        return Date.now();
      case "device-address":
        return await this.#changeDeviceAddress();
      case "public-address":
        await net.changeAddress();
        return Date.now();
      case "nat-entry":
        await net.forgetConnections();
        return Date.now();
      case "device-frozen":
        return await this.#freeze(this.#device, this.#server, from.server);
      case "server-frozen":
        return await this.#freeze(this.#server, this.#device, from.device);
      case "handshake-reset":
        for (let left = 2 + this.#random.upTo(3); left > 0; left--) {
          await this.#breakNext("reject with tcp reset");
        }
        return Date.now();
      case "handshake-lost":
        await this.#breakNext("drop");
        return Date.now();
      case "storm":
        for (let left = 3 + this.#random.upTo(9); left > 0; left--) {
          await this.#destroy("device", [`dport = :${SERVER_PORT}`]);
          await pause(this.#random.upTo(60));
        }
        return Date.now();
      case "reset-then-address":
        await this.#destroy("device", sockets("sport", port));
        await pause(this.#random.upTo(40));
        await net.changeAddress();
        return Date.now();
    }
  }

  /** Filters what the router forwards until the session goes on over another connection. */
  async #filter(from: number, rules: readonly string[]): Promise<undefined> {
    await this.#net.filter(rules);
    try {
      await this.#device.logged(/^link (resumed|up)/, from);
    } finally {
      await this.#net.heal();
    }
  }

  /** The next connection gets as far as a random byte, which is in its handshake or in what is sent again. */
  async #breakNext(verdict: string): Promise<void> {
    const from = this.#device.child.stderr.length;
    const bytes = this.#random.upTo(MAX_BROKEN_AT);
    const ways = this.#random.oneIn(2) ? ["dport"] : ["sport", "dport"];
    await this.#net.filter(ways.map((way) => `tcp ${way} ${SERVER_PORT} quota over ${bytes} bytes ${verdict}`));
    try {
      await this.#destroy("device", [`dport = :${SERVER_PORT}`]);
      await this.#device.logged(/^(cannot reach|link resumed)/, from);
    } finally {
      await this.#net.heal();
    }
  }

  /** A process stands still, as on a machine that is suspended, until the other has noticed. */
  async #freeze(daemon: Daemon, other: Daemon, from: number): Promise<number> {
    daemon.child.signal("SIGSTOP");
    try {
      await other.logged(/^link interrupted/, from);
    } finally {
      daemon.child.signal("SIGCONT");
    }
    return Date.now();
  }

  async #noticed(from: number, hold: number): Promise<void> {
    await this.#device.logged(/^link interrupted/, from);
    await pause(hold);
  }

  async #changeDeviceAddress(): Promise<number> {
    const before = this.#address;
    this.#address = before === GATEWAY_ADDRESS ? OTHER_ADDRESS : GATEWAY_ADDRESS;
    const commands = [
      `address del ${before}/24 dev cable`,
      `address add ${this.#address}/24 dev cable`,
      `route replace default via ${INNER_ROUTER_ADDRESS}`,
    ].map((command) => `${find("ip")} ${command}`);
    await this.#net.run("device", "sh", "-c", commands.join(" && "));
    return Date.now();
  }

  async #destroy(machine: NatMachine, filter: readonly string[]): Promise<void> {
    await this.#net.run(machine, find("ss")!, "-K", "-tnH", ...filter);
  }

  /** Whether both sides say that the session goes on, over a connection that is there. */
  async #isBack(from: Seen): Promise<boolean> {
    const last = [lastState(this.#device, from.device), lastState(this.#server, from.server)];
    if (last.some((line) => line === undefined || line.includes('"link interrupted'))) return false;
    const open = await this.#net.run("device", find("ss")!, "-tnH", ...sockets("sport", this.#port));
    return open.startsWith("ESTAB");
  }

  /** The device's port of the link that is up, or was last. */
  get #port(): number {
    return portIn(lastUp(this.#device), "local");
  }

  /** The same as the server sees it, behind NAT. */
  get #remotePort(): number {
    return portIn(lastUp(this.#server), "remote");
  }

  #tail(from: Seen): string {
    return [...this.#device.child.stderr.slice(from.device), ...this.#server.child.stderr.slice(from.server)].join(
      "\n",
    );
  }
}

function lastState(daemon: Daemon, from: number): string | undefined {
  return daemon.child.stderr.slice(from).findLast((line) => /"link (up|resumed|interrupted)/.test(line));
}

function lastUp(daemon: Daemon): string {
  return daemon.child.stderr.findLast((line) => /"link (up|resumed)/.test(line))!;
}

function portIn(line: string, fact: "local" | "remote"): number {
  const address = (JSON.parse(line) as Record<string, unknown>)[fact];
  return Number(String(address).split(":").at(-1));
}
