/**
 * What changes of a v2 device's services while clients are there: its mode, with time for them to leave, and which services
 * there are.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { DeviceMode } from "../../protocol/v2/wire/messages.ts";
import type { DeviceClients } from "../clients.ts";
import type { LinkFacts } from "../reconnect/link_maker.ts";
import type { NamedService } from "./named_service.ts";
import type { ServiceBoard, ServiceWay } from "./service_board.ts";

/** Changes a board, and sees to its clients. */
export class ServiceChanges {
  readonly #board: ServiceBoard;
  readonly #clock: Clock;
  readonly #clients: DeviceClients;
  #cancelDrain: () => void = () => {};
  /** Ways of services that are offered no more, while clients are on them. */
  readonly #retired = new Set<ServiceWay>();

  /** Of `board`, whose clients are in `clients`. */
  constructor(board: ServiceBoard, { clock, clients }: { readonly clock: Clock; readonly clients: DeviceClients }) {
    this.#board = board;
    this.#clock = clock;
    this.#clients = clients;
  }

  /** Which way the device is between two modes, while it has a session. */
  get modeChange(): LinkFacts["modeChange"] {
    if (this.#board.isDraining) return "runToConfig";
    const waits = this.#board.status.some(({ offered, hostAddress, error }) => offered && !hostAddress && !error);
    return waits && this.#board.mode === "run" ? "configToRun" : undefined;
  }

  /** Goes to another mode; to `config` only when clients have gone, or `drain` milliseconds are over. */
  setMode(mode: Exclude<DeviceMode, "init">, drain: number): void {
    this.#cancelDrain();
    if (mode === "run" || drain === 0 || this.#board.mode !== "run") return void (this.#board.mode = mode);
    this.#board.drain();
    const end = () => {
      this.#cancelDrain();
      this.#board.mode = mode;
    };
    let isOver = false;
    const cancel = this.#clock.after(drain, end);
    this.#cancelDrain = () => {
      isOver = true;
      cancel();
    };
    this.#clients.allGone().then(() => isOver || end());
  }

  /** Offers one more service, or another in the place of that of its name, whose clients stay. */
  put(service: NamedService): void {
    const before = this.#board.put(service);
    if (before) this.#retire(service.name, before);
  }

  /** Offers a service no more, and ends its clients. @returns whether there was one. */
  take(name: string): boolean {
    const way = this.#board.take(name);
    if (!way) return false;
    this.#retire(name, way);
    this.#clients.endService(name, "service-withdrawn");
    return true;
  }

  /** Nothing changes any more. Resolves when nothing is left of what clients had of services that are gone. */
  async close(): Promise<void> {
    this.#cancelDrain();
    await Promise.all([...this.#retired].map(({ reach }) => reach.close()));
  }

  /** The clients that a service has now go on; what stands behind it is let go when they have gone. */
  #retire(name: string, way: ServiceWay): void {
    this.#retired.add(way);
    this.#clients.gone(name).then(async () => {
      await way.reach.close();
      this.#retired.delete(way);
    });
  }
}
