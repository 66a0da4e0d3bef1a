/**
 * The answer to whoever asks for `/metrics`.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Registry } from "./registry.ts";
import { formatFor, MEDIA_TYPES } from "./text.ts";

/** What is said to those beyond the most who may read. */
export const OTHERS_READ = "others are read to; come again";

/**
 * The answer, of which no more is made than its reader takes; `undefined` if too many read. `accept`: the header of the
 * request.
 */
export function metricsAnswer(
  registry: Registry,
  clock: Clock,
  accept: string | undefined,
  isHead = false,
): Response | undefined {
  const format = formatFor(accept);
  const headers = { "content-type": MEDIA_TYPES[format], "cache-control": "no-store" };
  if (isHead) return new Response(null, { headers });
  const readings = registry.readings(clock);
  if (!readings.hasRoom()) return undefined;
  const pieces = registry.text(format, clock);
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await pieces.return();
    },
  }, { highWaterMark: 0 });
  return readings.track(new Response(body, { headers }));
}
