/**
 * What a run of chaos is to do: the options, and the cuts that come from its seed.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { positive } from "../arguments.ts";
import { CUT_KINDS, type CutKind } from "../../tests/rig/cuts/cuts.ts";
import { Random } from "../../tests/rig/random.ts";

/** Longest outage after both sides have noticed it, in milliseconds. */
const MAX_HOLD_MS = 2_000;

/** Longest time from a resumed session to the next cut, in milliseconds. */
const MAX_GAP_MS = 400;

/** How often each kind comes, in parts of the whole: those that are noticed only after seconds of silence are rarer. */
const WEIGHTS: Record<CutKind, number> = {
  "device-reset": 8,
  "server-reset": 8,
  "router-reset": 8,
  "storm": 5,
  "silent": 2,
  "lost-up": 2,
  "lost-down": 2,
  "outage": 2,
  "interface": 2,
  "device-address": 2,
  "public-address": 2,
  "nat-entry": 2,
  "reset-then-address": 1,
  "handshake-reset": 6,
  "handshake-lost": 2,
  "device-frozen": 1,
  "server-frozen": 1,
};

/** What was asked for. */
export interface ChaosOptions {
  /** Cuts to make, if that was said: of all clients together, or of each real one. */
  readonly cuts: number | undefined;
  /** What everything comes from. */
  readonly seed: number;
  /** Minutes after which no further cut is made. */
  readonly minutes: number;
  /** The kinds of cuts. */
  readonly kinds: readonly CutKind[];
  /** Whether real clients go through the cuts, one after the other, rather than transfers. */
  readonly clients: boolean;
}

/** One cut to make. */
export interface PlannedCut {
  /** How. */
  readonly kind: CutKind;
  /** Milliseconds that an outage lasts after both sides have noticed it. */
  readonly hold: number;
  /** Milliseconds before it. */
  readonly gap: number;
}

/** Reads the command line. @throws {SyntaxError | TypeError} if it cannot be. */
export function chaosOptions(args: string[]): ChaosOptions {
  const { values } = parseArgs({
    args,
    options: {
      cuts: { type: "string" },
      seed: { type: "string" },
      minutes: { type: "string" },
      only: { type: "string" },
      clients: { type: "boolean", default: false },
    },
  });
  const { cuts, seed, minutes, only, clients } = values;
  const kinds = only?.split(",") ?? Object.keys(CUT_KINDS);
  const isKind = (kind: string): kind is CutKind => kind in CUT_KINDS;
  const known = kinds.filter(isKind);
  if (known.length < kinds.length) throw new SyntaxError(`--only takes some of ${Object.keys(CUT_KINDS).join(",")}`);
  return {
    cuts: cuts === undefined ? undefined : positive("cuts", cuts),
    seed: seed === undefined ? Math.floor(Math.random() * 2 ** 16) : Math.floor(positive("seed", seed)),
    minutes: minutes === undefined ? Infinity : positive("minutes", minutes),
    kinds: known,
    clients,
  };
}

/** The cuts of a seed, without end: each kind once first, then as they come. */
export function* plannedCuts(seed: number, kinds: readonly CutKind[]): Generator<PlannedCut, never> {
  const random = new Random(seed);
  const times = () => ({ hold: random.upTo(MAX_HOLD_MS), gap: random.upTo(MAX_GAP_MS) });
  const bag = kinds.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
  for (const kind of kinds) yield { kind, ...times() };
  for (;;) yield { kind: bag[random.upTo(bag.length - 1)]!, ...times() };
}
