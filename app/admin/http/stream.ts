/**
 * Streams of events: server-sent events, of which nothing is made before its reader has taken what came before.
 *
 * @module
 */

import { ADMIN_HEARTBEAT_MS } from "../../limits.ts";
import type { Clock } from "../../../base/clock.ts";
import type { StreamedEvent, StreamSource } from "../route.ts";

const encoder = new TextEncoder();

/** The body of an answer, until its reader goes or `signal` aborts. `ended` is called once then. */
export function streamBody(
  source: StreamSource,
  clock: Clock,
  signal: AbortSignal,
  ended: () => void,
): ReadableStream<Uint8Array> {
  let isOver = false;
  let wake: () => void = () => {};
  const over = () => {
    if (isOver) return;
    isOver = true;
    signal.removeEventListener("abort", over);
    source.close();
    ended();
    wake();
  };
  signal.addEventListener("abort", over);
  if (signal.aborted) over();
  const more = () =>
    new Promise<boolean>((resolve) => {
      const done = (isMore: boolean) => {
        cancel();
        callOff();
        wake = () => {};
        resolve(isMore);
      };
      wake = () => done(false);
      const cancel = clock.after(ADMIN_HEARTBEAT_MS, () => done(false));
      const callOff = source.whenMore(() => done(true));
    });
  let isFirst = true;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (isFirst && !isOver) {
        isFirst = false;
        return controller.enqueue(heartbeat(source)); // the head of the answer goes out with it
      }
      let events = isOver ? [] : source.take();
      if (events.length === 0 && !isOver && await more()) events = source.take();
      if (isOver) return controller.close();
      controller.enqueue(events.length === 0 ? heartbeat(source) : encoder.encode(events.map(format).join("")));
    },
    cancel: over,
  }, { highWaterMark: 0 });
}

/**
 * A sign of life, which is no event, with the place where its reader stands: whoever comes back goes on there, however much
 * has happened meanwhile that was not meant for it.
 */
function heartbeat({ place }: StreamSource): Uint8Array {
  return encoder.encode(`id: ${place}\n\n`);
}

function format({ id, event, data }: StreamedEvent): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`; // JSON has no line breaks
}
