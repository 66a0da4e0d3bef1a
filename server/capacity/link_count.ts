/**
 * How many devices a server has, counted as their links come and go: looking at each would take long with many.
 *
 * @module
 */

import { counted } from "../../base/table.ts";
import type { ServerEvent } from "../events.ts";

/** Links of devices, by what a server tells. */
export class LinkCount {
  /** Devices that have a link. */
  linked = 0;
  readonly #interrupted = new Set<string>();

  /** Devices whose session waits for another link. */
  get interrupted(): number {
    return this.#interrupted.size;
  }

  /** Something has happened. */
  take(event: ServerEvent): void {
    switch (event.type) {
      case "link-up":
        this.linked++;
        return;
      case "link-interrupted":
        this.linked--;
        this.#interrupted.add(event.device);
        return;
      case "link-resumed": // one that moved was not interrupted
        if (this.#interrupted.delete(event.device)) this.linked++;
        return;
      case "link-down":
        if (!this.#interrupted.delete(event.device)) this.linked--;
    }
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
