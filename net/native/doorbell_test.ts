import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { pause, poll } from "../../tests/rig/wait.ts";
import { localAddressOf } from "../kernel/socket_address.ts";
import { type SocketCalls, socketCalls } from "./calls.ts";
import { acceptFrom, Doorbell } from "./doorbell.ts";
import { DOORBELL_LATE_LOOKS, DOORBELL_SLOW_MS, DOORBELL_SLOW_RINGS, DOORBELL_STRANGERS } from "./limits.ts";

/** The system's calls, with others in place of some; bytes that are sent, and descriptors that are open, are counted. */
function watchedCalls(instead: Partial<SocketCalls> = {}) {
  const calls = socketCalls();
  if (!calls) return undefined;
  const seen = { sent: 0, open: 0 };
  const watched: SocketCalls = {
    ...calls,
    socket: (...args) => {
      seen.open++;
      return calls.socket(...args);
    },
    close: (fd) => {
      seen.open--;
      return calls.close(fd);
    },
    sendNow: (...args) => {
      seen.sent++;
      return calls.sendNow(...args);
    },
    ...instead,
  };
  return { seen, calls: watched };
}

const rung = (bell: Doorbell) => new Promise<void>((resolve) => bell.ring(resolve));

/** Rings until the bell has come to be open, which is seen by what it sends. */
async function opened(bell: Doorbell, seen: { sent: number }): Promise<void> {
  bell.open();
  const before = seen.sent;
  await poll(async () => {
    await rung(bell);
    return seen.sent > before;
  }, () => "the bell does not open");
}

test("a doorbell that is shut comes all the same, and one that is open by a byte of its own", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  await rung(bell);
  assert.deepEqual(watched.seen, { sent: 0, open: 0 });
  await opened(bell, watched.seen);
  const before = watched.seen.sent;
  for (let n = 0; n < 100; n++) await rung(bell);
  assert.equal(watched.seen.sent, before + 100);
  await bell.close();
  assert.equal(watched.seen.open, 0);
  await rung(bell);
  assert.equal(watched.seen.sent, before + 100);
});

test("between two rings the runtime's timers and files have their turn", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  await opened(bell, watched.seen);
  let [timers, files, isOver] = [0, 0, false];
  const others = [
    (async () => {
      for (; !isOver; timers++) await pause(1);
    })(),
    (async () => {
      for (; !isOver; files++) await Deno.stat(".");
    })(),
  ];
  await poll(async () => {
    for (const until = performance.now() + 2; performance.now() < until;); // a turn of the loop's
    await rung(bell);
    return timers >= 20 && files >= 20;
  }, () => `${timers} timers, ${files} files`);
  isOver = true;
  await Promise.all(others);
  await bell.close();
});

test("promises that are due have run when it comes, and those of what it calls can run", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  await opened(bell, watched.seen);
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    bell.ring(() => {
      told.push("rung");
      queueMicrotask(() => told.push("within"));
      bell.ring(resolve);
      told.push("done");
    });
    queueMicrotask(() => told.push("before"));
  });
  assert.deepEqual(told, ["before", "rung", "done", "within"]);
  await bell.close();
});

test("what it was rung for comes, also when it is closed at that moment", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  for (let n = 0; n < 20; n++) {
    const bell = new Doorbell(watched.calls);
    await opened(bell, watched.seen);
    const ring = rung(bell);
    const closed = bell.close();
    await Promise.all([ring, closed]);
  }
  assert.equal(watched.seen.open, 0);
});

test("it can be closed at each moment of its opening, and opened again", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  for (let turns = 0; turns < 12; turns++) {
    bell.open();
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await bell.close();
    assert.equal(watched.seen.open, 0);
  }
  await opened(bell, watched.seen);
  await bell.close();
});

test("closed and opened anew at once, it comes to be open", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  await opened(bell, watched.seen);
  bell.close();
  await opened(bell, watched.seen);
  await bell.close();
  assert.equal(watched.seen.open, 0);
});

test("it takes no port of 127.0.0.1", async () => {
  const ports: string[] = [];
  const calls = socketCalls();
  if (!calls) return;
  const watched = watchedCalls({
    connect: (fd, name, size) => {
      const result = calls.connect(fd, name, size);
      ports.push(localAddressOf(calls, fd).host);
      return result;
    },
  });
  const bell = new Doorbell(watched!.calls);
  await opened(bell, watched!.seen);
  await bell.close();
  assert.deepEqual(ports, ["127.83.80.1"]);
});

test("looked at while it is rung, again and again, it stays open", async () => {
  const watched = watchedCalls();
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  await opened(bell, watched.seen);
  const before = watched.seen.sent;
  for (let n = 0; n < 5 * DOORBELL_LATE_LOOKS; n++) {
    const ring = rung(bell);
    bell.look();
    await ring;
  }
  assert.equal(watched.seen.sent, before + 5 * DOORBELL_LATE_LOOKS);
  await bell.close();
});

test("cut from outside, it comes all the same, and what is slow for long is given up", async () => {
  const calls = socketCalls();
  if (!calls) return;
  let outer = -1;
  const watched = watchedCalls({
    sendNow: (fd, bytes, size, flags) => {
      outer = fd;
      watched!.seen.sent++;
      return calls.sendNow(fd, bytes, size, flags);
    },
  });
  for (const how of ["cut", "slow"]) {
    const bell = new Doorbell(watched!.calls);
    await opened(bell, watched!.seen);
    if (how === "cut") calls.shutdown(outer, 1);
    for (let n = 0; n <= DOORBELL_SLOW_RINGS; n++) {
      const ring = rung(bell);
      if (how === "slow") { for (const until = performance.now() + DOORBELL_SLOW_MS + 5; performance.now() < until;); }
      await ring;
    }
    const before = watched!.seen.sent;
    bell.open(); // not again at once
    for (let n = 0; n < 3; n++) await rung(bell);
    assert.equal(watched!.seen.sent, before, how);
    await bell.close();
  }
  assert.equal(watched!.seen.open, 0);
});

test("a byte that does not come is waited for some looks, and then it is a timer", async () => {
  const watched = watchedCalls({ sendNow: () => 1 });
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  bell.open();
  let isRung = false;
  const ring = () => new Promise<void>((resolve) => bell.ring(resolve)).then(() => isRung = true);
  await poll(async () => {
    isRung = false;
    ring();
    await pause(5);
    return !isRung;
  }, () => "the bell does not open");
  for (let looks = 1; looks < DOORBELL_LATE_LOOKS; looks++) bell.look();
  await pause(5);
  assert.equal(isRung, false);
  bell.look();
  await poll(() => isRung, () => "it does not come");
  await bell.close();
  bell.open(); // not again at once
  await rung(bell);
  await pause(5);
  assert.equal(watched.seen.open, 0);
});

test("where there is no descriptor for it, it is a timer", async () => {
  const watched = watchedCalls({ socket: () => -1, errno: () => 24 });
  if (!watched) return;
  const bell = new Doorbell(watched.calls);
  bell.open();
  for (let n = 0; n < 5; n++) await rung(bell);
  await bell.close();
  assert.equal(watched.seen.sent, 0);
});

test("strangers who come first are turned away, up to a limit", async () => {
  for (const strangers of [1, DOORBELL_STRANGERS + 1]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port });
    const others = [];
    for (let n = 0; n < strangers; n++) others.push(await dial());
    const own = await dial();
    const accepted = acceptFrom(listener, { host: "127.0.0.1", port: own.localAddr.port });
    if (strangers === 1) (await accepted).close();
    else await assert.rejects(accepted, /strangers/);
    for (const conn of [...others, own]) conn.close();
  }
});
