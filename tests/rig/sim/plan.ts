/**
 * What happens in a run: users, a network, and what goes wrong. All of it follows from a seed.
 *
 * @module
 */

import { Random } from "../random.ts";
import type { Direction } from "./connection.ts";
import type { ProgramPlan } from "./program.ts";
import type { Network } from "./way.ts";

/** A client, and the service that it comes to. Times are milliseconds. */
export interface UserPlan {
  /** When the client comes. */
  readonly at: number;
  readonly client: ProgramPlan;
  readonly service: ProgramPlan;
  /** How long the device dials. */
  readonly dial: number;
  /** Whether the service refuses. */
  readonly refuse: boolean;
  /** Who goes before its time. */
  readonly quit:
    | { readonly by: "client" | "service"; readonly after: number; readonly how: "reset" | "close" }
    | undefined;
}

/** Who notices a link's end at once; the others send on into nothing until they miss an answer. */
export type Noticed = "both" | "server" | "device" | "nobody";

/** Something that goes wrong, on the link that is up or being made then. */
export type Fault =
  /** Nothing comes through any more, one way or both. */
  | { readonly kind: "cut"; readonly ways: readonly Direction[]; readonly noticed: Noticed }
  /** The same once so many bytes more have come through. */
  | { readonly kind: "cut-after"; readonly way: Direction; readonly bytes: number; readonly noticed: Noticed }
  /** What is on the way comes so much later, perhaps when one side has given the link up. */
  | { readonly kind: "hold"; readonly ways: readonly Direction[]; readonly ms: number; readonly noticed: Noticed }
  /** The device gives up the next link when it has sent AUTH, which comes to the server so much later. */
  | { readonly kind: "late-dial"; readonly ms: number }
  /** The device goes to a new link while the old one works. */
  | { readonly kind: "move" }
  /** There is no network for a while. */
  | { readonly kind: "outage"; readonly ms: number }
  /** The next links are cut once so many bytes have come through: in the handshake, in the replay, or later. */
  | { readonly kind: "bad-dials"; readonly cuts: readonly { readonly way: Direction; readonly bytes: number }[] }
  /** A process dies, and another starts so much later. `silent`: nobody hears of it. */
  | { readonly kind: "restart"; readonly who: "server" | "device"; readonly silent: boolean; readonly pause: number };

/** A run. */
export interface Plan {
  readonly seed: number;
  readonly network: Network;
  /** Whether the server's small writes wait (Nagle), as its runtime does over TLS. */
  readonly nagle: boolean;
  /** Bytes that each side may grant. */
  readonly bound: number;
  /** Milliseconds that a session outlives its link, on the server and on the device. */
  readonly expiration: { readonly server: number; readonly device: number };
  /** Whether each side has epochs, or is a peer of before there were any. */
  readonly epochs: { readonly server: boolean; readonly device: boolean };
  /** Whether the device's clock knows nothing of the date after each of its starts but the first. */
  readonly losesClock: boolean;
  readonly users: readonly UserPlan[];
  readonly faults: readonly { readonly at: number; readonly fault: Fault }[];
}

/** Milliseconds after which nothing goes wrong any more. */
export const FAULTS_END = 12_000;

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const random = new Random(seed);
  const fast = random.oneIn(10); // a fast path, and those who fill it: large frames, which are kept where they were read
  const users = Array.from({ length: 1 + random.upTo(fast ? 1 : 7) }, () => userOf(random, fast));
  const count = random.of(0, 2, 4, 8, 16, 30);
  const until = fast ? 1_000 : FAULTS_END;
  const faults = Array.from({ length: count }, () => ({ at: random.upTo(until), fault: faultOf(random) }));
  const short = random.of(15_000, 15_000, 15_000, 15_000, 1_500, 4_000, 0);
  return {
    seed,
    network: {
      latency: fast ? random.of(0.5, 1, 2) : random.of(0.05, 1, 20, 150),
      rate: fast ? random.of(40_000, 100_000) : random.of(100, 1_250, 12_500, 100_000),
      late: fast ? 0 : random.of(0, 0.5, 5),
      cuts: !fast && random.oneIn(2),
    },
    nagle: random.oneIn(2),
    bound: fast ? 64 * 1024 * 1024 : random.of(64 * 1024 * 1024, 300_000, 20_000),
    expiration: { server: short, device: random.of(15_000, 15_000, short, 2_500) },
    users,
    faults: faults.sort((a, b) => a.at - b.at),
    epochs: { server: !random.oneIn(5), device: !random.oneIn(5) },
    losesClock: random.oneIn(2),
  };
}

function userOf(random: Random, fast: boolean): UserPlan {
  const bulk = (): ProgramPlan => ({
    total: random.upTo(3_000_000),
    piece: 65_535,
    pause: 0,
    slow: random.of(0, 0, 2),
  });
  const program = (): ProgramPlan => ({
    total: random.oneIn(24) ? random.upTo(600_000) : random.of(0, random.upTo(200), random.upTo(100_000)),
    piece: random.of(100, 3_000, 20_000, 65_000),
    pause: random.of(0, 0, 3, 200, 600),
    slow: random.of(0, 0, 2, 60),
  });
  const quit = {
    by: random.of("client", "service"),
    after: random.upTo(6_000),
    how: random.of("reset", "close"),
  } as const;
  return {
    at: random.upTo(fast ? 500 : random.of(200, FAULTS_END)),
    client: fast ? bulk() : typing(program()),
    service: fast ? bulk() : typing(program()),
    dial: random.upTo(60),
    refuse: random.oneIn(8),
    quit: random.oneIn(5) ? quit : undefined,
  };
}

/** Small pieces with pauses are for people: nobody types for hours. */
function typing(plan: ProgramPlan): ProgramPlan {
  return plan.pause === 0 ? plan : { ...plan, total: Math.min(plan.total, plan.piece * 60) };
}

function faultOf(random: Random): Fault {
  const way = (): Direction => random.of("up", "down");
  const ways = (): Direction[] => random.of<Direction[]>(["up", "down"], ["up"], ["down"]);
  const noticed = (): Noticed => random.of<Noticed>("both", "server", "device", "nobody");
  const bytes = () => random.of(random.upTo(20), random.upTo(600), random.upTo(70_000));
  switch (random.upTo(14)) {
    case 0:
    case 1:
    case 2:
      return { kind: "cut", ways: ways(), noticed: noticed() };
    case 3:
    case 4:
    case 5:
      return { kind: "cut-after", way: way(), bytes: bytes(), noticed: noticed() };
    case 6:
      return { kind: "hold", ways: ways(), ms: random.of(5, 300, 4_000), noticed: noticed() };
    case 7:
    case 11:
      return { kind: "move" };
    case 12:
    case 13:
      return { kind: "late-dial", ms: random.of(5, 300, 2_000, 6_000) };
    case 8:
      return { kind: "outage", ms: random.of(100, 2_000, 5_000) };
    case 9:
    case 10:
      return {
        kind: "bad-dials",
        cuts: Array.from({ length: 1 + random.upTo(4) }, () => ({ way: way(), bytes: bytes() })),
      };
    default:
      if (!random.oneIn(3)) return { kind: "cut", ways: ["up", "down"], noticed: "both" };
      return {
        kind: "restart",
        who: random.of("server", "device"),
        silent: random.oneIn(2),
        pause: random.of(0, 200, 3_000),
      };
  }
}
