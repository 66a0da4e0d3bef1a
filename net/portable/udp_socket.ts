/**
 * Sockets of UDP of the runtime's. It does not say to which of this machine's addresses a datagram came, nor that nobody
 * was there for one.
 *
 * @module
 */

import type { Socket } from "node:dgram";
import type { Address } from "../../protocol/address.ts";
import { formatAddress } from "../../protocol/address.ts";
import { MAX_PENDING_SENDS } from "../limits.ts";
import type { DatagramHandler, DatagramPeer, DatagramSocket, SendFate } from "../udp/socket.ts";

/** Opens a socket for all who send to `address`. @throws What the runtime says. */
export async function bindUdp({ host, port }: Address, handler: DatagramHandler): Promise<DatagramSocket> {
  return new PortableUdp(await open(host, port), handler, undefined);
}

/** Opens one that speaks with `address` alone. @throws What the runtime says. */
export async function connectUdp(address: Address, handler: DatagramHandler): Promise<DatagramSocket> {
  const host = address.host.includes(":") ? "::" : "0.0.0.0";
  return new PortableUdp(await open(host, 0), handler, { address });
}

async function open(host: string, port: number): Promise<Socket> {
  const { createSocket } = await import("node:dgram"); // not loaded where there is no service over UDP
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind(port, host, () => {
        socket.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

class PortableUdp implements DatagramSocket {
  readonly unread = 0;
  readonly address: Address;
  readonly #socket: Socket;
  readonly #peer: DatagramPeer | undefined;
  #pending = 0;
  #closed: Promise<void> | undefined;

  /** Takes over a socket. `peer`: whom alone it speaks with. */
  constructor(socket: Socket, handler: DatagramHandler, peer: DatagramPeer | undefined) {
    this.#socket = socket;
    this.#peer = peer;
    const { address: host, port } = socket.address();
    this.address = { host, port };
    const own = peer && formatAddress(peer.address);
    socket.on("message", (bytes, { address: host, port }) => {
      if (this.#closed) return;
      const from = { host, port };
      const key = formatAddress(from);
      if (own !== undefined && own !== key) return;
      handler.onDatagram(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), key, () => ({ address: from }));
    });
    socket.on("error", () => handler.onRefused());
  }

  send(bytes: Uint8Array, to = this.#peer): SendFate {
    if (this.#closed || !to || this.#pending >= MAX_PENDING_SENDS) return "lost";
    const { host, port } = to.address;
    this.#pending++;
    this.#socket.send(bytes.slice(), port, host, () => this.#pending--);
    return "sent";
  }

  close(): Promise<void> {
    return this.#closed ??= new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
