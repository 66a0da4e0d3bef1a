/**
 * Server, enrolment and device of the demo on wire profile v2: the real programs, each a process of its own, with an
 * onlooker on the link between.
 *
 * @module
 */

import { Onlooker } from "./link/onlooker.ts";
import type { Route } from "./picture.ts";
import { type Child, DemoError, lastWords } from "./processes.ts";
import type { Stage } from "./stage.ts";
import { Tap } from "./link/tap.ts";

/** The program, as a user would run it from a clone. */
export const MAIN = `${import.meta.dirname}/../../main.ts`;

/** How long anything of the relay may take, in milliseconds. */
const PATIENCE_MS = 15_000;

/** What the device is called. */
export const DEVICE = "gw1";

/** A server, a tap in front of it and, later, a device. */
export class V2Relay {
  /** Between the two. */
  readonly tap: Tap;
  /** Where devices dial in. */
  readonly listenPort: number;
  /** Who looks at the link. */
  readonly onlooker: Onlooker;

  readonly #stage: Stage;
  readonly #server: Child;
  readonly #onFault: (why: string) => void;
  #device: Child | undefined;
  #stopping = false;

  private constructor(stage: Stage, server: Child, port: number, onFault: (why: string) => void) {
    const onlooker = new Onlooker();
    this.#stage = stage;
    this.#server = server;
    this.#onFault = onFault;
    this.listenPort = port;
    this.onlooker = onlooker;
    this.tap = new Tap(port, {
      watch: (direction) => onlooker.watch(direction),
      onError: (why) => onFault(`the tap cannot go on: ${why}`),
    });
    stage.defer(() => this.tap.close());
    this.#watch(server);
  }

  /** Starts the server, and a tap in front of it; `onFault` hears if the tap or a process fails. */
  static async start(stage: Stage, onFault: (why: string) => void): Promise<V2Relay> {
    const server = stage.processes.start("server", Deno.execPath(), [
      ...["run", "-A", MAIN, "server", "--listen", "127.0.0.1:0", "--state", stage.dir],
    ]);
    const [, port] = await server.says(/^listening 127\.0\.0\.1:(\d+) profile=v2 security=pinned$/, PATIENCE_MS);
    return new V2Relay(stage, server, Number(port), onFault);
  }

  /** Runs `server enroll`. @returns the string. */
  enroll(routes: readonly Route[]): Promise<string> {
    const services = routes.flatMap(({ service, hostPort }) => ["--service", `${service}=127.0.0.1:${hostPort}`]);
    return this.#run(
      "enroll",
      "server",
      "enroll",
      DEVICE,
      ...services,
      "--public-address",
      `127.0.0.1:${this.tap.port}`,
    );
  }

  /** Runs `server revoke`. */
  async revoke(): Promise<void> {
    await this.#run("revoke", "server", "revoke", DEVICE);
  }

  /** Starts `device join`. */
  join(enrolment: string, routes: readonly Route[]): void {
    this.#device = this.#joining("device", enrolment, routes, this.#stage.dir);
    this.#watch(this.#device);
  }

  /** Another machine tries a string. @returns its last line and its exit code. */
  async joinElsewhere(enrolment: string, routes: readonly Route[]): Promise<[said: string, code: number]> {
    const child = this.#joining("other machine", enrolment, routes, `${this.#stage.dir}/elsewhere`);
    await child.stderr.next(/(?!)/); // until all has been read
    const { code } = await child.status;
    return [child.stderr.last, code];
  }

  /** Waits until the device is linked and its services are open. @returns what it said. */
  async online(services: number): Promise<string[]> {
    const said = [(await this.#deviceChild.says(/^online .*/, PATIENCE_MS))[0]];
    for (let n = 0; n < services; n++) said.push((await this.#deviceChild.says(/^service .*/, PATIENCE_MS))[0]);
    return said;
  }

  /** Waits for what the device says of a link that ended. */
  async deviceLost(): Promise<string> {
    return (await this.#deviceChild.says(/^lost .*/, PATIENCE_MS))[0];
  }

  /** Waits for a line of the server's log. @returns its text. */
  async serverLogs(pattern: RegExp): Promise<string> {
    return messageOf(await this.#server.says(pattern, PATIENCE_MS, this.#server.stderr));
  }

  /** Waits for a line of the device's log. @returns its text. */
  async deviceLogs(pattern: RegExp): Promise<string> {
    return messageOf(await this.#deviceChild.says(pattern, PATIENCE_MS, this.#deviceChild.stderr));
  }

  /** Ends both in order. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const child of [this.#deviceChild, this.#server]) {
      const code = await child.stop();
      if (code !== 0) throw new DemoError(`the ${child.name} ended with ${code}: ${lastWords(child)}`);
    }
    this.tap.close();
  }

  #joining(name: string, enrolment: string, routes: readonly Route[], state: string): Child {
    const services = routes.flatMap(({ service, localPort }) => ["--service", `${service}=127.0.0.1:${localPort}`]);
    const args = ["device", "join", enrolment, ...services, "--state", state, "--proxy", "none"];
    return this.#stage.processes.start(name, Deno.execPath(), ["run", "-A", MAIN, ...args]);
  }

  #run(name: string, ...args: string[]): Promise<string> {
    const { processes, dir } = this.#stage;
    return processes.run(name, Deno.execPath(), ["run", "-A", MAIN, ...args, "--state", dir], PATIENCE_MS);
  }

  /** A process that ends before its time is a fault, whoever notices first. */
  async #watch(child: Child): Promise<void> {
    const { code } = await child.status;
    if (!this.#stopping) this.#onFault(`the ${child.name} ended with ${code}: ${lastWords(child)}`);
  }

  get #deviceChild(): Child {
    if (!this.#device) throw new DemoError("the device was not started");
    return this.#device;
  }
}

function messageOf({ input }: RegExpExecArray): string {
  return JSON.parse(input).message;
}
