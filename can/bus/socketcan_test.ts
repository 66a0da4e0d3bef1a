/**
 * SocketCAN against a C library that knows its structures, as the kernel of this machine need not have any CAN.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";
import { BRS, type CanFrame, ERROR, EXTENDED, FD } from "../frame.ts";
import { BUS_READ_FRAMES } from "../limits.ts";
import { anyFrame, bytes, frame, hexOf, remoteFrame } from "../wires/_wire_fixture_test.ts";
import { BusError } from "./bus.ts";
import { type CanCalls, canCalls } from "./can_calls.ts";
import {
  EAFNOSUPPORT,
  EAGAIN,
  EINVAL,
  ENETDOWN,
  ENOBUFS,
  ENODEV,
  EPERM,
  EPROTONOSUPPORT,
} from "../../net/kernel/errno.ts";
import type { Readiness } from "./readiness.ts";
import { socketcanBackend } from "./socketcan.ts";
import { readStruct, writeStruct } from "./socketcan_frames.ts";

const FD_OF_SOCKET = 42;
const NETLINK = 43;

/** What netlink says of an interface at 500 kbit/s: IFLA_LINKINFO, IFLA_INFO_DATA, IFLA_CAN_BITTIMING. */
const LINK_500K = bytes(
  "30000000 1000 0000 00000000 00000000 00000000 07000000 00000000 00000000 1000 1200 0c00 0200 0800 0100 20a10700",
);

/** How room is asked for: by force, and if that may not be, as much as there may be. */
const ROOM = ["1 33 00008000", "1 8 00008000"];

/** A kernel with one interface, can0. */
class TestKernel implements CanCalls, Readiness {
  up = true;
  mtu = 72;
  /** What `socket`, `bind`, `read` and `write` fail with, once each. */
  readonly fails: Partial<Record<"socket" | "bind" | "read" | "write", number>> = {};
  readonly incoming: Uint8Array[] = [];
  readonly written: string[] = [];
  readonly options: string[] = [];
  readonly closed: number[] = [];
  address = "";
  reads = 0;
  watched: (() => void) | undefined;
  #errno = 0;

  socket(domain: number, type: number, protocol: number): number {
    if (domain === 16) return NETLINK;
    assert.deepEqual([domain, type, protocol], [29, 3 | 0o4000 | 0o2000000, 1]);
    return this.#outcome("socket", FD_OF_SOCKET);
  }
  bind(fd: number, address: Uint8Array, size: number): number {
    assert.equal(fd, FD_OF_SOCKET);
    this.address = hexOf(address.subarray(0, size));
    return this.#outcome("bind", 0);
  }
  setsockopt(_fd: number, level: number, name: number, value: Uint8Array, size: number): number {
    this.options.push(`${level} ${name} ${hexOf(value.subarray(0, size))}`);
    return level === 1 && name === 33 ? this.#fail(EPERM) : 0;
  }
  open(): number {
    throw new Error("no file is opened");
  }
  ioctl(_fd: number, request: bigint, argument: Uint8Array<ArrayBuffer>): number {
    const view = new DataView(argument.buffer);
    if (request === 0x8906n) {
      view.setBigInt64(0, 1_700_000_000n, true);
      view.setBigInt64(8, 250_000n, true);
      return 0;
    }
    const name = new TextDecoder().decode(argument.subarray(0, 16)).replace(/\0.*$/s, "");
    if (name !== "can0") return this.#fail(ENODEV);
    if (request === 0x8933n) view.setInt32(16, 7, true);
    else if (request === 0x8921n) view.setInt32(16, this.mtu, true);
    else if (request === 0x8913n) view.setUint16(16, this.up ? 0x41 : 0x40, true);
    else return this.#fail(EINVAL);
    return 0;
  }
  read(fd: number, into: Uint8Array, size: bigint): number {
    if (fd === NETLINK) {
      into.set(LINK_500K);
      return LINK_500K.length;
    }
    this.reads++;
    const failed = this.#outcome("read", 0);
    if (failed < 0) return failed;
    const next = this.incoming.shift();
    if (!next) return this.#fail(EAGAIN);
    into.set(next.subarray(0, Number(size)));
    return next.length;
  }
  write(fd: number, bytes: Uint8Array, size: bigint): bigint {
    if (fd === NETLINK) return size;
    const result = this.#outcome("write", Number(size));
    if (result >= 0) this.written.push(hexOf(bytes.subarray(0, Number(size))));
    return BigInt(result);
  }
  close(fd: number): number {
    this.closed.push(fd);
    return 0;
  }
  errno(): number {
    return this.#errno;
  }
  watch(fd: number, onReadable: () => void) {
    assert.equal(fd, FD_OF_SOCKET);
    this.watched = onReadable;
    return {
      close: () => {
        this.watched = undefined;
        return Promise.resolve();
      },
    };
  }

