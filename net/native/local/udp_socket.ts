/**
 * Sockets of UDP of the kernel's own. What is bound to all addresses answers from the one that was sent to.
 *
 * @module
 */

import type { Address } from "../../../protocol/address.ts";
import { EAGAIN, EINTR, EMSGSIZE, socketError } from "../../kernel/errno.ts";
import { AF_INET6, type Calls, CLOEXEC, IS_LITTLE_ENDIAN, libc, MSG_NOSIGNAL, NONBLOCK } from "../../kernel/libc.ts";
import { SOCK_DGRAM, SOCKADDR_SIZE } from "../../kernel/libc.ts";
import { AddressRoom, kernelAddress, localAddressOf } from "../../kernel/socket_address.ts";
import type { DatagramHandler, DatagramPeer, DatagramSocket, SendFate } from "../../udp/socket.ts";
import { type EventLoop, type Watcher, WHILE_READABLE } from "../event_loop.ts";
import { DATAGRAM_BUFFER, DATAGRAMS_PER_PASS } from "../limits.ts";
import { droppedUnread, setReceiveBuffer, tellLocalAddress } from "../options.ts";

const ECONNREFUSED = 111;
const EHOSTUNREACH = 113;

/** Opens a socket for all who send to `address`. @throws What the kernel says. */
export function bindUdp(loop: EventLoop, address: Address, handler: DatagramHandler): DatagramSocket {
  const { family, bytes } = kernelAddress(address);
  return open(loop, family, (fd) => {
    const isEverywhere = bytes.subarray(family === AF_INET6 ? 8 : 4).every((byte) => byte === 0);
    if (isEverywhere) tellLocalAddress(loop.calls, fd, family === AF_INET6);
    if (loop.calls.bind(fd, bytes, bytes.length) !== 0) throw socketError(loop.calls.errno());
    return new BoundUdp(loop, fd, handler);
  });
}

/** Opens one that speaks with `address` alone. @throws What the kernel says. */
export function connectUdp(loop: EventLoop, address: Address, handler: DatagramHandler): DatagramSocket {
  const { family, bytes } = kernelAddress(address);
  return open(loop, family, (fd) => {
    if (loop.calls.connect(fd, bytes, bytes.length) !== 0) throw socketError(loop.calls.errno());
    return new ConnectedUdp(loop, fd, handler, { address });
  });
}

