/**
 * What a daemon tells the service manager that started it: systemd, or whoever sets `NOTIFY_SOCKET`.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { MAX_STATUS_LINE, MIN_WATCHDOG_MS, STATUS_INTERVAL_MS } from "../limits.ts";
import { variable } from "../options.ts";
import { printable } from "../printable.ts";
import { monotonicMicroseconds, NotifySocket } from "./notify_socket.ts";

/** What it takes to tell a service manager anything. */
export interface ServiceManagerOptions {
  /** Sets the times at which it hears of this process. */
  readonly clock: Clock;
  /** Is told if it cannot be reached. */
  readonly logger: Logger;
  /** How the daemon is, in one line. */
  readonly status: () => string;
  /** Variables of the environment. @default {those of this process} */
  readonly environment?: (name: string) => string | undefined;
}

/** A service manager that waits to hear of this process. Whoever makes it disposes of it. */
export class ServiceManager implements Disposable {
  readonly #options: ServiceManagerOptions;
  readonly #socket: NotifySocket;
  /** What it has not heard yet, by name. */
  readonly #untold = new Map<string, string>();
  #statusTold = "";
  #isRunning = false;
  #isDeaf = false;
  #cancelStatus = () => {};
  #cancelWatchdog = () => {};

  private constructor(socket: NotifySocket, options: ServiceManagerOptions) {
    this.#socket = socket;
    this.#options = options;
    const period = this.#watchdogPeriod();
    if (period !== undefined) this.#watch(period);
    this.#watchStatus();
  }

  /** The one that the environment names; `undefined` if there is none, or it cannot be told anything, which is logged. */
  static find(options: ServiceManagerOptions): ServiceManager | undefined {
    const address = (options.environment ?? readVariable)("NOTIFY_SOCKET");
    if (address === undefined) return undefined;
    try {
      return new ServiceManager(NotifySocket.to(address), options);
    } catch (error) {
      options.logger.warn(
        "NOTIFY_SOCKET is {address}, and nobody is told there: {error}; a unit for this needs Type=exec, without WatchdogSec",
        { address, error: describeError(error) },
      );
      return undefined;
    }
  }

  /** The daemon runs. */
  ready(): void {
    this.#isRunning = true;
    this.reloaded();
  }

  /** The daemon has read anew what it reads. */
  reloaded(): void {
    if (!this.#isRunning) return;
    this.#untold.delete("RELOADING");
    this.#untold.delete("MONOTONIC_USEC");
    this.#untold.set("READY", "1");
    this.#tell();
  }

  /** The daemon reads something anew; {@linkcode ServiceManager.reloaded} ends that. */
  reloading(): void {
    if (!this.#isRunning) return;
    const now = monotonicMicroseconds();
    this.#untold.set("RELOADING", "1");
    if (now !== undefined) this.#untold.set("MONOTONIC_USEC", `${now}`);
    this.#tell();
  }

  /** The daemon ends. */
  stopping(): void {
    this.#isRunning = false;
    this.#cancelStatus();
    this.#untold.clear();
    this.#untold.set("STOPPING", "1").set("STATUS", "shutting down");
    this.#tell();
  }

  [Symbol.dispose](): void {
    this.#isRunning = false;
    this.#cancelStatus();
    this.#cancelWatchdog();
    this.#socket[Symbol.dispose]();
  }

  /** Sends what it has not heard, with how the daemon is if that has changed; what does not get there is sent again later. */
  #tell(): void {
    if (this.#isRunning) {
      const status = printable(this.#options.status()).slice(0, MAX_STATUS_LINE);
      if (status !== this.#statusTold) this.#untold.set("STATUS", status);
    }
    if (this.#untold.size === 0) return;
    const message = [...this.#untold].map(([name, value]) => `${name}=${value}\n`).join("");
    const taken = this.#socket.send(message);
    if (taken) {
      this.#statusTold = this.#untold.get("STATUS") ?? this.#statusTold;
      this.#untold.clear();
    } else if (!this.#isDeaf) {
      this.#options.logger.warn(
        "the service manager at NOTIFY_SOCKET does not take what it is told; it is tried again",
      );
    }
    this.#isDeaf = !taken;
  }

  #watchStatus(): void {
    this.#cancelStatus = this.#options.clock.after(STATUS_INTERVAL_MS, () => {
      this.#tell();
      this.#watchStatus();
    });
  }

  /** Says in every period that this process lives: a timer of its loop does, so that one which stands still says nothing. */
  #watch(period: number): void {
    this.#socket.send("WATCHDOG=1\n");
    this.#cancelWatchdog = this.#options.clock.after(period, () => this.#watch(period));
  }

  /** Milliseconds between two signs of life, half of what is asked for; `undefined` if nobody asks this process. */
  #watchdogPeriod(): number | undefined {
    const { environment = readVariable, logger } = this.#options;
    const [text, pid] = [environment("WATCHDOG_USEC"), environment("WATCHDOG_PID")];
    if (text === undefined || (pid !== undefined && pid !== `${Deno.pid}`)) return undefined;
    const period = /^[0-9]{1,15}$/.test(text) ? Math.floor(Number(text) / 2_000) : 0;
    if (period >= MIN_WATCHDOG_MS) return Math.min(period, 2 ** 31 - 1);
    logger.warn("WATCHDOG_USEC is {text}; without a watchdog, as that has to be a number from {least} on", {
      text,
      least: MIN_WATCHDOG_MS * 2_000,
    });
    return undefined;
  }
}

/** A variable of this process; one that may not be looked at is not set. */
function readVariable(name: string): string | undefined {
  try {
    return variable(name);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}
