/**
 * `device --metrics`: where a device's metrics are.
 *
 * @module
 */

import { type MetricsServer, serveMetrics } from "../../app/metrics/listener.ts";
import type { Logger } from "../../base/logger.ts";
import type { Address } from "../../protocol/address.ts";
import { deviceMetrics, type DeviceSubject } from "./device_metrics.ts";

/**
 * Serves them. The device is ready while it has a link.
 *
 * @throws {ListenError} if the address cannot be had; {ConfigError} if the state's folder cannot be used.
 */
export async function openMetrics(
  subject: DeviceSubject,
  address: Address,
  folder: string,
  logger: Logger,
): Promise<MetricsServer> {
  const { device, clock } = subject;
  const registry = deviceMetrics(subject);
  const whyNotReady = () => device.state === "online" ? undefined : `the device is ${device.state}`;
  const server = await serveMetrics({ address, folder, registry, clock, logger, whyNotReady });
  logger.info("metrics at {address}", { address: server.address });
  return server;
}
