/**
 * `device --metrics`: where a device's metrics are. What serves them is loaded then.
 *
 * @module
 */

import { printLine } from "../../app/command.ts";
import type { MetricsServer } from "../../app/metrics/listener.ts";
import type { Registry } from "../../app/metrics/registry.ts";
import type { Logger } from "../../base/logger.ts";
import type { Address } from "../../protocol/address.ts";
import type { DeviceSubject } from "./device_metrics.ts";

/** What is served. */
export interface ServedMetrics extends DeviceSubject {
  readonly registry: Registry;
  /** Whether lines on stdout are JSON. */
  readonly json: boolean;
}

/**
 * Serves them, and says where. The device is ready while it has a link.
 *
 * @throws {ListenError} if the address cannot be had; {ConfigError} if the state's folder cannot be used.
 */
export async function openMetrics(
  { device, clock, registry, json }: ServedMetrics,
  at: Address,
  folder: string,
  logger: Logger,
): Promise<MetricsServer> {
  const { serveMetrics } = await import("../../app/metrics/listener.ts");
  const whyNotReady = () => device.state === "online" ? undefined : `the device is ${device.state}`;
  const server = await serveMetrics({ address: at, folder, registry, clock, logger, whyNotReady });
  const { address } = server;
  logger.info("metrics at {address}", { address });
  printLine(json ? JSON.stringify({ type: "metrics", address }) : `metrics ${address}`);
  return server;
}
