/**
 * Two machines with a cable between them, as network namespaces: one for the server and its clients, one for the device
 * and its services. The cable can lose everything, or one connection, without a word.
 *
 * @module
 */

import { find } from "../processes/programs.ts";
import { inside, ip, remove, run } from "./netns.ts";

/** The server's address on the cable. */
export const SERVER_ADDRESS = "10.77.0.1";

/** The device's address on the cable. */
export const DEVICE_ADDRESS = "10.77.0.2";

/** One of the two machines. */
export type Machine = "server" | "device";

let count = 0;

/** The two machines. Disposing of them removes all of it; their processes have to be ended before. */
export class Namespaces implements AsyncDisposable {
  readonly #id = `sallyport-${Deno.pid}-${++count}`;

  private constructor() {}

  /** Makes them. */
  static async create(): Promise<Namespaces> {
    const made = new Namespaces();
    const server = made.#name("server");
    const device = made.#name("device");
    try {
      await ip("netns", "add", server);
      await ip("netns", "add", device);
      await ip("link", "add", "cable", "netns", server, "type", "veth", "peer", "name", "cable", "netns", device);
      for (const [name, address] of [[server, SERVER_ADDRESS], [device, DEVICE_ADDRESS]] as const) {
        await ip("-n", name, "address", "add", `${address}/24`, "dev", "cable");
        await ip("-n", name, "link", "set", "lo", "up");
        await ip("-n", name, "link", "set", "cable", "up");
      }
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Lays a second cable, `spare`, by which the device can reach the server's address as well, if it is told to.
   *
   * @returns the device's address on it.
   */
  async laySpare(): Promise<string> {
    const [server, device] = [this.#name("server"), this.#name("device")];
    await ip("link", "add", "spare", "netns", server, "type", "veth", "peer", "name", "spare", "netns", device);
    for (const [name, address] of [[server, "10.78.0.1"], [device, "10.78.0.2"]] as const) {
      await ip("-n", name, "address", "add", `${address}/24`, "dev", "spare");
      await ip("-n", name, "link", "set", "spare", "up");
    }
    await ip("-n", device, "route", "add", SERVER_ADDRESS, "via", "10.78.0.1", "dev", "spare", "metric", "4000");
    return "10.78.0.2";
  }

  /** What to put before a command to run it on a machine. */
  on(machine: Machine): string[] {
    return inside(this.#name(machine));
  }

  /** Loses everything on the cable from now on, or only what goes to or comes from `port` of the device. */
  async cut(port?: number): Promise<void> {
    const [into, out] = port === undefined ? ["", ""] : [`tcp dport ${port}`, `tcp sport ${port}`];
    await this.#nft(`
      add table inet cut;
      add chain inet cut into { type filter hook input priority 0; };
      add chain inet cut out { type filter hook output priority 0; };
      add rule inet cut into iifname cable ${into} drop;
      add rule inet cut out oifname cable ${out} drop;`);
  }

  /** Loses nothing any more. */
  async heal(): Promise<void> {
    await this.#nft("delete table inet cut");
  }

  /** Runs a command on a machine to its end. @returns its stdout. */
  async run(machine: Machine, ...command: string[]): Promise<string> {
    return await run([...this.on(machine), ...command]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const machine of ["server", "device"] as const) {
      await remove(this.#name(machine));
    }
  }

  #name(machine: Machine): string {
    return `${this.#id}-${machine}`;
  }

  async #nft(commands: string): Promise<void> {
    await this.run("device", find("nft")!, commands);
  }
}
