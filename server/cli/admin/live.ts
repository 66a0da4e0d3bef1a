/**
 * What the server that runs knows of its devices, for commands that go by files and show that beside.
 *
 * @module
 */

import { askIfThere } from "../../../app/admin/cli/place.ts";
import type { Device } from "../../admin/schemas.ts";
import { type LiveDevice, readLiveState } from "../../state/live_state.ts";
import { listed } from "./ask.ts";

/**
 * The devices that came since the server runs, by their keys; `undefined` if none runs. They are asked for by the socket
 * in `folder`; a server that has none leaves a file.
 */
export async function liveDevices(folder: string): Promise<ReadonlyMap<string, LiveDevice> | undefined> {
  const live = await askIfThere({ folder, admin: undefined, tokenFile: undefined }, async (client) => {
    const found = new Map<string, LiveDevice>();
    for await (const device of listed<Device>(client, "/v1/devices")) {
      if (device.since !== null || device.incompatible !== null) found.set(device.key, liveOf(device));
    }
    return found;
  });
  return live ?? await readLiveState(folder);
}

function liveOf(device: Device): LiveDevice {
  const { key, link, since, remote, services, mode, software, versions, clockOffset, incompatible, draining } = device;
  return {
    mode,
    software: software ?? undefined,
    versions: pairOf(versions),
    clockOffset: clockOffset ?? undefined,
    ...(incompatible && {
      incompatible: { ...incompatible, versions: pairOf(incompatible.versions)!, at: Date.parse(incompatible.at) },
    }),
    ...(draining && { draining }),
    key,
    online: link === "online",
    interrupted: link === "interrupted",
    since: since === null ? undefined : Date.parse(since),
    remote: link === "offline" ? undefined : remote ?? undefined,
    services: services.flatMap(({ name, hostAddress, granted, open, error }) =>
      open || error !== null ? { name, hostAddress: hostAddress ?? granted ?? "", open, error: error ?? undefined } : []
    ),
  };
}

function pairOf(versions: readonly number[] | null): readonly [number, number] | undefined {
  const [lowest, highest] = versions ?? [];
  return lowest === undefined || highest === undefined ? undefined : [lowest, highest];
}
