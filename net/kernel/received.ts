/**
 * How much of a connection's bytes the kernel has received: of a handshake that failed, the runtime does not tell.
 *
 * @module
 */

import { descriptorOf } from "./descriptors.ts";
import { IPPROTO_TCP, libc } from "./libc.ts";

const TCP_INFO = 11;
/** Of `tcpi_bytes_received` in a `struct tcp_info` (Linux 4.1). */
const RECEIVED_AT = 128;

/**
 * Whether the peer of a connection that has ended sent anything before its end. Where that cannot be had, as when it
 * was reset, the answer is no.
 */
export function hasReceived(conn: Deno.Conn<Deno.NetAddr>): boolean {
  const calls = libc();
  const fd = calls && descriptorOf(conn);
  if (fd === undefined) return false;
  const info = new BigUint64Array((RECEIVED_AT + 8) / 8);
  const size = new Uint32Array([info.byteLength]);
  if (calls!.getsockopt(fd, IPPROTO_TCP, TCP_INFO, new Uint8Array(info.buffer), size) !== 0) return false;
  return size[0]! === info.byteLength && info[RECEIVED_AT / 8]! > 1n; // its end counts as one
}
