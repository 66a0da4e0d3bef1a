/**
 * History where no file can be had: in memory, of fewer devices, and gone with the process.
 *
 * @module
 */

import { DEVICE_STEP_MS, HISTORY_MS, MAX_DEVICES_IN_MEMORY } from "./limits.ts";
import type { DevicePoint, HistoryStore, KeyedPoint, TotalPoint } from "./points.ts";

/** Keeps points of devices; those of the whole server are in memory anyway. */
export class MemoryStore implements HistoryStore {
  readonly #devices = new Map<string, DevicePoint[]>();

  *save(_totals: readonly TotalPoint[], devices: readonly KeyedPoint[]): Generator<void, void, void> {
    for (const [key, point] of devices) {
      yield;
      const points = this.#devices.get(key) ?? [];
      this.#devices.delete(key);
      points.push(point);
      if (points.length > HISTORY_MS / DEVICE_STEP_MS) points.shift();
      this.#devices.set(key, points);
      const [oldest] = this.#devices.keys();
      if (this.#devices.size > MAX_DEVICES_IN_MEMORY) this.#devices.delete(oldest!);
    }
  }

  totals(): TotalPoint[] {
    return [];
  }

  device(key: string, from: number): DevicePoint[] {
    return (this.#devices.get(key) ?? []).filter(({ time }) => time > from);
  }

  close(): void {}
}
