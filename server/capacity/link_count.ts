/**
 * How many devices a server has, counted as their links come and go: looking at each would take long with many.
 *
 * @module
 */

import { counted } from "../../base/table.ts";
import { type DevicesChange, renamedIn } from "../devices/differences.ts";
import type { ServerEvent } from "../events.ts";

/** Links of devices, by what a server tells. */
export class LinkCount {
  /** Devices that have a link. */
  linked = 0;
  /** Devices whose session waits for another link. */
  interrupted = 0;
  /** Those by name: two, where a device has got the name of one that is about to end. */
  readonly #waiting = new Map<string, number>();

  /** Something has happened. */
  take(event: ServerEvent): void {
    switch (event.type) {
      case "link-up":
        this.linked++;
        return;
      case "link-interrupted":
        this.linked--;
        this.#waits(event.device);
        return;
      case "link-resumed": // one that moved was not interrupted
        if (this.#waitsNoMore(event.device)) this.linked++;
        return;
      case "link-down":
        if (!this.#waitsNoMore(event.device)) this.linked--;
    }
  }

  /** The list of devices changed: one that is renamed while it is waited for comes back, or ends, by its new name. */
  devicesChanged(change: Pick<DevicesChange, "changed">): void {
    if (this.interrupted === 0) return;
    const waiting = renamedIn(change).filter(([before]) => this.#waitsNoMore(before));
    for (const [, after] of waiting) this.#waits(after);
  }

  #waits(device: string): void {
    this.interrupted++;
    this.#waiting.set(device, (this.#waiting.get(device) ?? 0) + 1);
  }

  /** @returns whether it was waited for. */
  #waitsNoMore(device: string): boolean {
    const count = this.#waiting.get(device);
    if (count === undefined) return false;
    this.interrupted--;
    if (count > 1) this.#waiting.set(device, count - 1);
    else this.#waiting.delete(device);
    return true;
  }

  /** One line for whoever runs the server, with how many clients there are. */
  describe(clients: number): string {
    return [
      counted(this.linked, "device"),
      ...(this.interrupted > 0 ? [`${this.interrupted} interrupted`] : []),
      counted(clients, "client"),
    ].join(", ");
  }
}
