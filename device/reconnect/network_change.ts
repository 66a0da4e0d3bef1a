/**
 * What a device waits for: the end of its link, or of a pause, or a change of its way to the server meanwhile.
 *
 * @module
 */

import { sleep } from "../../base/clock.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { watchNetwork } from "../../net/network_watch.ts";
import type { LinkLife } from "./link_maker.ts";
import type { Wishes } from "./wishes.ts";
import type { DeviceSettings } from "../options.ts";

type Settings = Pick<DeviceSettings, "clock" | "readNetwork">;

/** The way to the server has changed while it was dialled. */
export class WayChanged extends Error {
  override readonly name = "WayChanged";
}

/** A session is to go on over another link, while the one that it has is up. */
export interface Moving {
  /** Why. */
  readonly moves: string;
}

const ASKED: Moving = { moves: "the way to the server is to be another" };

/** The ends of a link, `HOST:PORT` each. */
export interface LinkEnds {
  /** This side's. */
  readonly local: string;
  /** The other one. */
  readonly remote: string;
}

/**
 * Resolves with the end of `link`; or, if its session can go on over another link, with why it is to move there: the way
 * between its `ends` changes, or `move` aborts. Without ends it does not look.
 */
export async function downOrMoving(
  link: LinkLife,
  ends: LinkEnds | undefined,
  { clock, readNetwork }: Settings,
  { move }: Pick<Wishes, "move">,
): Promise<LinkEnd | Moving> {
  if (ends === undefined || !link.resumable) return await link.down;
  if (move.aborted) return ASKED;
  const moving = Promise.withResolvers<Moving>();
  const hosts = { local: hostOf(ends.local), remote: hostOf(ends.remote) };
  const stop = watchNetwork(hosts, clock, () => moving.resolve({ moves: "the network has changed" }), readNetwork);
  const onAsked = () => moving.resolve(ASKED);
  move.addEventListener("abort", onAsked);
  try {
    return await Promise.race([link.down, moving.promise]);
  } finally {
    move.removeEventListener("abort", onAsked);
    stop();
  }
}

/**
 * Waits `ms` milliseconds, or until `signal` aborts, or until the way to `remote`, or to anywhere, is another or is back.
 *
 * @returns whether that was it.
 */
export async function sleepOrChanged(
  ms: number,
  remote: string | undefined,
  { clock, readNetwork }: Settings,
  signal: AbortSignal,
): Promise<boolean> {
  const change = new AbortController();
  const stop = watchNetwork({ remote: remote && hostOf(remote) }, clock, () => change.abort(), readNetwork);
  try {
    await sleep(clock, ms, AbortSignal.any([signal, change.signal]));
  } finally {
    stop();
  }
  return change.signal.aborted && !signal.aborted;
}

/** A signal that aborts with `signal`, or with a {@linkcode WayChanged} when the way to `remote`, or to anywhere, changes. */
export function untilChanged(
  remote: string | undefined,
  { clock, readNetwork }: Settings,
  signal: AbortSignal,
): { readonly signal: AbortSignal; stop(): void } {
  const change = new AbortController();
  const stop = watchNetwork({ remote: remote && hostOf(remote) }, clock, () => change.abort(CHANGED), readNetwork);
  return { signal: AbortSignal.any([signal, change.signal]), stop };
}

const CHANGED = new WayChanged("the network has changed meanwhile");

/** The host of `HOST:PORT`. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":")).replace(/^\[|\]$/g, "");
}
