/**
 * Sallyport as a library: `serve` on the public host, `connectDevice` on the gateway.
 *
 * @module
 */

export { type Address, formatAddress, parseAddress } from "./protocol/address.ts";
export type { KeepAliveSettings } from "./protocol/keep_alive.ts";
export {
  CHANNEL_END_REASONS,
  type ChannelEndReason,
  LINK_END_REASONS,
  type LinkEndReason,
} from "./protocol/reasons.ts";
export type { Clock } from "./net/clock.ts";
export { ListenError } from "./net/listener.ts";
export type { LogFields, Logger } from "./net/logger.ts";
export * from "./server/events.ts";
export type { Forward, ListenOptions, ServeOptions } from "./server/options.ts";
export { serve, type ServerHandle } from "./server/server.ts";
export { connectDevice, type DeviceHandle, type DeviceState } from "./device/device.ts";
export * from "./device/events.ts";
export { type DeviceOptions, V1_KEEP_ALIVE, type V1DeviceOptions, type V2DeviceOptions } from "./device/options.ts";
export { parseService, type ServiceRule } from "./device/services.ts";
export { tcpRemoteConnect, type TcpRemoteConnectOptions } from "./device/tcp_remote_connect.ts";
