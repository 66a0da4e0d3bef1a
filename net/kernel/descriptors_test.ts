import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_LOOKS } from "../limits.ts";
import { descriptorOf, DescriptorTable, forgetSocket, noteSocket } from "./descriptors.ts";
import { libc } from "./libc.ts";
import { closeQuietly } from "../close_quietly.ts";
import { resetQuietly } from "../reset.ts";
import { test } from "../../tests/rig/test.ts";

/** Descriptors of a process, of which the kernel gives the lowest that is free. */
class Kernel {
  readonly #open = new Set<number>();
  looks = 0;
  open(): number {
    let fd = 0;
    while (this.#open.has(fd)) fd++;
    this.#open.add(fd);
    return fd;
  }
  close(fd: number): void {
    this.#open.delete(fd);
  }
  /** Finds `fd`, and counts what that took. */
  find(table: DescriptorTable, fd: number, guess?: number): number | undefined {
    this.looks = 0;
    return table.find((candidate) => {
      this.looks++;
      return candidate === fd;
    }, guess);
  }
}

test("a new descriptor is found with one look, however many there are, and so is one that was free again", () => {
  const [kernel, table] = [new Kernel(), new DescriptorTable()];
  for (let n = 0; n < 5_000; n++) {
    const fd = kernel.open();
    assert.equal(kernel.find(table, fd), fd);
    assert.equal(kernel.looks, 1);
  }
  for (const fd of [4_711, 17, 3_000]) {
    kernel.close(fd);
    table.release(fd);
    assert.equal(kernel.find(table, kernel.open()), fd);
    assert.equal(kernel.looks, 1);
  }
});

test("a descriptor that cannot be found costs a bounded number of looks, and nothing else", () => {
  const [kernel, table] = [new Kernel(), new DescriptorTable()];
  for (let n = 0; n < 2_000; n++) kernel.find(table, kernel.open());
  assert.equal(kernel.find(table, 1_000_000), undefined);
  assert.ok(kernel.looks <= MAX_LOOKS, `${kernel.looks} looks`);
  const fd = kernel.open();
  assert.equal(kernel.find(table, fd), fd);
});

test("a guess that is right is all it takes, and one that is wrong does no harm", () => {
  const [kernel, table] = [new Kernel(), new DescriptorTable()];
  for (let n = 0; n < 100; n++) kernel.open(); // others, which nobody looks for
  const fd = kernel.open();
  assert.equal(kernel.find(table, fd, fd), fd);
  assert.equal(kernel.looks, 1);
  for (const guess of [-1, 7, 999]) {
    const next = kernel.open();
    assert.equal(kernel.find(table, next, guess), next);
  }
});

test("whatever is opened, closed with a word or without, is found while there are fewer than the looks", () => {
  fc.assert(fc.property(
    fc.array(fc.tuple(fc.constantFrom("open", "close", "vanish"), fc.nat(200)), { maxLength: 150 }),
    (steps) => {
      const [kernel, table] = [new Kernel(), new DescriptorTable()];
      const mine: number[] = [];
      for (const [step, which] of steps) {
        if (step === "open" || mine.length === 0) {
          const fd = kernel.open();
          assert.equal(kernel.find(table, fd), fd);
          assert.ok(kernel.looks <= MAX_LOOKS);
          mine.push(fd);
          continue;
        }
        const [fd] = mine.splice(which % mine.length, 1);
        kernel.close(fd!);
        if (step === "close") table.release(fd!);
      }
    },
  ));
});

test("a socket whose number has become another's is not taken for it", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const gone = await listener.accept();
  (await dialled).close();
  noteSocket(gone);
  const fd = descriptorOf(gone)!;
  gone.close(); // without a word
  assert.equal(descriptorOf(gone), undefined);
  const taken: number[] = [];
  const { socket, close } = libc()!;
  do taken.push(socket(2, 1, 0)); while (taken.at(-1)! < fd);
  assert.ok(taken.includes(fd));
  assert.equal(descriptorOf(gone), undefined);
  taken.forEach((each) => close(each));
  forgetSocket(gone);
});

test("a socket that its peer has reset is still known", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const conn = await listener.accept();
  noteSocket(conn);
  const fd = descriptorOf(conn);
  const peer = await dialled;
  noteSocket(peer);
  resetQuietly(peer);
  await assert.rejects(conn.read(new Uint8Array(1)));
  assert.notEqual(fd, undefined);
  assert.equal(descriptorOf(conn), fd);
  closeQuietly(conn);
});

test("real sockets are known by their descriptors, each by its own, until they are forgotten", async () => {
  if (!libc()) return;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  noteSocket(listener);
  const sockets: Deno.TcpConn[] = [];
  for (let n = 0; n < 20; n++) {
    const dialled = Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    for (const socket of [await listener.accept(), await dialled]) {
      noteSocket(socket);
      sockets.push(socket);
    }
  }
  const fds = [listener, ...sockets].map(descriptorOf);
  assert.equal(new Set(fds).size, 41);
  assert.ok(fds.every((fd) => fd !== undefined));
  for (const socket of sockets) {
    forgetSocket(socket);
    socket.close();
  }
});

test("a socket that cannot be found, or was closed, is looked for once, however often it is asked for", () => {
  let looks = 0;
  const address = { transport: "tcp", hostname: "192.0.2.1", port: 9 } as const;
  const gone = {
    get localAddr() {
      looks++;
      return address;
    },
    remoteAddr: address,
  } as unknown as Deno.TcpConn;
  for (let n = 0; n < 3; n++) {
    noteSocket(gone);
    assert.equal(descriptorOf(gone), undefined);
  }
  assert.equal(looks, 1);
  forgetSocket(gone);
  assert.equal(descriptorOf(gone), undefined);
  assert.equal(looks, 1);
});
