/**
 * The metrics of a server: counted by its events, and read from what it counts anyway. Nothing is done for a frame.
 *
 * @module
 */

import { addDatagrams, addLinkCounters, countResumed } from "../../app/metrics/shared.ts";
import type { Sample } from "../../app/metrics/family.ts";
import { addProcessMetrics } from "../../app/metrics/process.ts";
import { Registry } from "../../app/metrics/registry.ts";
import { CHANNEL_END_REASONS, HANDSHAKE_FAILURES, REFUSALS } from "../../protocol/reasons.ts";
import type { AdminContext } from "../admin/context.ts";
import { limitsOf } from "../admin/server_routes.ts";
import { LIMIT_NAMES } from "../capacity/server_limits.ts";
import type { ServerEvent } from "../events.ts";
import { V2Listener } from "../v2/listener.ts";
import { addDeviceMetrics } from "./device_series.ts";
import { type DeviceSeries, quantile, Survey } from "./survey.ts";

/** What metrics are of. */
export type MetricsSubject = Pick<AdminContext, "server" | "core" | "state" | "since">;

/** Makes the metrics of a server, which are counted from now on. */
export function serverMetrics(subject: MetricsSubject, series: DeviceSeries = { perDevice: true }): Registry {
  const { server, core, state, since } = subject;
  const { settings, registry: devices } = core;
  const registry = new Registry();
  addProcessMetrics(registry, { clock: settings.clock, engine: settings.engine, since });
  const survey = new Survey(core, series);
  registry.before(() => survey.look());
  addLinks(registry, survey, subject);
  registry.value("gauge", {
    name: "sallyport_link_pending_bytes",
    help: "Bytes that wait to be written to links.",
  }, () => survey.pending);
  registry.value("gauge", {
    name: "sallyport_replay_retained_bytes",
    help: "Bytes that were sent and are kept until they are acknowledged, to be sent again.",
  }, () => devices?.memory.kept ?? 0);
  registry.value("gauge", {
    name: "sallyport_granted_bytes",
    help: "Bytes that senders may send before they are granted more.",
  }, () => devices?.memory.granted ?? 0);
  registry.value("gauge", {
    name: "sallyport_devices",
    help: "Devices that may link up.",
  }, () => state?.devices.count ?? 0);
  registry.value("gauge", { name: "sallyport_host_ports", help: "Host ports that are open, of v2 devices." }, () => {
    return survey.openPorts;
  });
  addLimits(registry, subject);
  addLimitRefusals(registry, subject);
  registry.sampled("counter", {
    name: "sallyport_rule_refusals_total",
    help: "Clients that rules of access refused or ended, by why.",
    labels: { reason: CHANNEL_END_REASONS },
  }, () => Object.entries(settings.refusalCounts.all).map(([reason, count]): Sample => [[reason], count]));
  registry.sampled("gauge", {
    name: "sallyport_certificate_end_timestamp_seconds",
    help: "When the certificate of a listener ends, in seconds since 1970, if it is of a CA.",
    labels: { listen: "open" },
  }, function* () {
    for (const listener of core.listeners) {
      const ends = listener instanceof V2Listener ? listener.certificateEnds : undefined;
      if (ends !== undefined) yield [[listener.address], ends / 1000];
    }
  });
  addDeviceMetrics(registry, survey);
  server.subscribe(counting(registry, survey));
  return registry;
}

