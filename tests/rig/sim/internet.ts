/**
 * The network between the device and the server: it makes links, and breaks them.
 *
 * @module
 */

import type { Transport } from "../../../net/transport.ts";
import type { Random } from "../random.ts";
import { Connection, type End } from "./connection.ts";
import type { Fault, Noticed } from "./plan.ts";
import type { Time } from "./time.ts";
import type { Network } from "./way.ts";

/** Milliseconds after which a dial fails that gets no answer, at most. */
const NO_ANSWER_MS = 1_000;

/** A device that has sent more has sent some of AUTH behind its HELLO, and all of it so many milliseconds later. */
const HELLO_MAX = 150;
const AUTH_MS = 5;

/** Makes links, and does what a fault says to them. */
export class Internet {
  /** Called on the server's side for each link that comes. */
  onAccept: (end: End) => void = () => {};
  readonly #time: Time;
  readonly #random: Random;
  readonly #network: Network;
  readonly #links: Connection[] = [];
  #downUntil = 0;
  #lateDial: number | undefined;
  #badDials: (Fault & { kind: "bad-dials" })["cuts"][number][] = [];

  /** A network that works. */
  constructor(time: Time, random: Random, network: Network) {
    this.#time = time;
    this.#random = random;
    this.#network = network;
  }

  /** Links that were made. */
  get count(): number {
    return this.#links.length;
  }

  /** Dials the server. @throws {Error} while there is no network. */
  async dial(): Promise<End> {
    if (this.#time.now < this.#downUntil) {
      await this.#time.sleep(this.#random.upTo(NO_ANSWER_MS));
      throw new Error("no network");
    }
    const link = new Connection(this.#time, this.#random, this.#network);
    await this.#time.sleep(2 * this.#network.latency);
    this.#links.push(link);
    const bad = this.#badDials.shift();
    if (bad) link.way(bad.way).cutAfter(bad.bytes, () => link.blackHole());
    if (this.#time.now < this.#downUntil) link.blackHole();
    if (this.#lateDial !== undefined) this.#delayAuth(link, this.#lateDial);
    this.#lateDial = undefined;
    this.onAccept(link.accepted);
    return link.dialled;
  }

  /** Does to the newest link what `fault` says. */
  apply(fault: Fault): void {
    const link = this.#links.at(-1);
    switch (fault.kind) {
      case "cut":
        for (const way of fault.ways) link?.way(way).cut();
        return this.#notice(link, fault.noticed);
      case "cut-after":
        return link?.way(fault.way).cutAfter(fault.bytes, () => {
          link.blackHole();
          this.#notice(link, fault.noticed);
        });
      case "hold":
        for (const way of fault.ways) link?.way(way).hold(fault.ms);
        return this.#notice(link, fault.noticed);
      case "outage":
        this.#downUntil = this.#time.now + fault.ms;
        return link?.blackHole();
      case "bad-dials":
        this.#badDials = [...fault.cuts];
        return;
      case "late-dial":
        this.#lateDial = fault.ms;
        return;
      case "move":
      case "restart":
        return; // not the network's
    }
  }

  /** All is well from here on. */
  heal(): void {
    this.#downUntil = 0;
    this.#badDials = [];
    this.#lateDial = undefined;
    for (const way of ["up", "down"] as const) this.#links.at(-1)?.way(way).cutAfter(Infinity, () => {});
  }

  /** Nothing of what is under way comes any more. */
  blackHole(): void {
    for (const link of this.#links) link.blackHole();
  }

  #delayAuth({ dialled }: Connection, ms: number): void {
    const { out } = dialled;
    out.onSend = () => {
      if (out.bytes <= HELLO_MAX) return;
      out.onSend = () => {};
      out.hold(ms);
      this.#time.after(AUTH_MS, () => dialled.fail(new Error("the connection was lost")));
    };
  }

  #notice(link: Connection | undefined, noticed: Noticed): void {
    const error = () => new Error("the connection was lost");
    if (noticed === "both" || noticed === "server") link?.accepted.fail(error());
    if (noticed === "both" || noticed === "device") link?.dialled.fail(error());
  }
}

/** An end of a link as a transport. */
export function transportOf(end: End, remote: string, noDelay = true): Transport {
  return { duplex: end, kind: "tcp", local: "here", remote, noDelay, tcp: () => undefined, cut: () => end.close() };
}
