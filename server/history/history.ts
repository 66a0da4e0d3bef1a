/**
 * The history of a day: a point of the whole server each minute, one of each device with a session each ten.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { atOnce, inSlices, type Steps } from "../../base/slices.ts";
import type { ServerEvent } from "../events.ts";
import { DEVICE_STEP_MS, HISTORY_MS, HISTORY_STEP_MS, HISTORY_WRITE_MS, MAX_HISTORY_DEVICES } from "./limits.ts";
import type { ServerCore } from "../server.ts";
import { openHistoryFile } from "./file.ts";
import { LinkLosses } from "./link_losses.ts";
import { MemoryStore } from "./memory.ts";
import { type DevicePoint, type HistoryStore, joined, type KeyedPoint, type TotalPoint } from "./points.ts";
import { Traffic } from "./traffic.ts";

/** What of a server is looked at. */
export type Watched = Pick<ServerCore, "registry"> & {
  readonly settings: Pick<ServerCore["settings"], "clients"> & { readonly clock: Clock; readonly logger: Logger };
};

/** Watches a server, and keeps what it sees. */
export class History {
  /** How often devices lost their links of late. */
  readonly losses = new LinkLosses();
  readonly #core: Watched;
  readonly #clock: Clock;
  readonly #traffic = new Traffic();
  #store: HistoryStore = new MemoryStore();
  #why: string | undefined = "it has just begun";
  #points: TotalPoint[] = [];
  #unwritten: TotalPoint[] = [];
  #lost = 0;
  #refused = 0;
  #cancel: () => void = () => {};
  #looking: Promise<void> = Promise.resolve();
  #isOver = false;

  /** Nothing is watched yet. */
  constructor(core: Watched) {
    this.#core = core;
    this.#clock = core.settings.clock;
  }

  /** Why it is in memory alone, if it is. */
  get why(): string | undefined {
    return this.#why;
  }

  /** Takes an event. */
  add(event: ServerEvent): void {
    if (event.type === "client-end") this.#traffic.end(event);
    else if (event.type === "refused" && event.reason !== "mute") this.#refused++; // health checks came for no more
    else if (this.losses.add(event, this.#clock.now())) this.#lost++;
  }

  /** Begins, with the file in a state's folder if there is one and it can be had. */
  async start(folder: string | undefined): Promise<void> {
    const from = this.#clock.wall() - HISTORY_MS;
    try {
      this.#why = "the server has no state";
      if (folder !== undefined) {
        this.#store = await openHistoryFile(folder);
        this.#why = undefined;
        this.#points = this.#store.totals(from);
      }
    } catch (error) {
      this.#inMemory(error);
    }
    if (this.#isOver) return this.#store.close();
    this.#wait();
  }

  /** Writes what is not written, and ends. Idempotent. */
  async close(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    await this.#looking;
    try {
      atOnce(this.#store.save(this.#unwritten, []));
    } catch (error) {
      this.#inMemory(error);
    }
    this.#store.close();
  }

  /** Points of the whole server, in steps of so many milliseconds. */
  totals(step: number): TotalPoint[] {
    const from = this.#clock.wall() - HISTORY_MS;
    const points = this.#points.filter(({ time }) => time > from);
    return step === HISTORY_STEP_MS ? points : joined(points, step);
  }

  /** Points of the device of a public key. */
  device(key: string): DevicePoint[] {
    try {
      return this.#store.device(key, this.#clock.wall() - HISTORY_MS);
    } catch (error) {
      this.#inMemory(error);
      return [];
    }
  }

  /** Waits for the end of the minute, of the wall clock. */
  #wait(): void {
    const rest = HISTORY_STEP_MS - this.#clock.wall() % HISTORY_STEP_MS;
    const left = rest < HISTORY_STEP_MS / 10 ? rest + HISTORY_STEP_MS : rest; // a timer may come a little early
    this.#cancel = this.#clock.after(left, () => {
      const time = Math.round(this.#clock.wall() / HISTORY_STEP_MS) * HISTORY_STEP_MS;
      this.#looking = this.#look(time).catch((error) => this.#inMemory(error)).finally(() => {
        if (!this.#isOver) this.#wait();
      });
    });
  }

  async #look(time: number): Promise<void> {
    const each = time % DEVICE_STEP_MS === 0;
    const { total, devices } = await inSlices(this.#see(time, each), this.#clock);
    this.#points.push(total);
    this.#unwritten.push(total);
    if (this.#points.length > HISTORY_MS / HISTORY_STEP_MS) this.#points.shift();
    if (time % HISTORY_WRITE_MS !== 0) return;
    const totals = this.#unwritten;
    this.#unwritten = [];
    await inSlices(this.#store.save(totals, devices), this.#clock, 1);
  }

  *#see(time: number, each: boolean): Steps<{ total: TotalPoint; devices: KeyedPoint[] }> {
    const { registry, settings: { clients } } = this.#core;
    const carried = yield* this.#traffic.look(clients, each);
    const devices: KeyedPoint[] = [];
    const roundTrips: number[] = [];
    let [online, interrupted] = [0, 0];
    for (const { link, device, deviceName } of registry?.sessions ?? []) {
      yield;
      if (!link) continue;
      const isOnline = link.links.interruptedAt === undefined;
      if (isOnline) online++;
      else interrupted++;
      const { roundTrip, channelCount } = link.state;
      if (isOnline && roundTrip !== undefined) roundTrips.push(roundTrip);
      if (!each || devices.length >= MAX_HISTORY_DEVICES) continue;
      const { up, down } = carried.devices.get(deviceName) ?? { up: 0, down: 0 };
      devices.push([device.key, {
        time,
        clients: channelCount,
        bytesUp: up,
        bytesDown: down,
        roundTrip: isOnline ? roundTrip ?? null : null,
      }]);
    }
    const sorted = Float64Array.from(roundTrips).sort();
    const [losses, refused] = [this.#lost, this.#refused];
    this.#lost = 0;
    this.#refused = 0;
    const total = {
      time,
      online,
      interrupted,
      clients: clients.size,
      bytesUp: carried.all.up,
      bytesDown: carried.all.down,
      roundTrip: sorted[sorted.length >> 1] ?? null,
      roundTripMost: sorted.at(-1) ?? null,
      losses,
      refused,
    };
    return { total, devices };
  }

  /** Goes on without the file. */
  #inMemory(error: unknown): void {
    const first = this.#why === undefined;
    this.#why = describeError(error);
    if (first) this.#store.close();
    this.#store = new MemoryStore();
    const say = this.#core.settings.logger;
    const otherwise = "if that lasts, remove history.sqlite of the state while the server does not run";
    say.warn(`the history of the dashboard is kept in memory alone: {error}; ${otherwise}`, { error: this.#why });
  }
}
