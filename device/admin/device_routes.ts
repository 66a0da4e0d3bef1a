/**
 * `/v1/device`, health and readiness, and acts on the device and its link.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { ReloadedFacts } from "../../app/admin/reloaded.ts";
import { jsonRoute, rawRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { metricsAnswer } from "../../app/metrics/answer.ts";
import { demandAnswer } from "../../app/admin/api_error.ts";
import { MEDIA_TYPES } from "../../app/metrics/text.ts";
import { KEEP_ALIVE_MODES } from "../../protocol/keep_alive.ts";
import { VERSION } from "../../base/version.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import type { DeviceContext } from "./context.ts";
import { Done, KeepAlive, tcpFacts, timeOrNull } from "../../app/admin/shared.ts";
import { healthRoutes } from "../../app/admin/health_routes.ts";
import { DeviceFacts } from "./schemas.ts";

const DONE = { done: true };

/** The routes. */
export function deviceRoutes(context: DeviceContext): Route[] {
  const { device } = context;
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/device",
      id: "getDevice",
      summary: "The device: where it stands, its link, what it accepts.",
      response: DeviceFacts,
      handle: () => factsOf(context),
    }),
    rawRoute({
      method: "GET",
      path: "/metrics",
      id: "getMetrics",
      summary: "The metrics of the device, for Prometheus; as OpenMetrics if `Accept` asks for that.",
      media: MEDIA_TYPES.prometheus,
      response: Type.String(),
      raw: ({ accept }) => demandAnswer(metricsAnswer(context.metrics, context.clock, accept)),
    }),
    ...healthRoutes(
      "Whether the device has a link.",
      () => device.state === "online" ? undefined : `the device is ${device.state}`,
    ),
    jsonRoute({
      method: "POST",
      path: "/v1/device/mode",
      id: "setMode",
      summary: "Goes to mode config, which withdraws the services, or run.",
      body: closed({
        mode: words(["config", "run"]),
        drain: Type.Optional(Type.Number({
          minimum: 0,
          maximum: MAX_DURATION_MS,
          description: "Milliseconds that clients may stay on the way to config, while no others come.",
        })),
      }),
      response: Done,
      handle: ({ body: { mode, drain = 0 } }) => done(() => device.setMode(mode, drain)),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/device/keep-alive",
      id: "setKeepAlive",
      summary: "Sets the longest silence accepted, at either end or both.",
      body: closed({
        endpoint: words(["device", "server", "both"], "Whose: the device watches the server, the server the device."),
        ...KeepAlive.properties,
      }),
      response: Done,
      handle: ({ body: { endpoint, ...settings } }) => done(() => device.setKeepAliveSettings(settings, endpoint)),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/device/keep-alive-way",
      id: "setKeepAliveWay",
      summary: "Sets the keep-alive of v2 by the name of a way, at either end or both.",
      body: closed({
        endpoint: words(["device", "server", "both"], "Whose: the device watches the server, the server the device."),
        way: words(KEEP_ALIVE_MODES, "adaptive and metered are slow while nobody waits."),
      }),
      response: Done,
      handle: ({ body: { endpoint, way } }) => done(() => device.setKeepAliveSettings(way, endpoint)),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/device/reconnect",
      id: "reconnect",
      summary: "Ends the link, if one is up, and dials at once; on v2 the session goes on over the next.",
      response: Done,
      handle: () => done(() => device.reconnect()),
    }),
    jsonRoute({
      method: "POST",
      path: "/v1/device/reload",
      id: "reload",
      summary: "Reads the configuration anew: what can change does, without cutting anybody.",
      response: ReloadedFacts,
      async handle() {
        const { changed, restart } = await context.reload();
        return { changed: [...changed], restart: [...restart] };
      },
    }),
  ];
}

/** An act. @throws {ApiError} for what the profile, or the device as it is, cannot do. */
export function done(act: () => void): { done: boolean } {
  try {
    act();
    return DONE;
  } catch (error) {
    throw error instanceof RangeError || error instanceof TypeError ? new ApiError("conflict", error.message) : error;
  }
}

function factsOf({ device, engine, started, hasOwnServices }: DeviceContext): DeviceFacts {
  const { services: _services, state, since, sessionSince, goodbye, outage, tcp, ...status } = device.status;
  const clients = device.clients();
  return {
    version: VERSION,
    engine,
    pid: Deno.pid,
    started: timeOf(started),
    profile: status.profile,
    state,
    since: timeOf(since),
    sessionSince: timeOrNull(sessionSince),
    name: status.name ?? null,
    server: status.server,
    local: status.local ?? null,
    remote: status.remote ?? null,
    bound: status.bound ?? null,
    isCompatible: status.isCompatible ?? null,
    mode: status.mode,
    modeChange: status.modeChange ?? null,
    clockOffset: status.clockOffset ?? null,
    roundTrip: status.roundTrip ?? null,
    tcp: tcpFacts(tcp),
    keepAlive: status.keepAlive,
    serverKeepAlive: status.serverKeepAlive ?? null,
    goodbye: goodbye ? { code: goodbye.code, text: goodbye.text } : null,
    outage: outage
      ? {
        since: timeOf(outage.since),
        tries: outage.tries,
        error: outage.error ?? null,
        nextTry: timeOrNull(outage.nextTry),
      }
      : null,
    servicesFrom: hasOwnServices() ? "options" : "state",
    clients: clients.length,
    clientsEver: device.clientsEver,
  };
}

/** A time as a text. */
export function timeOf(time: number): string {
  return new Date(time).toISOString();
}
