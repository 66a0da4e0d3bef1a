/**
 * `--metrics`: an address that has `/metrics`, `/healthz` and `/readyz`, and nothing else, for whoever can connect.
 *
 * @module
 */

import { METRICS_IDLE_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { listenTcp, serveBehindGate } from "../admin/http/behind_gate.ts";
import { metricsAnswer } from "./answer.ts";
import { Readings } from "./readings.ts";
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
  const handler = answerer(options);
  const end = await serveBehindGate({ listener, folder, clock, logger, handler, idleMs: METRICS_IDLE_MS });
  let ended: Promise<void> | undefined;
  return { address: bound, close: () => ended ??= end() };
}

/** What answers requests. */
function answerer({ registry, clock, logger, whyNotReady }: MetricsOptions): (request: Request) => Promise<Response> {
  const readings = new Readings(clock);
  const metrics = (accept: string | undefined, isHead: boolean) => {
    if (!readings.hasRoom()) return plain(503, "others are read to; come again", { "retry-after": "1" });
    return readings.track(metricsAnswer(registry, clock, accept, isHead));
  };
  const answer = ({ method, url, headers }: Request): Response => {
    const pathname = URL.parse(url)?.pathname;
    if (pathname === undefined) return plain(400, "this is no URL, or its host is no host");
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
