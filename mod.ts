/**
 * Sallyport as a library: `serve` on the public host, `connectDevice` on the gateway.
 *
 * A v2 server needs an {@linkcode Identity} and a directory of devices, such as {@linkcode DeviceList}; a v2 device needs
 * an {@linkcode Identity}, the server's public key and its services by name, or the string that `server enroll` printed:
 * {@linkcode joinFromString}. `examples/library.ts` has both sides.
 *
 * @module
 */

export { type Address, formatAddress, parseAddress } from "./protocol/address.ts";
export {
  decodeEnrolment,
  encodeEnrolment,
  type Enrolment,
  type Security,
  SECURITY_MODES,
  TOKEN_ID_SIZE,
  TOKEN_SECRET_SIZE,
} from "./protocol/enrolment.ts";
export { type Goodbye, GOODBYE_CODES, type GoodbyeCode } from "./protocol/v2/wire/goodbye.ts";
export type { BytesOfDay } from "./relay/link/day_bytes.ts";
export {
  ADAPTIVE_KEEP_ALIVE,
  type Endpoint,
  KEEP_ALIVE_MODES,
  type KeepAliveChoice,
  type KeepAliveMode,
  type KeepAliveSettings,
  METERED_KEEP_ALIVE,
  V1_KEEP_ALIVE,
  V2_KEEP_ALIVE,
} from "./protocol/keep_alive.ts";
export {
  CHANNEL_END_REASONS,
  type ChannelEndReason,
  LINK_END_REASONS,
  type LinkEndReason,
  REFUSAL_REASONS,
  type RefusalReason,
} from "./protocol/reasons.ts";
export { DEVICE_MODES, type DeviceMode } from "./protocol/v2/wire/messages.ts";
export type { Clock, Time } from "./base/clock.ts";
export type { ProxyCredentials, ProxyOptions } from "./net/dial/http_proxy.ts";
export {
  createIdentity,
  fingerprint,
  formatPublicKey,
  type Identity,
  identityFromPem,
  identityToPem,
  parsePublicKey,
} from "./net/tls/identity.ts";
export { type EngineChoice, EngineError } from "./net/engines.ts";
export type { TcpFacts } from "./net/socket.ts";
export { ListenError } from "./net/listener.ts";
export { UnprovableError } from "./net/tls/proof.ts";
export type { LogFields, Logger } from "./base/logger.ts";
export { CertificateError } from "./net/tls/certificate_files.ts";
export type { TlsSource } from "./net/tls/listening.ts";
export type { CertificateFiles } from "./net/tls/certificate_files.ts";
export type { AuthorizedDevice, DevicesChange } from "./server/devices/authorized_devices.ts";
export { DeviceList } from "./server/devices/list.ts";
export type { ServedService } from "./server/v2/open_service.ts";
export type { UdpDetails } from "./net/udp/address.ts";
export type { DatagramCounts } from "./net/udp/counts.ts";
export type { ClientState, ServedClient } from "./server/ports/client_table.ts";
export type { IncompatibleDevice, ModeChange, ServedDevice } from "./server/handle/device_status.ts";
export { ConnectError, type ConnectOptions, type RemoteConnection } from "./server/handle/connect.ts";
export type { DeviceOnServer } from "./server/handle/served_device.ts";
export { ConnectionLostError, IncompatibleError } from "./relay/peer_errors.ts";
export type { ServedV1Link, ServedV1Service } from "./server/v1/link_status.ts";
export * from "./server/events.ts";
export type {
  DeviceDirectory,
  EnrolmentDesk,
  Forward,
  ListenOptions,
  PortMemory,
  ServeOptions,
  V1ListenOptions,
  V2ListenOptions,
  V2Options,
} from "./server/options.ts";
export type { AccessRules } from "./server/access/rules.ts";
export type { ClientRate } from "./server/access/client_rates.ts";
export type { ServerLimits } from "./server/capacity/server_limits.ts";
export { type OpenServiceOptions, serve, type ServerHandle } from "./server/server.ts";
export type { TurnedAway } from "./server/refusals/recent.ts";
export { type Opening, type OpeningChange, Openings } from "./server/access/openings.ts";
export type { Drain, DrainOptions } from "./server/ports/drains.ts";
export {
  eachService,
  formatGrantedAddress,
  type GrantedAddress,
  type GrantedPlace,
  parseGrant,
  parseGrantedAddress,
  type ServiceGrant,
} from "./server/devices/service_grant.ts";
export type { UnixHostAddress } from "./server/ports/unix_host.ts";
export { connectDevice } from "./device/device.ts";
export { type EnrolmentOptions, enrolmentOptions, joinFromString, type JoinOptions } from "./device/join.ts";
export type { ClientFacts } from "./device/clients.ts";
export type { DeviceClient } from "./device/clients.ts";
export type { DeviceHandle, DeviceOutage, DeviceState, DeviceStatus } from "./device/handle.ts";
export * from "./device/events.ts";
export type { LinkFacts } from "./device/reconnect/link_maker.ts";
export { parseAllow } from "./device/v2/allowed_targets.ts";
export { type NamedService, parseNamedService, parseNamedServices } from "./device/v2/named_service.ts";
export {
  type CommonDeviceOptions,
  type DeviceOptions,
  type V1DeviceOptions,
  type V2DeviceOptions,
} from "./device/options.ts";
export type { ServiceStatus } from "./device/v2/service_board.ts";
export type { EndpointState } from "./device/endpoints/endpoint.ts";
export { parseService, type ServiceRule } from "./device/services.ts";
export { tcpRemoteConnect, type TcpRemoteConnectOptions } from "./device/tcp_remote_connect.ts";
export { type BusPlace, type CanEndpoint, parseCanEndpoint } from "./can/endpoint.ts";
export { BusError } from "./can/bus/bus.ts";
export type { CanCalls } from "./can/bus/can_calls.ts";
export type { Readiness, Watch } from "./can/bus/readiness.ts";
export * from "./can/server/events.ts";
export { type CanServer, serveCan, type ServeCanOptions } from "./can/server/serve.ts";
export type { CanServiceOptions } from "./can/server/service.ts";
export type { WireChoice } from "./can/wires/detect.ts";
export type { WireName } from "./can/wire.ts";
export { formatSerialEndpoint, parseSerialEndpoint, type SerialEndpoint } from "./serial/endpoint.ts";
export { type Flow, FLOWS, type LineSettings, PARITIES, type Parity } from "./serial/settings.ts";
export type { ConnectionEnds, InterfaceAddress, NetworkState, ReadNetwork } from "./net/network_watch.ts";