function open<S>({ calls }: EventLoop, family: number, make: (fd: number) => S): S {
  const fd = calls.socket(family, SOCK_DGRAM | NONBLOCK | CLOEXEC, 0);
  if (fd < 0) throw socketError(calls.errno());
  try {
    setReceiveBuffer(calls, fd, DATAGRAM_BUFFER);
    return make(fd);
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** What both kinds have; it owns the descriptor. */
abstract class UdpSocket implements DatagramSocket, Watcher {
  readonly address: Address;
  protected readonly loop: EventLoop;
  protected readonly handler: DatagramHandler;
  protected fd: number;
  #unread = 0; // when it was closed

  /** @throws If the kernel cannot watch it; the caller closes it then. */
  constructor(loop: EventLoop, fd: number, handler: DatagramHandler) {
    this.loop = loop;
    this.handler = handler;
    this.fd = fd;
    this.address = localAddressOf(loop.calls, fd);
    loop.add(fd, this, WHILE_READABLE);
  }

  onReady(): void {
    for (let left = DATAGRAMS_PER_PASS; left > 0 && this.fd >= 0; left--) {
      const size = this.receive();
      if (size >= 0) this.told(size);
      else {
        const errno = this.loop.calls.errno();
        if (errno === EAGAIN) return;
        if (isRefusal(errno)) this.handler.onRefused();
        else if (errno !== EINTR) return; // the next one may still go well
      }
    }
  }

  send(bytes: Uint8Array, to?: DatagramPeer): SendFate {
    if (this.fd < 0) return "lost";
    for (;;) {
      if (this.transmit(bytes, to) >= 0) return "sent";
      const errno = this.loop.calls.errno();
      if (errno !== EINTR) return isRefusal(errno) ? "refused" : errno === EMSGSIZE ? "oversized" : "lost";
    }
  }

  get unread(): number {
    return this.fd < 0 ? this.#unread : droppedUnread(this.loop.calls, this.fd);
  }

  close(): Promise<void> {
    const { fd } = this;
    if (fd >= 0) {
      this.#unread = this.unread;
      this.fd = -1;
      this.loop.remove(fd);
      this.loop.calls.close(fd);
    }
    return Promise.resolve();
  }

  /** Receives one into {@linkcode room}. @returns its size, or less than 0. */
  protected abstract receive(): number;
  /** Tells of what was received. */
  protected abstract told(size: number): void;
  protected abstract transmit(bytes: Uint8Array, to: DatagramPeer | undefined): number;
}

function isRefusal(errno: number): boolean {
  return errno === ECONNREFUSED || errno === EHOSTUNREACH;
}

class ConnectedUdp extends UdpSocket {
  readonly #peer: DatagramPeer;

  constructor(loop: EventLoop, fd: number, handler: DatagramHandler, peer: DatagramPeer) {
    super(loop, fd, handler);
    this.#peer = peer;
  }

  protected receive(): number {
    const { payload } = messages().incoming;
    return this.loop.calls.recvNow(this.fd, payload, payload.length, 0);
  }

  protected told(size: number): void {
    this.handler.onDatagram(messages().incoming.payload.subarray(0, size), "", () => this.#peer);
  }

  protected transmit(bytes: Uint8Array): number {
    return this.loop.calls.sendNow(this.fd, bytes as Uint8Array<ArrayBuffer>, bytes.length, MSG_NOSIGNAL);
  }
}

/** Where answers go, as the kernel has it. */
interface KernelPeer extends DatagramPeer {
  readonly name: Uint8Array;
  /** Which of this machine's addresses it sent to, as a control message; none where there is but one. */
  readonly control: Uint8Array;
}

class BoundUdp extends UdpSocket {
  readonly #io: Pick<Calls, "recvmsg" | "sendmsg"> = libc()!;

  protected receive(): number {
    const { incoming } = messages();
    incoming.reset();
    return this.#io.recvmsg(this.fd, incoming.header, 0);
  }

  protected told(size: number): void {
    const { incoming } = messages();
    this.handler.onDatagram(incoming.payload.subarray(0, size), incoming.key(), incoming.peer);
  }

  protected transmit(bytes: Uint8Array, to: KernelPeer): number {
    const { outgoing } = messages();
    outgoing.fill(bytes, to.name, to.control);
    return this.#io.sendmsg(this.fd, outgoing.header, MSG_NOSIGNAL);
  }
}

// A `struct msghdr` of 64-bit machines: name, its size, pieces, their number, control messages, their size, flags.
const HEADER_SIZE = 56;
const NAME_SIZE_AT = 8;
const CONTROL_SIZE_AT = 40;
const CONTROL_ROOM = 64;
const LARGEST = 65_536;
/** A `struct cmsghdr`: size, level, type. What it says stands behind it. */
const CONTROL_HEADER = 16;
const NOWHERE = new Uint8Array(0);
const keyText = new TextDecoder("latin1");

/** Room for a message of one piece. */
class MessageRoom {
  readonly header = new Uint8Array(HEADER_SIZE);
  readonly payload = new Uint8Array(LARGEST);
  readonly #address = new AddressRoom();
  readonly #control = new Uint8Array(CONTROL_ROOM);
  readonly #piece = new Uint8Array(16); // struct iovec
  readonly #view = new DataView(this.header.buffer);
  readonly #pieceView = new DataView(this.#piece.buffer);
  readonly #controlView = new DataView(this.#control.buffer);
  readonly #key = new Uint8Array(SOCKADDR_SIZE + CONTROL_ROOM);

  constructor() {
    const at = (bytes: Uint8Array<ArrayBuffer>) => Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes));
    this.#pieceView.setBigUint64(0, at(this.payload), IS_LITTLE_ENDIAN);
    this.#view.setBigUint64(0, at(this.#address.bytes), IS_LITTLE_ENDIAN);
    this.#view.setBigUint64(16, at(this.#piece), IS_LITTLE_ENDIAN);
    this.#view.setBigUint64(32, at(this.#control), IS_LITTLE_ENDIAN);
    setSize(this.#view, 24, 1);
  }

  /** Before one is received. */
  reset(): void {
    this.#view.setUint32(NAME_SIZE_AT, SOCKADDR_SIZE, IS_LITTLE_ENDIAN);
    setSize(this.#view, CONTROL_SIZE_AT, CONTROL_ROOM);
    setSize(this.#pieceView, 8, LARGEST);
  }

  /** Before one is sent. */
  fill(bytes: Uint8Array, name: Uint8Array, control: Uint8Array): void {
    this.payload.set(bytes);
    this.#address.bytes.set(name);
    this.#control.set(control);
    setSize(this.#pieceView, 8, bytes.length);
    this.#view.setUint32(NAME_SIZE_AT, name.length, IS_LITTLE_ENDIAN);
    setSize(this.#view, CONTROL_SIZE_AT, control.length);
  }

  /** Whom it came from, and to which address of this machine. */
  key(): string {
    const name = this.#name();
    const to = this.#localAddress();
    this.#key.set(name.subarray(2));
    this.#key.set(to, name.length - 2);
    return keyText.decode(this.#key.subarray(0, name.length - 2 + to.length));
  }

  readonly peer = (): KernelPeer => {
    const address = this.#address.read();
    const to = this.#localAddress();
    if (to.length === 0) return { address, name: this.#name().slice(), control: NOWHERE };
    // In an answer: the address to send from, and no interface but where the address has one of its own.
    const size = this.#controlView.getUint32(0, IS_LITTLE_ENDIAN);
    const control = new Uint8Array(CONTROL_HEADER + (to.length === 4 ? 16 : 24)); // in words of 8 bytes
    control.set(this.#control.subarray(0, size));
    if (to.length === 4) {
      control.fill(0, CONTROL_HEADER, CONTROL_HEADER + 4);
      control.fill(0, CONTROL_HEADER + 8, CONTROL_HEADER + 12);
    } else if (!(to[0] === 0xfe && (to[1]! & 0xc0) === 0x80)) {
      control.fill(0, CONTROL_HEADER + 16, CONTROL_HEADER + 20);
    }
    return { address, name: this.#name().slice(), control };
  };

  #name(): Uint8Array {
    return this.#address.bytes.subarray(0, this.#view.getUint32(NAME_SIZE_AT, IS_LITTLE_ENDIAN));
  }

  /** Of `struct in_pktinfo` the address to answer from, of `struct in6_pktinfo` the address. */
  #localAddress(): Uint8Array {
    const filled = this.#view.getUint32(CONTROL_SIZE_AT + (IS_LITTLE_ENDIAN ? 0 : 4), IS_LITTLE_ENDIAN);
    if (filled < CONTROL_HEADER) return NOWHERE;
    const size = this.#controlView.getUint32(0, IS_LITTLE_ENDIAN);
    return size === CONTROL_HEADER + 12
      ? this.#control.subarray(CONTROL_HEADER + 4, CONTROL_HEADER + 8)
      : this.#control.subarray(CONTROL_HEADER, CONTROL_HEADER + 16);
  }
}

/** Sets a `size_t` below 2³². */
function setSize(view: DataView, at: number, size: number): void {
  view.setUint32(at + (IS_LITTLE_ENDIAN ? 0 : 4), size, IS_LITTLE_ENDIAN);
}

let rooms: { readonly incoming: MessageRoom; readonly outgoing: MessageRoom } | undefined;

/** Shared by all sockets: what they do with them is done at once. */
function messages(): NonNullable<typeof rooms> {
  return rooms ??= { incoming: new MessageRoom(), outgoing: new MessageRoom() };
}
