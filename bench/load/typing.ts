/**
 * The load generator's typists: small messages at a steady pace, whether or not the last one was answered.
 *
 * @module
 */

import { pause } from "../../tests/rig/wait.ts";
import type { LoadReport } from "./main.ts";
import { PATIENCE, Tally } from "./tally.ts";
import { spread } from "../numbers.ts";
import { connectTo, type Door, wish } from "../sockets.ts";
import type { Socket } from "../../net/socket.ts";
import { closeQuietly } from "../../tests/rig/close_quietly.ts";
import { readFull, writeAll } from "../../tests/rig/stream.ts";

/** Milliseconds between two messages of a typist. */
const PACE = 20;

/** Messages of each typist that are not counted. */
const WARM_UP = 5;

/** Each of `count` typists sends 64 bytes every 20 ms to an echo; an answer that never came counts as {@linkcode PATIENCE}. */
export async function typing(door: Door, seconds: number, count: number): Promise<LoadReport> {
  const tally = new Tally();
  const times: number[] = [];
  await Promise.all(Array.from({ length: count }, async (_, at) => {
    await pause(at * PACE / count);
    const conn = await connectTo(door);
    const sent: number[] = [];
    const giveUp = setTimeout(() => closeQuietly(conn), seconds * 1000 + PATIENCE);
    try {
      await writeAll(conn, wish("e", seconds));
      const messages = WARM_UP + Math.ceil(seconds * 1000 / PACE);
      const answers = readAnswers(conn, messages, (index) => {
        if (index >= WARM_UP) times.push(performance.now() - sent[index]!);
      });
      answers.catch(() => {}); // seen below, after the sending
      await send(conn, messages, sent);
      await answers;
    } catch (error) {
      tally.add(error);
      times.push(PATIENCE);
    } finally {
      clearTimeout(giveUp);
      closeQuietly(conn);
    }
  }));
  return { rate: times.length / seconds, ...spread(times), ...tally };
}

async function send(conn: Socket, messages: number, sent: number[]): Promise<void> {
  const message = new Uint8Array(64).fill(7);
  const start = performance.now();
  for (let index = 0; index < messages; index++) {
    const early = start + index * PACE - performance.now();
    if (early > 0) await pause(early);
    sent.push(performance.now());
    await writeAll(conn, message);
  }
}

async function readAnswers(conn: Socket, messages: number, seen: (index: number) => void): Promise<void> {
  const answer = new Uint8Array(64);
  for (let index = 0; index < messages; index++) {
    if (!await readFull(conn, answer)) throw new Error("closed before its answer");
    seen(index);
  }
}
