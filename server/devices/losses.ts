/**
 * Who would lose access by a change of the file of devices, and whether that looks like a mistake: a disk that was full,
 * an editor that is half through, a template that rendered nothing.
 *
 * @module
 */

import { MASS_LOSS_FLEET } from "../limits.ts";
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
