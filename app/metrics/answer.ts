/**
 * The answer to whoever asks for `/metrics`.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Registry } from "./registry.ts";
import { formatFor, MEDIA_TYPES } from "./text.ts";

/** The answer, of which no more is made than its reader takes. `accept`: the header of the request. */
export function metricsAnswer(registry: Registry, clock: Clock, accept: string | undefined, isHead = false): Response {
  const format = formatFor(accept);
  const headers = { "content-type": MEDIA_TYPES[format], "cache-control": "no-store" };
  if (isHead) return new Response(null, { headers });
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
  return new Response(body, { headers });
}
