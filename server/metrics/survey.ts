/**
 * What metrics have to look for among all devices and clients: looked at a slice at a time, before each reading.
 *
 * @module
 */

import { MAX_METRICS_DEVICES } from "../limits.ts";
import { Rising } from "../../app/metrics/shared.ts";
import { inSlices, type Steps } from "../../base/slices.ts";
import type { ClientEndEvent } from "../events.ts";
import type { ClientState } from "../ports/client_table.ts";
import type { ServerCore } from "../server.ts";
import { V1Listener } from "../v1/listener.ts";

/** Bytes both ways. */
export interface Carried {
  up: number;
  down: number;
}

/** A device, as its series need it. */
export interface SurveyedDevice {
  readonly name: string;
  readonly online: boolean;
  readonly channels: number;
  readonly pending: number;
  /** Seconds. */
  readonly roundTrip: number | undefined;
  readonly carried: Carried;
}

/** What a device's clients have carried. */
interface DeviceBytes {
  /** Those that have ended. */
  readonly ended: Carried;
  readonly up: Rising;
  readonly down: Rising;
}

/** Which series there are; it may change. */
export interface DeviceSeries {
  /** Whether each device is to have its own. */
  perDevice: boolean;
}

/** What was seen. */
export class Survey {
  online = 0;
  interrupted = 0;
  pending = 0;
  openPorts = 0;
  /** Seconds, rising. */
  roundTrips: readonly number[] = [];
  readonly clients: Record<ClientState, number> = { waiting: 0, open: 0, leaving: 0 };
  readonly carried: Carried = { up: 0, down: 0 };
  /** Nothing beyond `MAX_METRICS_DEVICES`, and if nobody wants them. */
  devices: readonly SurveyedDevice[] = [];

  readonly #core: ServerCore;
  readonly #series: DeviceSeries;
  readonly #ended: Carried = { up: 0, down: 0 };
  readonly #up = new Rising();
  readonly #down = new Rising();
  readonly #bytes = new Map<string, DeviceBytes>();
  #looking: Promise<void> | undefined;

  /** Of a server. */
  constructor(core: ServerCore, series: DeviceSeries) {
    this.#core = core;
    this.#series = series;
  }

  /** Whether each device has its series. */
  get showsDevices(): boolean {
    return this.#series.perDevice && (this.#core.registry?.count ?? 0) <= MAX_METRICS_DEVICES;
  }

  /** A client has ended: it is in the table no more. */
  clientEnded({ device, bytesUp, bytesDown }: ClientEndEvent): void {
    this.#ended.up += bytesUp;
    this.#ended.down += bytesDown;
    if (device === undefined || !this.showsDevices) return;
    const { ended } = this.#bytesOf(device);
    ended.up += bytesUp;
    ended.down += bytesDown;
  }

  /** Looks again; those who ask meanwhile share a look. */
  look(): Promise<void> {
    return this.#looking ??= inSlices(this.#steps(), this.#core.settings.clock).finally(() =>
      this.#looking = undefined
    );
  }

  *#steps(): Steps<void> {
    const live = yield* this.#lookAtClients();
    yield* this.#lookAtDevices(live);
  }

  /** @returns what the clients that are there have carried, by device. */
  *#lookAtClients(): Steps<Map<string, Carried>> {
    const byDevice = new Map<string, Carried>();
    const states = { waiting: 0, open: 0, leaving: 0 };
    const all: Carried = { up: 0, down: 0 };
    for (const client of this.#core.settings.clients) {
      const { device, state, bytesUp, bytesDown } = client.describe();
      states[state]++;
      all.up += bytesUp;
      all.down += bytesDown;
      if (device !== undefined && this.showsDevices) {
        let carried = byDevice.get(device);
        if (!carried) byDevice.set(device, carried = { up: 0, down: 0 });
        carried.up += bytesUp;
        carried.down += bytesDown;
      }
      yield;
    }
    Object.assign(this.clients, states);
    this.carried.up = this.#up.of(this.#ended.up + all.up);
    this.carried.down = this.#down.of(this.#ended.down + all.down);
    return byDevice;
  }

  *#lookAtDevices(live: ReadonlyMap<string, Carried>): Steps<void> {
    let [online, interrupted, pending, openPorts] = [0, 0, 0, 0];
    const trips: number[] = [];
    const devices: SurveyedDevice[] = [];
    const shows = this.showsDevices;
    const names = new Set<string>();
    for (const session of this.#core.registry?.sessions ?? []) {
      yield;
      const { link, deviceName: name } = session;
      const isOnline = link !== undefined && link.links.interruptedAt === undefined;
      if (isOnline) online++;
      else if (link) interrupted++;
      const waiting = link?.links.pending ?? 0;
      pending += waiting;
      const trip = isOnline ? link.state.roundTrip : undefined;
      const roundTrip = trip === undefined ? undefined : trip / 1000;
      if (roundTrip !== undefined) trips.push(roundTrip);
      for (const { open } of session.services) if (open) openPorts++;
      if (!shows) continue;
      names.add(name);
      const channels = link?.state.channelCount ?? 0;
      const carried = this.#carriedBy(name, live.get(name));
      devices.push({ name, online: isOnline, channels, pending: waiting, roundTrip, carried });
    }
    for (const listener of this.#core.listeners) {
      if (!(listener instanceof V1Listener) || listener.device === undefined) continue;
      online++;
      pending += listener.pending;
    }
    for (const name of this.#bytes.keys()) if (!names.has(name)) this.#bytes.delete(name);
    this.roundTrips = trips.sort((a, b) => a - b);
    this.devices = devices;
    Object.assign(this, { online, interrupted, pending, openPorts });
  }

  #carriedBy(name: string, live: Carried = { up: 0, down: 0 }): Carried {
    const { ended, up, down } = this.#bytesOf(name);
    return { up: up.of(ended.up + live.up), down: down.of(ended.down + live.down) };
  }

  #bytesOf(name: string): DeviceBytes {
    let bytes = this.#bytes.get(name);
    if (!bytes) this.#bytes.set(name, bytes = { ended: { up: 0, down: 0 }, up: new Rising(), down: new Rising() });
    return bytes;
  }
}

/** The value below which a part of some rising numbers lies; `undefined` of none. */
export function quantile(rising: readonly number[], part: number): number | undefined {
  return rising[Math.max(0, Math.ceil(part * rising.length) - 1)];
}
