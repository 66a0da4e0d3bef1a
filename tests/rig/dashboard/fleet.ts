/**
 * An admin API with a fleet that there is not: for the dashboard's pictures, and for as many devices as one likes.
 *
 * @module
 */

import { makePage, pageOf, pageQuery } from "../../../app/admin/pages.ts";
import { jsonRoute, type Route } from "../../../app/admin/route.ts";
import { type AdminServer, serveAdmin } from "../../../app/admin/serve.ts";
import { closed, Type } from "../../../app/admin/schema.ts";
import { systemClock } from "../../../base/clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { EventRing } from "../../../app/admin/event_ring.ts";
import { eventRoutes } from "../../../server/admin/event_routes.ts";
import type { AdminContext } from "../../../server/admin/context.ts";
import { Done, NAMED } from "../../../app/admin/shared.ts";
import { Client, Device, ServerFacts } from "../../../server/admin/schemas.ts";
import { DASHBOARD } from "../../../server/dashboard/files.ts";
import type { ServerEvent } from "../../../server/events.ts";
import { auditRoutes } from "../../../server/audit/routes.ts";
import { RecentRefusals } from "../../../server/refusals/recent.ts";
import { refusalRoutes } from "../../../server/refusals/routes.ts";
import { auditLine } from "../../../app/audit/line.ts";
import { Random } from "../random.ts";
import { auditOf } from "./audit.ts";
import { clientsOf, devicesOf, eventsOf, historyOf, pastOf, serverOf } from "./facts.ts";

/** A fleet that is served. */
export interface Fleet extends AsyncDisposable {
  /** Its address by TCP. */
  readonly address: string;
  readonly admin: AdminServer;
  readonly devices: Device[];
  /** Acts that were asked for, `POST /v1/…`. */
  readonly acts: string[];
  /** Something happens, now or at a time. */
  happen(event: ServerEvent, time?: number): void;
  /** A line is added to its audit, if it has one. */
  audit(event: string, facts: Record<string, unknown>): void;
}

/** The token of its API. */
export const FLEET_TOKEN = "a-token-of-a-fleet-that-there-is-not";

const Anything = Type.Object({});

/** Serves a fleet of so many devices; `audit`: whether it writes one. */
export async function serveFleet(folder: string, count: number, { audit = true } = {}): Promise<Fleet> {
  const chance = new Random(7);
  const random = () => chance.fraction();
  const now = Date.now();
  const devices = devicesOf(count, random, now);
  const clients = clientsOf(devices, random, now);
  const events = new EventRing<ServerEvent>(now - 26 * 3600_000);
  let wall = now;
  const recent = new RecentRefusals({ now: () => wall, wall: () => wall });
  const happen = (event: ServerEvent, time: number) => {
    wall = time;
    events.add(time, event);
    recent.take(event);
  };
  for (const [event, time] of eventsOf(devices, random, now)) happen(event, time);
  const path = `${folder}/audit.log`;
  if (audit) await Deno.writeTextFile(path, auditOf(devices, random, now).join(""));
  const acts: string[] = [];
  const page = <T>(items: readonly T[], limit: number | undefined, cursor: string | undefined) => {
    const start = Number(cursor ?? 0);
    const at = new Map(items.map((item, place) => [item, place]));
    return makePage({
      from: items.slice(start),
      limit,
      clock: systemClock,
      describe: (item) => item,
      cursor: (item) => String(at.get(item)! + 1),
    });
  };
  const routes: Route[] = [
    jsonRoute({
      method: "GET",
      path: "/v1/server",
      id: "server",
      summary: "",
      response: ServerFacts,
      handle: () => serverOf(devices, clients, now),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/devices",
      id: "devices",
      summary: "",
      query: closed(pageQuery(".*")),
      response: pageOf(Device, ""),
      handle: ({ query: { limit, cursor } }) => page(devices, limit, cursor),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/devices/{name}",
      id: "device",
      summary: "",
      params: NAMED,
      response: Device,
      handle: ({ params: { name } }) => devices.find((device) => device.name === name)!,
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/clients",
      id: "clients",
      summary: "",
      query: closed({ ...pageQuery(".*"), device: Type.Optional(Type.String()) }),
      response: pageOf(Client, ""),
      handle: ({ query: { limit, cursor, device } }) =>
        page(clients.filter((client) => device === undefined || client.device === device), limit, cursor),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/history",
      id: "history",
      summary: "",
      query: closed({ minutes: Type.Optional(Type.Integer()) }),
      response: Anything,
      handle: () => historyOf(devices.length, random, now),
    }),
    jsonRoute({
      method: "GET",
      path: "/v1/history/devices/{name}",
      id: "past",
      summary: "",
      params: NAMED,
      response: Anything,
      handle: () => pastOf(random, now),
    }),
    ...["drop", "mode", "keep-alive", "disable", "enable", "revoke", "rename", "expire", "tag", "drain", "open"].map((
      act,
    ) =>
      jsonRoute({
        method: "POST",
        path: `/v1/devices/{name}/${act}`,
        id: act,
        summary: "",
        params: NAMED,
        body: Type.Object({}),
        response: Done,
        handle({ params: { name } }) {
          acts.push(`${act} ${name}`);
          return { done: true };
        },
      })
    ),
    ...eventRoutes({ events } as AdminContext),
    ...refusalRoutes(
      { server: { refusals: () => recent.all }, core: { settings: { clock: systemClock } } } as unknown as AdminContext,
    ),
    ...auditRoutes({
      core: { settings: { clock: systemClock } },
      outlets: audit ? { audit: { file: { path, settled: () => Promise.resolve() } } } : {},
    } as unknown as AdminContext),
  ];
  const admin = await serveAdmin({
    title: "fleet",
    load: () => ({ routes, site: DASHBOARD }),
    folder,
    unix: true,
    tcp: { address: { host: "127.0.0.1", port: 0 }, token: FLEET_TOKEN },
    clock: systemClock,
    logger: silentLogger,
  });
  return {
    address: admin.address!,
    admin,
    devices,
    acts,
    happen: (event, time = Date.now()) => happen(event, time),
    audit: (event, facts) => {
      if (audit) Deno.writeTextFileSync(path, auditLine(Date.now(), { event, ...facts }), { append: true });
    },
    [Symbol.asyncDispose]: () => admin.close(),
  };
}
