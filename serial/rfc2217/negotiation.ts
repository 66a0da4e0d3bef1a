/**
 * Options of telnet, either side's: asked for once, answered once, never in a circle (RFC 1143).
 *
 * @module
 */

import { DO, DONT, IAC, WILL, WONT } from "./telnet.ts";

type State = "off" | "asked" | "on";

/** What both sides have agreed on. */
export class Negotiation {
  readonly #ours = new Map<number, State>();
  readonly #theirs = new Map<number, State>();

  /** Knows the options that this side may do, and those that it may have the other do; all are off. */
  constructor(ours: readonly number[], theirs: readonly number[]) {
    for (const option of ours) this.#ours.set(option, "off");
    for (const option of theirs) this.#theirs.set(option, "off");
  }

  /** What to say in order to have all of them, but for those that `waits` names: the other side's to ask for. */
  opening(waits: readonly number[] = []): Uint8Array<ArrayBuffer> {
    const bytes: number[] = [];
    for (const [states, verb] of [[this.#ours, WILL], [this.#theirs, DO]] as const) {
      for (const [option, state] of states) {
        if (state !== "off" || (verb === WILL && waits.includes(option))) continue;
        states.set(option, "asked");
        bytes.push(IAC, verb, option);
      }
    }
    return Uint8Array.from(bytes);
  }

  /** Takes what the other side said. @returns the answer; empty: none. */
  take(verb: number, option: number): Uint8Array<ArrayBuffer> {
    const isOurs = verb === DO || verb === DONT;
    const isYes = verb === DO || verb === WILL;
    const states = isOurs ? this.#ours : this.#theirs;
    const state = states.get(option);
    const no = Uint8Array.of(IAC, isOurs ? WONT : DONT, option);
    if (state === undefined) return isYes ? no : NOTHING;
    states.set(option, isYes ? "on" : "off");
    if (isYes) return state === "off" ? Uint8Array.of(IAC, isOurs ? WILL : DO, option) : NOTHING;
    return state === "on" ? no : NOTHING;
  }

  /** Whether this side does it, as the other has agreed. */
  does(option: number): boolean {
    return this.#ours.get(option) === "on";
  }

  /** Whether the other side does it. */
  has(option: number): boolean {
    return this.#theirs.get(option) === "on";
  }
}

const NOTHING = new Uint8Array(0);
