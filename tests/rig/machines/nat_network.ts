/**
 * Three machines as network namespaces: a public host, a gateway in a network of its own, and the router between them,
 * which hides that network behind its own address (NAT). The public host has no route to the gateway.
 *
 * @module
 */

import { find } from "../processes/programs.ts";
import { inside, ip, remove, run } from "./netns.ts";

/** The public host's address. */
export const PUBLIC_ADDRESS = "10.77.0.1";

/** The public host's network. */
const PUBLIC_NETWORK = "10.77.0.0/24";

/** The router's address in the public network, one after the other. */
export const ROUTER_ADDRESSES = ["10.77.0.2", "10.77.0.3"] as const;

/** The router's address in the gateway's network. */
export const INNER_ROUTER_ADDRESS = "192.168.77.1";

/** The gateway's address in its own network. */
export const GATEWAY_ADDRESS = "192.168.77.2";

/** The public host's address in the network of its clients. */
export const CLIENTS_ADDRESS = "10.78.0.1";

const CLIENT_ADDRESS = "10.78.0.2";

/** One of the machines: the public host, the gateway, what is between them, and a client of the public host. */
export type NatMachine = "server" | "device" | "router" | "client";

let count = 0;

/** The machines. Disposing of them removes all of it; their processes have to be ended before. */
export class NatNetwork implements AsyncDisposable {
  readonly #id = `sallyport-nat-${Deno.pid}-${++count}`;
  #address = 0;
  #removed = false;
  readonly #machines: NatMachine[] = ["server", "device", "router"];

  private constructor() {}

  /**
   * Makes them. Without `forward` the router lets nothing through, as the gateway is told at once: only what runs on the
   * router reaches both sides. With `client` there is a machine for clients, too, in a network of its own.
   */
  static async create(
    { forward = true, client = false }: { readonly forward?: boolean; readonly client?: boolean } = {},
  ): Promise<NatNetwork> {
    const made = new NatNetwork();
    const [server, device, router] = [made.#name("server"), made.#name("device"), made.#name("router")];
    if (client) made.#machines.push("client");
    try {
      for (const name of made.#machines.map((machine) => made.#name(machine))) {
        await ip("netns", "add", name);
        await ip("-n", name, "link", "set", "lo", "up");
      }
      await cable(server, "cable", PUBLIC_ADDRESS, router, "outside", ROUTER_ADDRESSES[0]);
      await cable(device, "cable", GATEWAY_ADDRESS, router, "inside", INNER_ROUTER_ADDRESS);
      if (client) await cable(server, "clients", CLIENTS_ADDRESS, made.#name("client"), "cable", CLIENT_ADDRESS);
      await ip("-n", device, "route", "add", "default", "via", INNER_ROUTER_ADDRESS);
      if (forward) await made.#nat();
      else await ip("-n", device, "route", "add", "unreachable", PUBLIC_NETWORK);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What to put before a command to run it on a machine. */
  on(machine: NatMachine): string[] {
    return inside(this.#name(machine));
  }

  /** Runs a command on a machine to its end. @returns its stdout. */
  async run(machine: NatMachine, ...command: string[]): Promise<string> {
    return await run([...this.on(machine), ...command]);
  }

  /** The router loses everything from now on, without a word, or only the connection from `port` of the gateway. */
  async cut(port?: number): Promise<void> {
    await this.filter(port === undefined ? ["drop"] : [`tcp sport ${port} drop`, `tcp dport ${port} drop`]);
  }

  /** The router treats what it forwards by these rules from now on. */
  async filter(rules: readonly string[]): Promise<void> {
    await this.#nft(`
      add table ip cut;
      add chain ip cut silent { type filter hook forward priority 0; };
      ${rules.map((rule) => `add rule ip cut silent ${rule};`).join("\n")}`);
  }

  /** It loses nothing any more. */
  async heal(): Promise<void> {
    await this.#nft("delete table ip cut");
  }

  /** The router gets another public address, as a provider gives it: what was known of connections is void. */
  async changeAddress(): Promise<string> {
    const before = ROUTER_ADDRESSES[this.#address % 2]!;
    const after = ROUTER_ADDRESSES[++this.#address % 2]!;
    const router = this.#name("router");
    await ip("-n", router, "address", "del", `${before}/24`, "dev", "outside");
    await ip("-n", router, "address", "add", `${after}/24`, "dev", "outside");
    return after;
  }

  /** The router forgets the connections that it knew: the kernel drops them with the address that hides them. */
  async forgetConnections(): Promise<void> {
    const router = this.#name("router");
    const address = ROUTER_ADDRESSES[this.#address % 2]!;
    await ip("-n", router, "address", "del", `${address}/24`, "dev", "outside");
    await ip("-n", router, "address", "add", `${address}/24`, "dev", "outside");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#removed) return; // its user may have handed it on to somebody who did so
    this.#removed = true;
    for (const machine of this.#machines) {
      await remove(this.#name(machine));
    }
  }

  #name(machine: NatMachine): string {
    return `${this.#id}-${machine}`;
  }

  async #nat(): Promise<void> {
    await this.run("router", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    await this.#nft(`
      add table ip nat;
      add chain ip nat out { type nat hook postrouting priority 100; };
      add rule ip nat out oifname outside masquerade;`);
  }

  async #nft(commands: string): Promise<void> {
    await this.run("router", find("nft")!, commands);
  }
}

/** Joins two machines, with an address at each end. */
async function cable(
  one: string,
  oneEnd: string,
  oneAddress: string,
  other: string,
  otherEnd: string,
  otherAddress: string,
): Promise<void> {
  await ip("link", "add", oneEnd, "netns", one, "type", "veth", "peer", "name", otherEnd, "netns", other);
  for (const [name, end, address] of [[one, oneEnd, oneAddress], [other, otherEnd, otherAddress]] as const) {
    await ip("-n", name, "address", "add", `${address}/24`, "dev", end);
    await ip("-n", name, "link", "set", end, "up");
  }
}
