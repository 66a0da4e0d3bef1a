/**
 * SocketCAN: a bus of the kernel of Linux, through a raw socket.
 *
 * @module
 */

import { CLOEXEC, NONBLOCK, SOCK_RAW, SOL_SOCKET } from "../../net/kernel/libc.ts";
import type { Clock } from "../../base/clock.ts";
import { type CanFrame, FD } from "../frame.ts";
import { BUS_READ_FRAMES, BUS_RECEIVE_BUFFER } from "../limits.ts";
import { type Backend, type Bus, BusError, type BusListener, type BusSettings } from "./bus.ts";
import { type CanCalls, canCalls } from "./can_calls.ts";
import {
  EACCES,
  EAFNOSUPPORT,
  EAGAIN,
  ENETDOWN,
  ENOBUFS,
  ENODEV,
  ENXIO,
  EPERM,
  EPROTONOSUPPORT,
  errnoName,
} from "../../net/kernel/errno.ts";
import { linkBitrate } from "./link_bitrate.ts";
import { pollReadiness, type Readiness, type Watch } from "./readiness.ts";
import {
  AF_CAN,
  canAddress,
  FD_FRAME_SIZE,
  interfaceRequest,
  optionValue,
  readStruct,
  readTime,
  requestFlags,
  requestNumber,
  writeStruct,
} from "./socketcan_frames.ts";

const CAN_RAW = 1;
const SOL_CAN_RAW = 101;
const ERR_FILTER = 2;
const FD_FRAMES = 5;
const ALL_ERRORS = 0x1fff_ffff;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SIOCGSTAMP = 0x8906n;
const SIOCGIFFLAGS = 0x8913n;
const SIOCGIFMTU = 0x8921n;
const SIOCGIFINDEX = 0x8933n;
const IFF_UP = 1;

const LACKING = { isLacking: true };

/** What a bus of the kernel stands on. */
export interface SocketcanMachine {
  readonly clock: Clock;
  /** @default those of this machine */
  readonly calls?: CanCalls | undefined;
  /** @default one thread that waits in `poll` */
  readonly readiness?: Readiness;
}

/** The bus behind the interface of that name. */
export function socketcanBackend(name: string, machine: SocketcanMachine): Backend {
  return {
    name,
    takesBitrate: false, // the administrator's: `ip link set can0 type can bitrate 500000`
    open: (settings, listener) =>
      new Promise((resolve) => resolve(new SocketcanBus(name, machine, settings, listener))),
  };
}

class SocketcanBus implements Bus {
  readonly #name: string;
  readonly #clock: Clock;
  readonly #calls: CanCalls;
  readonly #listener: BusListener;
  readonly #fd: number;
  readonly #watch: Watch;
  readonly #hasFd: boolean;
  readonly #in = new Uint8Array(FD_FRAME_SIZE);
  readonly #out = new Uint8Array(FD_FRAME_SIZE);
  readonly #time = new Uint8Array(16);
  #closed = false;

