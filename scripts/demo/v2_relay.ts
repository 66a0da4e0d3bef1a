/**
 * Server, enrolment and device of the demo on wire profile v2, with an onlooker on the link between.
 *
 * @module
 */

import { sallyport } from "../../tests/rig/processes/daemons.ts";
import { joinArgs } from "../../tests/rig/processes/relay.ts";
import { Onlooker } from "./link/onlooker.ts";
import type { Route } from "./picture.ts";
import { lastWords } from "./processes.ts";
import { DemoRelay, type DemoRelayOptions, PATIENCE_MS } from "./relay.ts";
import type { Stage } from "./stage.ts";

/** What the device is called. */
export const DEVICE = "gw1";

/** A server, a tap in front of it and, later, a device. */
export class V2Relay extends DemoRelay {
  /** Who looks at the link. */
  readonly onlooker: Onlooker;

  private constructor(options: Omit<DemoRelayOptions, "watch">, onlooker = new Onlooker()) {
    super({ ...options, watch: (direction) => onlooker.watch(direction) });
    this.onlooker = onlooker;
  }

  /** Starts the server, and a tap in front of it; `onFault` hears if the tap or a process fails. */
  static async start(stage: Stage, onFault: (why: string) => void): Promise<V2Relay> {
    const args = ["--listen", "127.0.0.1:0", "--state", stage.dir];
    const server = stage.processes.start("server", sallyport("server", args));
    const [, port] = await server.says(/^listening 127\.0\.0\.1:(\d+) profile=v2 security=pinned$/, PATIENCE_MS);
    return new V2Relay({ stage, server, port: Number(port), onFault });
  }

  /** Runs `server enroll`. @returns the string. */
  enroll(routes: readonly Route[]): Promise<string> {
    const services = routes.flatMap(({ service, hostPort }) => ["--service", `${service}=127.0.0.1:${hostPort}`]);
    return this.#command("enroll", DEVICE, ...services, "--public-address", `127.0.0.1:${this.tap.port}`);
  }

  /** Runs `server revoke`. */
  async revoke(): Promise<void> {
    await this.#command("revoke", DEVICE);
  }

  /** Starts `device join`. */
  join(enrolment: string, routes: readonly Route[]): void {
    this.startDevice(joining(enrolment, routes, this.stage.dir));
  }

  /** Another machine tries a string. @returns its last line and its exit code. */
  async joinElsewhere(enrolment: string, routes: readonly Route[]): Promise<[said: string, code: number]> {
    const args = joining(enrolment, routes, `${this.stage.dir}/elsewhere`);
    const { child } = this.stage.processes.start("other machine", sallyport("device", args));
    const code = await child.exited;
    return [child.stderr.at(-1) ?? lastWords(child), code];
  }

  /** Waits until the device is linked and its services are open. @returns what it said. */
  async online(services: number): Promise<string[]> {
    const said = [(await this.device.says(/^online .*/, PATIENCE_MS))[0]];
    for (let n = 0; n < services; n++) said.push((await this.device.says(/^service .*/, PATIENCE_MS))[0]);
    return said;
  }

  /** Waits for a line of the server's log. @returns its text. */
  async serverLogs(pattern: RegExp): Promise<string> {
    return messageOf(await this.server.logs(pattern, PATIENCE_MS));
  }

  /** Waits for a line of the device's log. @returns its text. */
  async deviceLogs(pattern: RegExp): Promise<string> {
    return messageOf(await this.device.logs(pattern, PATIENCE_MS));
  }

  #command(name: string, ...args: string[]): Promise<string> {
    const { processes, dir } = this.stage;
    return processes.run(name, sallyport("server", [name, ...args, "--state", dir]), PATIENCE_MS);
  }
}

function joining(enrolment: string, routes: readonly Route[], state: string): string[] {
  const services = routes.map(({ service, local }) => `${service}=${local}`);
  return [...joinArgs(state, enrolment, services), "--proxy", "none"];
}

function messageOf({ input }: RegExpExecArray): string {
  return JSON.parse(input).message;
}
