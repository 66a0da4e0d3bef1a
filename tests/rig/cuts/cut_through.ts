/**
 * Real clients at work while the link of their device is cut: what they are asked to do, and the cuts meanwhile.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child, type ChildOptions } from "../processes/child.ts";
import { type CutKind, type CutOutcome, QUICK_CUTS } from "./cuts.ts";
import type { Need } from "../processes/requirements.ts";
import type { ResumeMachines } from "../machines/resume_machines.ts";
import { HOST_PORT } from "../machines/v2_machines.ts";

/** Where they connect: the first port behind that of the transfers. */
export const CLIENT_PORT = HOST_PORT + 1;

/** How much a client does, and what happens to its link meanwhile. */
export interface CutClientOptions {
  /** Cuts to go through. */
  readonly cuts: number;
  /** Bytes to move, where that is what the client does. */
  readonly size: number;
  /** Longest time for all of it, in milliseconds. */
  readonly ms: number;
}

/** A client, what it needs, and what it does. */
export interface CutClient {
  /** What it is called. */
  readonly name: string;
  /** What the machine has to have. */
  readonly needs: readonly Need[];
  /** Lets it work through cuts. @returns the cuts. */
  run(options: CutClientOptions): Promise<CutOutcome[]>;
}

/** Parts of the bytes for each cut: one lies between two cuts, and others go by while the session comes back. */
const PARTS = 6;

/** Cuts the link whenever another part of `bytes` was carried, until there were `cuts` or the work is done. */
export async function cutByBytes(
  { cuts }: ResumeMachines,
  count: number,
  bytes: number,
  work: Promise<unknown>,
): Promise<CutOutcome[]> {
  const outcomes: CutOutcome[] = [];
  let over = false;
  const watched = work.finally(() => over = true);
  watched.catch(() => {}); // whoever awaits the work sees it
  while (outcomes.length < count && !over) {
    const next = cuts.carried + bytes / (count * PARTS);
    while (cuts.carried < next && !over) await new Promise((resolve) => setTimeout(resolve, 2)); // nobody tells
    if (!over) outcomes.push(await cuts.cut(quick(outcomes.length)));
  }
  await watched;
  assert.deepEqual(cuts.lost, []);
  return outcomes;
}

/** Runs a command on the client's machine while the link is cut. @returns its stdout, and the cuts. */
export async function through(
  machines: ResumeMachines,
  { cuts, size, ms }: CutClientOptions,
  command: readonly string[],
  options: ChildOptions = {},
): Promise<{ stdout: string[]; outcomes: CutOutcome[] }> {
  await using child = Child.start(command[0]!, [...machines.net.on("client"), ...command], options);
  const outcomes = await cutByBytes(machines, cuts, size, child.end(ms));
  assert.equal(await child.exited, 0, child.stderr.join("\n"));
  return { stdout: child.stdout, outcomes };
}

/** One of the quick kinds, in turn. */
export function quick(turn: number): CutKind {
  return QUICK_CUTS[turn % QUICK_CUTS.length]!;
}
