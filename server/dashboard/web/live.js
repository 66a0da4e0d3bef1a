// @ts-check
/// <reference lib="dom" />
/**
 * What happens, as it happens: the API's stream of events, and again after each break, from where it was.
 *
 * @module
 */

import { ask, Refused } from "./api.js";

/** @typedef {{ id: string, time: string, type: string } & Record<string, unknown>} Happened */

/** The stream says something every 15 s: after so many milliseconds without, it is dead. */
const SILENCE_MS = 40_000;

/** Milliseconds before the stream is asked for again, at first and at most. */
const PAUSE_MS = [500, 15_000];

/**
 * Follows the stream until `signal` aborts. `tell` has each event, `state` whether it is live.
 *
 * @param {(event: Happened) => void} tell
 * @param {(isLive: boolean) => void} state
 * @param {AbortSignal} signal
 * @param {string} cursor where to begin
 */
export async function follow(tell, state, signal, cursor) {
  let [pause = 500] = PAUSE_MS;
  while (!signal.aborted) {
    const stop = new AbortController();
    const over = () => stop.abort();
    signal.addEventListener("abort", over);
    let timer = setTimeout(over, SILENCE_MS);
    try {
      /** @type {Record<string, string>} */
      const headers = cursor ? { "last-event-id": cursor } : {};
      const response = await ask("v1/events/stream", { headers, signal: stop.signal });
      state(true);
      pause = PAUSE_MS[0] ?? 500;
      let text = "";
      const decoder = new TextDecoder();
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(over, SILENCE_MS);
        const blocks = (text + decoder.decode(value, { stream: true })).split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          cursor = fieldOf(block, "id") ?? cursor;
          const data = fieldOf(block, "data");
          if (data !== undefined) tell(JSON.parse(data));
        }
      }
    } catch (error) {
      if (error instanceof Refused && error.status === 400) cursor = "";
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
    }
    if (signal.aborted) return;
    state(false);
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(2 * pause, PAUSE_MS[1] ?? pause);
  }
}

/** A field of a block; a block without data is a sign of life, with the place. @param {string} block @param {string} name */
function fieldOf(block, name) {
  return block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
}
