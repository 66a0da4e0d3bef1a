/**
 * `--metrics`: an address that has `/metrics`, `/healthz` and `/readyz`, and nothing else, for whoever can connect.
 *
 * @module
 */

import { MAX_METRICS_READERS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { serveBehindGate } from "../admin/http/behind_gate.ts";
import { listenTcp } from "../admin/serve.ts";
import { metricsAnswer } from "./answer.ts";
import type { Registry } from "./registry.ts";

/** What is served. */
export interface MetricsOptions {
  readonly address: Address;
  /** The folder of the state. */
  readonly folder: string;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Why the daemon is not ready to do its work, if it is not. */
  whyNotReady(): string | undefined;
}

/** Metrics that are served. */
export interface MetricsServer {
  /** The address really bound. */
  readonly address: string;
  /** Ends it at once. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves.
 *
 * @throws {ListenError} if the address cannot be had; {ConfigError} if the state's folder cannot be used.
 */
export async function serveMetrics(options: MetricsOptions): Promise<MetricsServer> {
  const { address, folder, clock, logger } = options;
  const listener = listenTcp(address);
  const bound = formatAddress({ host: listener.addr.hostname, port: listener.addr.port });
  const end = await serveBehindGate({ listener, folder, clock, logger, handler: answerer(options) });
  let ended: Promise<void> | undefined;
  return { address: bound, close: () => ended ??= end() };
}

/** What answers requests. */
function answerer({ registry, clock, logger, whyNotReady }: MetricsOptions): (request: Request) => Promise<Response> {
  let readers = 0;
  const metrics = (accept: string | undefined, isHead: boolean) => {
    if (readers >= MAX_METRICS_READERS) return plain(503, "others are read to; come again", { "retry-after": "1" });
    readers++;
    return tracked(metricsAnswer(registry, clock, accept, isHead), () => readers--);
  };
  const answer = ({ method, url, headers }: Request): Response => {
    const { pathname } = new URL(url);
    const isHead = method === "HEAD";
    if (!["/metrics", "/healthz", "/readyz"].includes(pathname)) {
      return plain(404, "there are /metrics, /healthz and /readyz");
    }
    if (method !== "GET" && !isHead) return plain(405, "this can be read alone", { allow: "GET, HEAD" });
    if (pathname === "/metrics") return metrics(headers.get("accept") ?? undefined, isHead);
    const why = pathname === "/readyz" ? whyNotReady() : undefined;
    return why === undefined ? plain(200, "ok") : plain(503, why);
  };
  return (request) => {
    try {
      return Promise.resolve(answer(request));
    } catch (error) {
      logger.error("a request for metrics failed: {error}", { error: describeError(error) });
      return Promise.resolve(plain(500, "this went wrong; the log says why"));
    }
  };
}

function plain(status: number, text: string, headers: Record<string, string> = {}): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...headers,
    },
  });
}

/** The same answer; `ended` is called once, when all of it was taken, or its reader went. */
function tracked(answer: Response, ended: () => void): Response {
  if (!answer.body) {
    ended();
    return answer;
  }
  const reader = answer.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await reader.read();
        if (!done) return controller.enqueue(value);
        controller.close();
        ended();
      } catch (error) {
        ended();
        throw error;
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, answer);
}
