/**
 * What the device's resources are read from, and what acts on them.
 *
 * @module
 */

import type { EventRing } from "../../app/admin/event_ring.ts";
import type { Registry } from "../../app/metrics/registry.ts";
import type { Reloaded } from "../../app/reload/report.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import type { DeviceEvent } from "../events.ts";
import type { DeviceHandle } from "../handle.ts";

/** What routes work with. */
export interface DeviceContext {
  readonly device: DeviceHandle;
  readonly events: EventRing<DeviceEvent>;
  readonly metrics: Registry;
  /** What sockets are made with. */
  readonly engine: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** When the device started, by the wall clock. */
  readonly started: number;
  /** Whether its services stand in its options, in place of those of its state. */
  hasOwnServices(): boolean;
  /** Reads the configuration anew. @throws {ConfigError} if it cannot be in force; nothing has changed then. */
  reload(): Promise<Reloaded>;
}