  #fail(errno: number): number {
    this.#errno = errno;
    return -1;
  }
  #outcome(call: keyof TestKernel["fails"], value: number): number {
    const errno = this.fails[call];
    if (errno === undefined) return value;
    delete this.fails[call];
    return this.#fail(errno);
  }
}

async function opened(kernel: TestKernel, { name = "can0", fd = false, bitrate = 0 } = {}) {
  const frames: CanFrame[] = [];
  const troubles: string[] = [];
  const backend = socketcanBackend(name, { clock: new FakeClock(), calls: kernel, readiness: kernel });
  const bus = await backend.open({ bitrate: bitrate || undefined, listenOnly: false, fd }, {
    frame: (frame) => frames.push(frame),
    trouble: (why, gone) => troubles.push(`${why} ${gone}`),
  });
  return { bus, frames, troubles };
}

test("a raw socket is bound to the interface, with errors and CAN FD", async () => {
  const kernel = new TestKernel();
  const { bus } = await opened(kernel);
  assert.match(kernel.address, /^1d00000007000000(00)*$/);
  assert.deepEqual(kernel.options, [...ROOM, "101 2 ffffff1f", "101 5 01000000"]);
  bus.close();
  bus.close();
  await settled();
  assert.deepEqual(kernel.closed, [FD_OF_SOCKET]);
  const classic = new TestKernel();
  classic.mtu = 16;
  (await opened(classic)).bus.close();
  assert.deepEqual(classic.options, [...ROOM, "101 2 ffffff1f"]);
  await assert.rejects(opened(classic, { fd: true }), /can0 has no CAN FD/);
});

test("frames are structures in the machine's order, classic and FD", async () => {
  const kernel = new TestKernel();
  const { bus, frames } = await opened(kernel);
  kernel.incoming.push(
    bytes("23010000 02 000000 0102000000000000"),
    bytes("45230180 01 000000 ff00000000000000"),
    bytes("23010040 08 000000 0000000000000000"),
    bytes("04000020 08 000000 0001000000000000"),
    bytes(`45230180 0c 05 0000 000102030405060708090a0b ${"00".repeat(52)}`),
  );
  kernel.watched!();
  const time = 1_700_000_000.25;
  const long = frame(0x12345, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], EXTENDED | FD | BRS);
  const expected = [
    frame(0x123, [1, 2]),
    frame(0x12345, [255], EXTENDED),
    remoteFrame(0x123, 8),
    frame(4, [0, 1, 0, 0, 0, 0, 0, 0], ERROR),
    long,
  ];
  assert.deepEqual(frames, expected.map((each) => ({ ...each, time })));
  for (const each of [frame(0x123, [1, 2]), remoteFrame(0x123, 8), long]) assert.equal(bus.send(each), true);
  assert.deepEqual(kernel.written, [
    "23010000020000000102000000000000",
    "23010040080000000000000000000000",
    `452301800c010000000102030405060708090a0b${"00".repeat(52)}`,
  ]);
  bus.close();
});

