/**
 * `/v1/server`, health and readiness.
 *
 * @module
 */

import { jsonRoute, rawRoute, type Route } from "../../app/admin/route.ts";
import { type Static, Type } from "../../app/admin/schema.ts";
import { metricsAnswer } from "../../app/metrics/answer.ts";
import { demandAnswer } from "../../app/admin/api_error.ts";
import { MEDIA_TYPES } from "../../app/metrics/text.ts";
import { inSlices, type Steps } from "../../base/slices.ts";
import { VERSION } from "../../base/version.ts";
import { PROCESS_LOG_BOUND } from "../../protocol/limits.ts";
import { MAX_ENROLMENTS, PROCESS_WINDOW_BOUND } from "../limits.ts";
import { V1Listener } from "../v1/listener.ts";
import type { AdminContext } from "./context.ts";
import { drainFacts } from "./device_facts.ts";
import type { ServedV1Link } from "../v1/link_status.ts";
import { tcpFacts } from "../../app/admin/shared.ts";
import { healthRoutes } from "../../app/admin/health_routes.ts";
import { type Limit, type ListenerFacts, ServerFacts } from "./schemas.ts";

/** The routes. */
export function serverRoutes(context: AdminContext): Route[] {
  return [
    jsonRoute({
      method: "GET",
      path: "/v1/server",
      id: "getServer",
      summary: "The server: what it is, what it listens at, how much there is of what.",
      response: ServerFacts,
      handle: () => factsOf(context),
    }),
    rawRoute({
      method: "GET",
      path: "/metrics",
      id: "getMetrics",
      summary: "The metrics of the server, for Prometheus; as OpenMetrics if `Accept` asks for that.",
      media: MEDIA_TYPES.prometheus,
      response: Type.String(),
      raw: ({ accept }) => demandAnswer(metricsAnswer(context.metrics, context.core.settings.clock, accept)),
    }),
    ...healthRoutes(
      "Whether devices can dial in.",
      () => context.isReady() ? undefined : "not every listener is bound",
    ),
  ];
}

async function factsOf(context: AdminContext): Promise<Static<typeof ServerFacts>> {
  const { core: { settings, listeners }, state, since } = context;
  const enrolments = (await state?.enrolments.waiting())?.length ?? 0;
  const limits = limitsOf(context, enrolments);
  const links = await inSlices(countLinks(context), settings.clock);
  return {
    version: VERSION,
    engine: settings.engine.name,
    pid: Deno.pid,
    since: new Date(since).toISOString(),
    ready: context.isReady(),
    listeners: listeners.map((listener) => ({
      address: listener.address,
      profile: listener.profile,
      security: listener.security,
      device: listener instanceof V1Listener ? listener.device ?? null : null,
      link: listener instanceof V1Listener ? v1Link(listener.link) : null,
      services: listener instanceof V1Listener
        ? listener.services.map(({ error, ...service }) => ({ ...service, error: error ?? null }))
        : [],
    })),
    counts: {
      devices: state?.devices.all.length ?? 0,
      ...links,
      clients: settings.clients.size,
      clientsEver: settings.clients.total,
      enrolments,
      draining: settings.drains.devices,
    },
    limits,
    limit: firstReached(limits)?.name ?? null,
    draining: drainFacts(settings.drains.of(undefined)),
    trouble: state?.devices.trouble ?? null,
  };
}

function v1Link(link: ServedV1Link | undefined): Static<typeof ListenerFacts>["link"] {
  if (!link) return null;
  const { device, since, clients, keepAlive, tcp } = link;
  return { device, since: new Date(since).toISOString(), clients, keepAlive: keepAlive ?? null, tcp: tcpFacts(tcp) };
}

function* countLinks({ core: { registry } }: AdminContext): Steps<{ online: number; interrupted: number }> {
  const counts = { online: 0, interrupted: 0 };
  for (const { link } of registry?.sessions ?? []) {
    if (link) counts[link.links.interruptedAt === undefined ? "online" : "interrupted"]++;
    yield;
  }
  return counts;
}

/** The limit that was reached first, of those that are. */
export function firstReached(limits: readonly Static<typeof Limit>[]): Static<typeof Limit> | undefined {
  return limits.filter(({ since }) => since !== null).toSorted((a, b) => a.since! < b.since! ? -1 : 1)[0];
}

/** What is bounded, and how much of it is in use. */
export function limitsOf(
  { core, state }: Pick<AdminContext, "core" | "state">,
  enrolments: number,
): Static<typeof Limit>[] {
  const { settings: { clientRoom, capacity }, registry, listeners } = core;
  const { refused } = capacity;
  const limit = (name: string, used: number, most: number) => {
    const since = capacity.since(name, used >= most);
    return {
      name,
      used,
      most: Number.isFinite(most) ? most : null,
      reached: used >= most,
      since: since === undefined ? null : new Date(since).toISOString(),
      refused: refused.get(name) ?? 0,
    };
  };
  return [
    ...capacity.uses(state?.devices.count ?? 0).map(({ name, used, most }) => limit(name, used, most)),
    limit("descriptors for clients", clientRoom.used, clientRoom.most),
    ...listeners.map(({ address, door }) => limit(`connections at ${address} not let in yet`, door.used, door.most)),
    ...(registry
      ? [
        limit("bytes kept for replay", registry.memory.kept, PROCESS_LOG_BOUND),
        limit("bytes granted to senders", registry.memory.granted, PROCESS_WINDOW_BOUND),
        limit("enrolments that wait", enrolments, MAX_ENROLMENTS),
      ]
      : []),
  ];
}
