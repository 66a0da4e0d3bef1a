/**
 * Links that are cut and made anew under a pair of sessions, at any byte and in any phase. No tests here.
 *
 * @module
 */

import type { Pair, Pipe } from "./_simulation_test.ts";

/** A cut, and what follows. Times are milliseconds. */
export interface Cut {
  /** When. */
  readonly at: number;
  /** Which way nothing comes through any more; `none`: the device moves away from a link that works. */
  readonly ways: "both" | "up" | "down" | "none";
  /** Who sees it at once; the others send on into nothing. */
  readonly noticed: "both" | "server" | "device" | "nobody";
  /** How long until the device tries to resume. */
  readonly gap: number;
  /** How far each try gets before it is cut too; the one behind the last goes through. */
  readonly failures: readonly ("auth-lost" | "welcome-lost")[];
}

const resuming = new WeakSet<Pair>();

/** Cuts the link of `pair`, and resumes its sessions over another, as the handshake does; `latency` one way. */
export function cutAndResume(pair: Pair, cut: Cut, latency: number): void {
  if (pair.over) return;
  if (resuming.has(pair)) return void pair.time.after(20, () => cutAndResume(pair, cut, latency)); // a device has one dial at a time
  resuming.add(pair);
  if (cut.ways === "both" || cut.ways === "down") pair.toDevice.cut();
  if (cut.ways === "both" || cut.ways === "up") pair.toServer.cut();
  if (cut.noticed === "both" || cut.noticed === "server") pair.server.detach();
  if (cut.noticed === "both" || cut.noticed === "device") pair.device.detach();
  pair.time.after(cut.gap, () => tryResume(pair, [...cut.failures], latency));
}

function tryResume(pair: Pair, failures: Cut["failures"][number][], latency: number): void {
  const { time } = pair;
  if (pair.over) return;
  const failure = failures.shift();
  const again = () => void time.after(pair.random.upTo(50), () => tryResume(pair, failures, latency));
  // AUTH leaves: from here on the device applies nothing of the old link, and says how far it has come.
  pair.device.detach();
  pair.toDevice.to = undefined;
  const received = pair.device.received;
  if (failure === "auth-lost") return again();
  time.after(latency, () => {
    if (pair.over) return;
    // The server fences the old link, answers, and sends again what is missing.
    const [toDevice, toServer] = [pair.pipe(), pair.pipe()];
    pair.server.detach();
    pair.toServer.to = undefined;
    const position = pair.server.received;
    if (!pair.server.canReplayFrom(received)) throw new Error(`the server cannot replay from ${received}`);
    pair.attachServer(toDevice, toServer, received);
    if (failure === "welcome-lost") {
      cutBoth(toDevice, toServer);
      return again();
    }
    holdBack(pair, toDevice, () => {
      if (pair.over) return;
      if (!pair.device.canReplayFrom(position)) throw new Error(`the device cannot replay from ${position}`);
      pair.attachDevice(toDevice, toServer, position);
      resuming.delete(pair);
    }, latency);
  });
}

/** WELCOME goes ahead of all else on the new link: nothing is read there before it has come. */
function holdBack(pair: Pair, toDevice: Pipe, welcome: () => void, latency: number): void {
  let welcomed = false;
  toDevice.to = {
    receive(chunk, now) {
      if (!welcomed) welcome();
      welcomed = true;
      pair.device.receive(chunk, now);
    },
  };
  pair.time.after(latency, () => {
    if (!welcomed) welcome();
    welcomed = true;
  });
}

function cutBoth(...pipes: Pipe[]): void {
  for (const pipe of pipes) pipe.cut();
}