test("every frame comes back as it was written, and no bytes are read beyond their structure", () => {
  fc.assert(fc.property(anyFrame(true), (frame) => {
    const room = new Uint8Array(72);
    assert.deepEqual(readStruct(room.subarray(0, writeStruct(frame, room)), 0), frame);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (noise) => {
    const frame = readStruct(noise, 0);
    if (frame) assert.ok(frame.data.length <= 64 && frame.length <= 64);
    else assert.ok(noise.length !== 16 && noise.length !== 72);
  }));
});

test("a burst is read in parts, so that others have their turn", async () => {
  const kernel = new TestKernel();
  const { bus, frames } = await opened(kernel);
  for (let i = 0; i < BUS_READ_FRAMES + 10; i++) kernel.incoming.push(bytes("23010000 00 000000 0000000000000000"));
  kernel.watched!();
  assert.equal(frames.length, BUS_READ_FRAMES);
  kernel.watched!();
  assert.equal(frames.length, BUS_READ_FRAMES + 10);
  bus.close();
});

test("a queue that is full can be tried again, and what is worse is told", async () => {
  const kernel = new TestKernel();
  const { bus, troubles } = await opened(kernel);
  kernel.fails.write = ENOBUFS;
  assert.equal(bus.send(frame(1)), false);
  assert.equal(bus.send(frame(1)), true);
  kernel.fails.write = ENETDOWN;
  assert.throws(() => bus.send(frame(1)), { name: "BusError", message: "can0 is down" });
  kernel.fails.read = ENETDOWN;
  kernel.watched!();
  kernel.fails.read = ENODEV;
  kernel.watched!();
  assert.deepEqual(troubles, ["can0 is down false", "can0 is gone true"]);
  bus.close();
  assert.throws(() => bus.send(frame(1)), BusError);
  kernel.mtu = 16;
  const classic = await opened(kernel);
  assert.throws(() => classic.bus.send(frame(1, [], FD)), /has no CAN FD/);
  classic.bus.close();
});

test("what is missing is said with what would do, and leaves nothing open", async () => {
  const failing = async (change: (kernel: TestKernel) => void, name = "can0") => {
    const kernel = new TestKernel();
    change(kernel);
    const error = await opened(kernel, { name }).then(() => undefined, (error: unknown) => error);
    assert.ok(error instanceof BusError);
    if (!error.isLacking) assert.deepEqual(kernel.closed, [FD_OF_SOCKET]);
    return `${error.isLacking} ${error.message}`;
  };
  assert.match(
    await failing((kernel) => kernel.fails.socket = EAFNOSUPPORT),
    /^true there is no CAN here; .*modprobe can-raw.*RestrictAddressFamilies/,
  );
  assert.match(
    await failing((kernel) => kernel.fails.socket = EPROTONOSUPPORT),
    /^true there is no CAN here; .*modprobe can-raw.*vcan/,
  );
  assert.match(await failing((kernel) => kernel.fails.socket = EPERM), /^true .*may not/);
  assert.match(await failing(() => {}, "can1"), /^false there is no interface can1/);
  assert.match(await failing((kernel) => kernel.up = false), /^false can0 is down; bring it up: ip link set can0 up/);
  assert.match(await failing((kernel) => kernel.fails.bind = ENODEV), /^false can0 is no CAN interface/);
});

test("a bitrate that is not the interface's is refused, as the interface is the administrator's", async () => {
  const kernel = new TestKernel();
  (await opened(kernel, { bitrate: 500_000 })).bus.close();
  await assert.rejects(
    opened(kernel, { bitrate: 250_000 }),
    /can0 runs at 500000 bit\/s, not at 250000; .*ip link set/,
  );
  await settled();
  assert.deepEqual(kernel.closed.filter((fd) => fd === NETLINK).length, 2);
});

test("this machine has the calls, or says what is missing", async () => {
  const backend = socketcanBackend("no-such-can", { clock: new FakeClock() });
  await assert.rejects(
    backend.open({ bitrate: undefined, listenOnly: false, fd: false }, { frame: () => {}, trouble: () => {} }),
    BusError,
  );
  assert.equal(canCalls() !== undefined, Deno.build.os === "linux");
});
