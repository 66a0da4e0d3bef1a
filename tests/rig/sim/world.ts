/**
 * One run: both ends of a session, their users, a network, and a model that sees whether all is as it has to be.
 *
 * @module
 */

import {
  FRAME_BUFFER_SIZE,
  KEEP_WHOLE,
  MIN_ON_THE_WAY,
  ON_THE_WAY_SLACK_MS,
  START_ON_THE_WAY,
  V2_BULK_PAYLOAD,
  V2_OVERDRAFT,
} from "../../../protocol/v2/limits.ts";
import { Random } from "../random.ts";
import { Connection, type End } from "./connection.ts";
import { DeviceSide } from "./device_side.ts";
import { Internet } from "./internet.ts";
import { Model } from "./model.ts";
import { type Fault, FAULTS_END, type Plan } from "./plan.ts";
import { Program } from "./program.ts";
import { ServerSide, sessionNumber } from "./server_side.ts";
import { Time } from "./time.ts";
import { Trace } from "./trace.ts";
import type { Network } from "./way.ts";

/** Virtual milliseconds in which all has to be over once nothing goes wrong any more. */
const PATIENCE_MS = 400_000;

/** Virtual milliseconds after which two sides that have nothing to say have acknowledged all: a few keep-alives. */
const QUIET_MS = 6_000;

/** What a control frame of a user takes, at most, and how many there are between two acknowledgements. */
const CONTROL_SLACK = 32 * 1024;

/** Between a user's program and the relay. */
const NEARBY: Network = { latency: 0.05, rate: 100_000, late: 0, cuts: false };

/** What a run came to. */
export interface Outcome {
  /** What was wrong, if something was. */
  readonly failure: string | undefined;
  /** What happened, as a number: the same for the same seed. */
  readonly hash: string;
  /** What happened, line by line. */
  readonly lines: readonly string[];
  /** Links that were made, and sessions that went on over another link. */
  readonly links: number;
  readonly resumes: number;
  /** Bytes that arrived in their place. */
  readonly bytes: number;
}

/** How a run may be spoilt, to see that the model notices. */
export interface Sabotage {
  /** The device goes on applying what the old link brings after it has said how far it came. */
  readonly noFence?: boolean;
  /** The server takes a link that came before the one that is up for one that came after it. */
  readonly takesLateLinks?: boolean;
}

/** Runs a plan to its end. */
export async function simulate(plan: Plan, sabotage: Sabotage = {}): Promise<Outcome> {
  const world = new World(plan, sabotage);
  await world.run();
  return world.outcome;
}

class World {
  readonly #plan: Plan;
  readonly #sabotage: Sabotage;
  readonly #time = new Time();
  readonly #trace = new Trace(this.#time);
  readonly #random: Random;
  readonly #internet: Internet;
  readonly #model: Model;
  readonly #keptMax: number;
  #server: ServerSide;
  #device: DeviceSide;
  #sessions = 0;
  #instances = 0;
  #resumes = 0;
  #upOnServer = 0; // the session

  constructor(plan: Plan, sabotage: Sabotage) {
    this.#plan = plan;
    this.#sabotage = sabotage;
    this.#random = new Random(plan.seed ^ 0x5bd1e995);
    this.#internet = new Internet(this.#time, this.#random, plan.network);
    this.#internet.onAccept = (end) => void this.#server.accept(end);
    this.#model = new Model(this.#time, plan);
    this.#keptMax = keptMax(plan.network);
    this.#server = this.#newServer();
    this.#device = this.#newDevice();
  }

  get outcome(): Outcome {
    const users = this.#model.users;
    return {
      failure: this.#model.failure,
      hash: this.#trace.hash,
      lines: this.#trace.lines,
      links: this.#internet.count,
      resumes: this.#resumes,
      bytes: users.reduce((sum, { client, service }) => sum + (client?.received ?? 0) + (service?.received ?? 0), 0),
    };
  }

