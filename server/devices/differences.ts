/**
 * What is different between two readings of the file of devices.
 *
 * @module
 */

import { DEVICES_A_CHANGE } from "../limits.ts";
import type { Steps } from "../../base/slices.ts";
import type { AuthorizedDevice } from "./entry.ts";
import type { DevicesFound } from "./reader.ts";

/** What a change of the file came to; a device is the same while its key is. */
export interface DevicesChange {
  /** Devices with a new key. */
  readonly added: readonly AuthorizedDevice[];
  /** Devices whose key is gone. */
  readonly removed: readonly AuthorizedDevice[];
  /** Devices with the same key of which anything else is different. */
  readonly changed: readonly { readonly before: AuthorizedDevice; readonly after: AuthorizedDevice }[];
  /** Whether the rules for all are others. */
  readonly defaults?: boolean;
}

/** A device's name, and the one that it has now. */
export type Renamed = readonly [before: string, after: string];

/** Devices that have another name: all at once, as some may have changed names with each other. */
export function renamedIn({ changed }: Pick<DevicesChange, "changed">): Renamed[] {
  return changed.map(({ before, after }) => [before.name, after.name] as const)
    .filter(([before, after]) => before !== after);
}

/**
 * The differences, in pieces. Whoever gives a name up is in one piece with whoever takes it: with two that change names with
 * each other, and with a device that has a new key under its old name. So names are nobody else's when they are told of.
 */
export function* findChanges(before: DevicesFound, after: DevicesFound): Steps<DevicesChange[]> {
  const pieces: DevicesChange[] = [];
  let piece = nothing();
  const count = () => {
    if (piece.added.length + piece.removed.length + piece.changed.length < DEVICES_A_CHANGE) return;
    pieces.push(piece);
    piece = nothing();
  };
  const told = new Set<AuthorizedDevice>();
  for (const first of before.devices) {
    yield;
    if (after.byKey.get(first.key) === first || told.has(first)) continue;
    const chain = [first];
    for (const device of chain) {
      yield;
      if (told.has(device)) continue;
      told.add(device);
      const now = after.byKey.get(device.key);
      if (!now) piece.removed.push(device);
      else if (JSON.stringify(now) !== JSON.stringify(device)) piece.changed.push({ before: device, after: now });
      if (now?.name === device.name) continue;
      const [taker, giver] = [after.byName.get(device.name), now && before.byName.get(now.name)];
      const takerBefore = taker && before.byKey.get(taker.key);
      if (takerBefore) chain.push(takerBefore);
      else if (taker) piece.added.push(taker);
      if (giver) chain.push(giver);
    }
    count();
  }
  for (const device of after.devices) {
    yield;
    // If its name was another's, that one has given it up, and it was told with that.
    if (before.byKey.has(device.key) || before.byName.has(device.name)) continue;
    piece.added.push(device);
    count();
  }
  if (piece.added.length + piece.removed.length + piece.changed.length > 0) pieces.push(piece);
  if (JSON.stringify(before.defaults) !== JSON.stringify(after.defaults)) {
    pieces.push({ added: [], removed: [], changed: [], defaults: true });
  }
  return pieces;
}

function nothing(): {
  added: AuthorizedDevice[];
  removed: AuthorizedDevice[];
  changed: { readonly before: AuthorizedDevice; readonly after: AuthorizedDevice }[];
} {
  return { added: [], removed: [], changed: [] };
}