  constructor(
    name: string,
    { clock, calls = canCalls(), readiness = pollReadiness }: SocketcanMachine,
    { fd, bitrate }: BusSettings,
    listener: BusListener,
  ) {
    if (!calls) throw new BusError(whyNoCan(name, calls)!, LACKING);
    this.#name = name;
    this.#clock = clock;
    this.#calls = calls;
    this.#listener = listener;
    this.#fd = calls.socket(AF_CAN, SOCK_RAW | NONBLOCK | CLOEXEC, CAN_RAW);
    if (this.#fd < 0) throw new BusError(whyNoSocket(calls.errno()), LACKING);
    try {
      this.#hasFd = this.#setUp(bitrate);
      if (fd && !this.#hasFd) {
        throw new BusError(
          `${name} has no CAN FD; give it some (ip link set ${name} … fd on, mtu 72), or leave fd out`,
        );
      }
    } catch (error) {
      calls.close(this.#fd);
      throw error;
    }
    this.#watch = readiness.watch(this.#fd, () => this.#read());
  }

  /** @returns whether it has CAN FD. */
  #setUp(bitrate: number | undefined): boolean {
    const calls = this.#calls;
    const name = this.#name;
    const index = requestNumber(this.#ask(SIOCGIFINDEX));
    if ((requestFlags(this.#ask(SIOCGIFFLAGS)) & IFF_UP) === 0) {
      throw new BusError(`${name} is down; bring it up: ip link set ${name} up type can bitrate 500000`);
    }
    const actual = bitrate === undefined ? undefined : linkBitrate(calls, index);
    if (actual !== undefined && actual !== bitrate) {
      throw new BusError(
        `${name} runs at ${actual} bit/s, not at ${bitrate}; the interface is the administrator's: ` +
          `ip link set ${name} down; ip link set ${name} up type can bitrate ${bitrate}`,
      );
    }
    const room = optionValue(BUS_RECEIVE_BUFFER);
    if (calls.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, room, 4) < 0) { // without the right to: up to rmem_max
      calls.setsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, room, 4);
    }
    calls.setsockopt(this.#fd, SOL_CAN_RAW, ERR_FILTER, optionValue(ALL_ERRORS), 4);
    const isFd = requestNumber(this.#ask(SIOCGIFMTU)) >= FD_FRAME_SIZE &&
      calls.setsockopt(this.#fd, SOL_CAN_RAW, FD_FRAMES, optionValue(1), 4) === 0;
    const address = canAddress(index);
    if (calls.bind(this.#fd, address, address.length) < 0) {
      const errno = calls.errno();
      throw new BusError(
        errno === ENODEV
          ? `${name} is no CAN interface; \`ip -br link show type can\` lists those that are`
          : `${name} cannot be opened: ${errnoName(errno)}`,
      );
    }
    return isFd;
  }

  /** What the kernel says of the interface. */
  #ask(what: bigint): Uint8Array<ArrayBuffer> {
    const request = interfaceRequest(this.#name);
    if (this.#calls.ioctl(this.#fd, what, request) >= 0) return request;
    const errno = this.#calls.errno();
    throw new BusError(
      errno === ENODEV
        ? `there is no interface ${this.#name}; \`ip -br link\` lists those that are there`
        : `${this.#name}: the kernel does not say what it is: ${errnoName(errno)}`,
    );
  }

  send(frame: CanFrame): boolean {
    if (this.#closed) throw new BusError(`${this.#name} is closed`);
    if (frame.flags & FD && !this.#hasFd) throw new BusError(`${this.#name} has no CAN FD`);
    const size = writeStruct(frame, this.#out);
    if (Number(this.#calls.write(this.#fd, this.#out, BigInt(size))) === size) return true;
    const errno = this.#calls.errno();
    switch (errno) {
      case ENOBUFS:
      case EAGAIN:
        return false;
      case ENETDOWN:
        throw new BusError(`${this.#name} is down`);
      case ENXIO:
      case ENODEV:
        throw new BusError(`${this.#name} is gone`);
      default:
        throw new BusError(`${this.#name} does not take the frame: ${errnoName(errno)}`);
    }
  }

  #read(): void {
    for (let count = 0; count < BUS_READ_FRAMES && !this.#closed; count++) {
      const size = Number(this.#calls.read(this.#fd, this.#in, BigInt(FD_FRAME_SIZE)));
      if (size < 0) return this.#failed(this.#calls.errno());
      const frame = readStruct(this.#in.subarray(0, size), this.#timeOfFrame());
      if (frame) this.#listener.frame(frame);
    }
  }

  #failed(errno: number): void {
    switch (errno) {
      case EAGAIN:
        return;
      case ENOBUFS: // its queue has overflowed; what is in it can be read
        return;
      case ENETDOWN:
        return this.#listener.trouble(`${this.#name} is down`, false);
      case ENODEV:
        return this.#listener.trouble(`${this.#name} is gone`, true);
      default:
        return this.#listener.trouble(`${this.#name} cannot be read: ${errnoName(errno)}`, true);
    }
  }

  /** When the kernel had the frame that was just read. */
  #timeOfFrame(): number {
    if (this.#calls.ioctl(this.#fd, SIOCGSTAMP, this.#time) >= 0) return readTime(this.#time);
    return this.#clock.wall() / 1000;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close().then(() => this.#calls.close(this.#fd));
  }
}

/** Why this machine has no buses of the kernel at all, if it has none; `name` is the one that is wanted. */
export function whyNoCan(name: string, calls: CanCalls | undefined = canCalls()): string | undefined {
  if (!calls) return `${name} needs Linux with glibc, and the permission to call it (--allow-ffi)`;
  const fd = calls.socket(AF_CAN, SOCK_RAW | CLOEXEC, CAN_RAW);
  if (fd < 0) return whyNoSocket(calls.errno());
  calls.close(fd);
  return undefined;
}

/** What brings the kernel's CAN; `can-raw` brings `can` with it. */
const LOAD = "load the kernel's: modprobe can-raw, and modprobe vcan for interfaces to try with";

function whyNoSocket(errno: number): string {
  switch (errno) {
    case EAFNOSUPPORT:
      return `there is no CAN here; ${LOAD}; or add AF_CAN to RestrictAddressFamilies= of the unit`;
    case EPROTONOSUPPORT:
      return `there is no CAN here; ${LOAD}`;
    case EPERM:
    case EACCES:
      return "this process may not open CAN sockets; look at what its unit or container bars";
    default:
      return `a CAN socket cannot be had: ${errnoName(errno)}`;
  }
}