  async run(): Promise<void> {
    const { users, faults } = this.#plan;
    for (const [at, user] of users.entries()) this.#time.after(user.at, () => this.#come(at));
    for (const { at, fault } of faults) this.#time.after(at, () => this.#apply(fault));
    await this.#until(FAULTS_END + 100, () => false);
    this.#internet.heal();
    do {
      // A link that is dead already may still be taken for one that is up: that shows soon.
      await this.#until(FAULTS_END + PATIENCE_MS, () => this.#model.allGone && this.#online);
      if (!this.#model.failure && !this.#online) this.#model.fail("the device never came back");
      await this.#until(this.#time.now + QUIET_MS, () => false);
    } while (!this.#online && !this.#model.failure);
    this.#model.check();
    if (this.#model.failure) return this.#close();
    this.#checkGivenBack();
    await this.#close();
    if (this.#time.pending > 0) this.#model.fail(`${this.#time.pending} timers are left`);
  }

  get #online(): boolean {
    const { session } = this.#device;
    return session !== undefined && session.links.online && this.#server.session?.links.interruptedAt === undefined &&
      this.#server.session !== undefined;
  }

  /** Lets time pass, and sees at every event that memory is bounded. */
  #until(time: number, enough: () => boolean): Promise<void> {
    return this.#time.run(time, () => {
      this.#checkBounds();
      return this.#model.failure !== undefined || enough();
    });
  }

