/**
 * What a device waits for: the end of its link, or of a pause, or a change of its way to the server meanwhile.
 *
 * @module
 */

import { sleep } from "../../base/clock.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { watchNetwork } from "../../net/network_watch.ts";
import type { LinkLife } from "./link_maker.ts";
import type { DeviceSettings } from "../options.ts";

type Settings = Pick<DeviceSettings, "clock" | "readNetwork">;

/** The way to the server has changed while it was dialled. */
export class WayChanged extends Error {
  override readonly name = "WayChanged";
}

/** The ends of a link, `HOST:PORT` each. */
export interface LinkEnds {
  /** This side's. */
  readonly local: string;
  /** The other one. */
  readonly remote: string;
}

/**
 * Resolves with the end of `link`; or with `changed`, if its session can go on over another link and the way between its
 * `ends` changes. Without them it does not look.
 */
export async function downOrChanged(
  link: LinkLife,
  ends: LinkEnds | undefined,
  { clock, readNetwork }: Settings,
): Promise<LinkEnd | "changed"> {
  if (ends === undefined || !link.resumable) return await link.down;
  const changed = Promise.withResolvers<"changed">();
  const hosts = { local: hostOf(ends.local), remote: hostOf(ends.remote) };
  const stop = watchNetwork(hosts, clock, () => changed.resolve("changed"), readNetwork);
  try {
    return await Promise.race([link.down, changed.promise]);
  } finally {
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
