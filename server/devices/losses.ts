/**
 * Who would lose access by a change of the file of devices, and whether that looks like a mistake: a disk that was full,
 * an editor that is half through, a template that rendered nothing.
 *
 * @module
 */

import { CUT_SETTLE_MS, MASS_LOSS_FLEET, MASS_LOSS_SETTLE_MS } from "../limits.ts";
import type { Steps } from "../../base/slices.ts";
import type { AuthorizedDevice } from "./entry.ts";
import type { DevicesFound } from "./reader.ts";

/** What a change takes away. */
export interface Loss {
  /** How suspicious it is: nothing is lost, some, most of the devices, or the file has none any more. */
  readonly kind: "none" | "some" | "most" | "all";
  /** Devices that would lose access. */
  readonly lost: number;
  /** Devices that have it. */
  readonly had: number;
}

/** What `after` takes from the devices of `before`. `meant`: keys whose loss somebody has asked for. */
export function* findLoss(
  before: DevicesFound,
  after: DevicesFound,
  meant: Pick<ReadonlySet<string>, "has">,
  wallClock: number,
): Steps<Loss> {
  let [had, lost, gone] = [0, 0, 0];
  for (const device of before.devices) {
    yield;
    const now = after.byKey.get(device.key);
    const isMeant = meant.has(device.key);
    if (!now && !isMeant) gone++;
    if (!isWelcome(device, wallClock)) continue;
    had++;
    if (now === device || isMeant) continue;
    const hasNothing = now && now.services.length === 0 && device.services.length > 0;
    if (!now || hasNothing || !isWelcome(now, wallClock)) lost++;
  }
  if (after.devices.length === 0 && gone > 0) return { kind: "all", lost, had };
  if (had >= MASS_LOSS_FLEET && 2 * lost > had) return { kind: "most", lost, had };
  return { kind: lost > 0 ? "some" : "none", lost, had };
}

function isWelcome({ disabled, expires }: AuthorizedDevice, wallClock: number): boolean {
  return !disabled && (expires === undefined || expires > wallClock);
}

/** How long a text has to stand still that takes this away from what is `inForce`, in milliseconds. */
export function settleTime({ kind }: Loss, source: string, inForce: string): number {
  if (kind === "all") return Infinity;
  if (kind === "most") return MASS_LOSS_SETTLE_MS;
  const isCut = kind === "some" && inForce.startsWith(source.trimEnd());
  return isCut ? CUT_SETTLE_MS : 0;
}

/** What a text does that looks like a mistake. */
export function describeLoss({ kind, lost, had }: Loss): string {
  if (kind === "all") return "has no devices any more";
  if (kind === "most") return `takes access from ${lost} of ${had} devices at once`;
  return `ends before ${lost} of ${had} devices, as if it were cut off`;
}

/** The devices but for those with some keys. */
export function* without({ devices, claims, defaults }: DevicesFound, keys: ReadonlySet<string>): Steps<DevicesFound> {
  const left: AuthorizedDevice[] = [];
  const [byKey, byName] = [new Map<string, AuthorizedDevice>(), new Map<string, AuthorizedDevice>()];
  for (const device of devices) {
    yield;
    if (keys.has(device.key)) continue;
    left.push(device);
    byKey.set(device.key, device);
    byName.set(device.name, device);
  }
  return { devices: left, byKey, byName, claims, defaults };
}