  async #close(): Promise<void> {
    this.#model.ending(() => {
      this.#device.close();
      this.#server.close();
    });
    await this.#time.run(this.#time.now + PATIENCE_MS);
  }

  #newServer(): ServerSide {
    const server = new ServerSide(this.#time, this.#plan, () => ++this.#sessions, {
      onSession: (id, session) => {
        this.#trace.add(`session ${id}`);
        const { server, device } = this.#plan.expiration;
        this.#model.begun(id, Math.min(server, device));
        session.links.over.then(({ reason }) => this.#model.overOnServer(id, reason));
        this.#upOnServer = id;
      },
      onEvent: (line) => {
        this.#trace.add(line);
        if (line === "server link-resumed") this.#model.isUp(this.#upOnServer, "server");
      },
    });
    server.takesLateLinks = this.#sabotage.takesLateLinks ?? false;
    return server;
  }

  #newDevice(): DeviceSide {
    const device = new DeviceSide(this.#time, this.#random, this.#plan, this.#internet, ++this.#instances, {
      onSession: (id, session) => {
        this.#model.heardOf(id);
        session.over.then(({ reason }) => this.#model.overOnDevice(id, reason));
      },
      dialService: (service, signal) => this.#dialService(service, signal),
      onClientEnd: (service) => this.#model.users[service]!.doneOnDevice = true,
      onEvent: (line) => {
        this.#trace.add(line);
        if (!line.startsWith("device resumed")) return;
        this.#resumes++;
        this.#model.isUp(sessionNumber(this.#device.session!.id), "device");
      },
    });
    device.noFence = this.#sabotage.noFence ?? false;
    this.#time.after(0, () => void device.run());
    return device;
  }

  /** A client comes to a host port. */
  #come(at: number): void {
    const user = this.#model.users[at]!;
    const { plan } = user;
    const link = this.#server.session;
    if (!link || this.#server.dead) {
      user.reason = "link-lost"; // there is no host port that it could have come to
      return;
    }
    const conn = new Connection(this.#time, this.#random, NEARBY);
    const client = new Program(this.#time, this.#random, conn.dialled, plan.client, (what) => this.#model.fail(what));
    user.client = client;
    user.session = this.#upOnServer;
    client.onOver = () => this.#trace.add(`client ${at} over, ${client.received} B`);
    link.serve({
      duplex: conn.accepted,
      address: "192.0.2.1:5",
      hostAddress: "0.0.0.0:22",
      service: at,
      onEnd: ({ reason }) => {
        user.reason = reason;
        this.#trace.add(`client ${at} ended: ${reason}`);
      },
    });
    client.start(2 * at, 2 * at + 1);
    if (plan.quit?.by === "client") this.#time.after(plan.quit.after, () => client.quit(plan.quit!.how));
  }

  /** A CONNECT comes to the device. */
  #dialService(at: number, signal: AbortSignal): Promise<End> {
    const { plan } = this.#model.users[at]!;
    this.#model.connect(this.#model.users[at]!);
    return new Promise((resolve, reject) => {
      this.#time.after(plan.dial, () => {
        if (signal.aborted) return reject(signal.reason); // the client has gone meanwhile
        if (plan.refuse) return reject(new Deno.errors.ConnectionRefused("nobody listens"));
        const conn = new Connection(this.#time, this.#random, NEARBY);
        const service = new Program(
          this.#time,
          this.#random,
          conn.accepted,
          plan.service,
          (what) => this.#model.fail(what),
        );
        this.#model.users[at]!.service = service;
        service.onOver = () => this.#trace.add(`service ${at} over, ${service.received} B`);
        service.start(2 * at + 1, 2 * at);
        if (plan.quit?.by === "service") this.#time.after(plan.quit.after, () => service.quit(plan.quit!.how));
        resolve(conn.dialled);
      });
    });
  }

  #apply(fault: Fault): void {
    this.#trace.add(`fault ${JSON.stringify(fault)}`);
    this.#internet.apply(fault);
    if (fault.kind === "move") this.#device.move();
    if (fault.kind !== "restart") return;
    if (fault.silent) this.#internet.blackHole();
    const { who } = fault;
    const old = who === "server" ? this.#server : this.#device;
    if (old.dead) return;
    this.#model.ending(() => old.close());
    this.#time.after(fault.pause, () => {
      if (who === "server") this.#server = this.#newServer();
      else this.#device = this.#newDevice();
    });
  }

  #checkBounds(): void {
    const onServer = this.#server.logBudget.held;
    const buffers = WHOLE_BUFFERS * this.#keptMax;
    if (onServer > buffers) this.#model.fail(`the server keeps ${onServer} bytes in buffers, ${buffers} are the most`);
    const onDevice = this.#device.session?.log?.size ?? 0;
    if (onDevice > this.#keptMax) this.#model.fail(`the device keeps ${onDevice} bytes, ${this.#keptMax} are the most`);
    const granted = Math.max(this.#server.budget.granted, this.#device.session?.budget.granted ?? 0);
    if (granted > this.#plan.bound) this.#model.fail(`${granted} bytes are granted, ${this.#plan.bound} are the most`);
  }

  /** Nobody is there any more, and all was acknowledged. */
  #checkGivenBack(): void {
    const { session } = this.#device;
    const left = {
      "granted by the server": this.#server.budget.granted,
      "granted by the device": session?.budget.granted,
      "kept by the server": this.#server.logBudget.held,
      "kept by the device": session && (session.log?.size ?? 0),
      "channels on the server": this.#server.session?.state.channelCount,
      "channels on the device": session?.state.channelCount,
    };
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.#model.fail(`${what}: ${count} at the end`);
  }
}

/** A frame of half a buffer, and a small one behind it, take a buffer each: so much more than what is kept is held. */
const WHOLE_BUFFERS = 2 * FRAME_BUFFER_SIZE / KEEP_WHOLE;

/** What a side may keep: what may be on the way on such a path, one frame and the overdraft more, and control frames. */
function keptMax({ latency, late, rate }: Network): number {
  const path = (2 * (2 * (latency + late) + ON_THE_WAY_SLACK_MS)) * rate;
  return Math.max(START_ON_THE_WAY, MIN_ON_THE_WAY, path) + V2_OVERDRAFT + V2_BULK_PAYLOAD + CONTROL_SLACK;
}