/** What there is of links, clients and bytes. */
function addLinks(registry: Registry, survey: Survey, { core: { settings } }: MetricsSubject): void {
  registry.sampled("gauge", {
    name: "sallyport_links",
    help: "Devices by their link: online, or interrupted with a session that waits for the next.",
    labels: { state: ["online", "interrupted"] },
  }, () => [[["online"], survey.online], [["interrupted"], survey.interrupted]]);
  registry.sampled("gauge", {
    name: "sallyport_channels",
    help: "Clients that are there: waiting for a channel, open, or leaving, with what came for them.",
    labels: { state: ["waiting", "open", "leaving"] },
  }, () => Object.entries(survey.clients).map(([state, count]): Sample => [[state], count]));
  registry.value("counter", {
    name: "sallyport_channel_starts_total",
    help: "Clients that came to host ports.",
  }, () => settings.clients.total);
  registry.sampled("counter", {
    name: "sallyport_carried_bytes_total",
    help: "Bytes of clients: up, to services, or down, to clients.",
    labels: { direction: ["up", "down"] },
  }, () => [[["up"], survey.carried.up], [["down"], survey.carried.down]]);
  addDatagrams(registry, () => settings.datagrams.all);
  const hostFailures = { name: "sallyport_host_port_failures_total", help: "Tries to open a host port that failed." };
  registry.value("counter", hostFailures, () => settings.hostFailures.count);
  registry.sampled("gauge", {
    name: "sallyport_round_trip_seconds",
    help: "The last round trips of all links: the median, and the longest of 90, 99 and 100 in a hundred.",
    labels: { part: ["0.5", "0.9", "0.99", "1"] },
  }, function* () {
    for (const part of ["0.5", "0.9", "0.99", "1"]) {
      const value = quantile(survey.roundTrips, Number(part));
      if (value !== undefined) yield [[part], value];
    }
  });
}

function addLimits(registry: Registry, { core, state }: MetricsSubject): void {
  let enrolments = 0;
  registry.before(async () => {
    enrolments = (await state?.enrolments.waiting().catch(() => undefined))?.length ?? enrolments;
  });
  registry.sampled("gauge", {
    name: "sallyport_limit_used",
    help: "How much is in use of what is bounded.",
    labels: { limit: "open" },
  }, () => limitsOf({ core, state }, enrolments).map(({ name, used }): Sample => [[name], used]));
  registry.sampled("gauge", {
    name: "sallyport_limit_most",
    help: "The most there can be of it, where that is known.",
    labels: { limit: "open" },
  }, function* () {
    for (const { name, most } of limitsOf({ core, state }, enrolments)) if (most !== null) yield [[name], most];
  });
}

/** Newcomers whom limits of the whole server refused. */
function addLimitRefusals(registry: Registry, { core: { settings } }: MetricsSubject): void {
  registry.sampled("counter", {
    name: "sallyport_limit_refusals_total",
    help: "Clients and devices that a limit of the whole server refused, by the limit.",
    labels: { limit: Object.values(LIMIT_NAMES) },
  }, () => [...settings.capacity.refused].map(([name, count]): Sample => [[name], count]));
}

/** What counts events. */
function counting(registry: Registry, survey: Survey): (event: ServerEvent) => void {
  const links = addLinkCounters(registry);
  const refusals = registry.counter({
    name: "sallyport_refusals_total",
    help: "Devices that were turned away, by why.",
    labels: { reason: REFUSALS },
  });
  const failures = registry.counter({
    name: "sallyport_handshake_failures_total",
    help: "Connections to listeners for devices that came to nothing by themselves, by why.",
    labels: { reason: HANDSHAKE_FAILURES },
  });
  const enrolled = registry.counter({
    name: "sallyport_enrolled_total",
    help: "Devices that used their enrolment string.",
  });
  const isRefusal: ReadonlySet<string> = new Set(REFUSALS);
  return (event) => {
    switch (event.type) {
      case "link-up":
        return links.starts.add();
      case "link-interrupted":
        return links.interruptions.add(1, event.reason);
      case "link-resumed":
        return countResumed(links, event);
      case "link-down":
        return links.ends.add(1, event.reason);
      case "client-end":
        survey.clientEnded(event);
        return links.channelEnds.add(1, event.reason);
      case "refused":
        return (isRefusal.has(event.reason) ? refusals : failures).add(1, event.reason);
      case "enrolled":
        return enrolled.add();
    }
  };
}
