/**
 * `/v1/device`, health and readiness, and acts on the device and its link.
 *
 * @module
 */

import { ApiError } from "../../app/admin/api_error.ts";
import { jsonRoute, type Route } from "../../app/admin/route.ts";
import { closed, Type, words } from "../../app/admin/schema.ts";
import { VERSION } from "../../base/version.ts";
import { MAX_DURATION_MS } from "../../base/limits.ts";
import type { DeviceContext } from "./context.ts";
import { DeviceFacts, Done, KeepAlive } from "./schemas.ts";

const Alive = closed({ ok: Type.Boolean() }, "It is so.");
const DONE = { done: true };

/** What may be said of a reload. */
export const Reloaded = closed({
  changed: Type.Array(Type.String(), { description: "What changed, a line each." }),
  restart: Type.Array(Type.String(), { description: "What cannot change without a restart, a line each." }),
}, "The configuration was read anew.");

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
    jsonRoute({
      method: "GET",
      path: "/v1/health",
      id: "getHealth",
      summary: "Whether the process answers. It takes no token.",
      open: true,
      response: Alive,
      handle: () => ({ ok: true }),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/ready",
      id: "getReady",
      summary: "Whether the device has a link. It takes no token.",
      open: true,
      response: Alive,
      handle() {
        if (device.state !== "online") throw new ApiError("not-ready", `the device is ${device.state}`);
        return { ok: true };
      },
    }),
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
      response: Reloaded,
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

function factsOf({ device, engine, started }: DeviceContext): DeviceFacts {
  const { services: _services, state, since, sessionSince, goodbye, tcp, ...status } = device.status;
  const clients = device.clients();
  return {
    version: VERSION,
    engine,
    pid: Deno.pid,
    started: timeOf(started),
    profile: status.profile,
    state,
    since: timeOf(since),
    sessionSince: sessionSince === undefined ? null : timeOf(sessionSince),
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
    tcp: tcp ? { ...tcp, retransmits: tcp.retransmits ?? null, deliveryRate: tcp.deliveryRate ?? null } : null,
    keepAlive: status.keepAlive,
    serverKeepAlive: status.serverKeepAlive ?? null,
    goodbye: goodbye ? { code: goodbye.code, text: goodbye.text } : null,
    clients: clients.length,
    clientsEver: device.clientsEver,
  };
}

/** A time as a text. */
export function timeOf(time: number): string {
  return new Date(time).toISOString();
}
