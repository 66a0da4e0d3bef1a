/**
 * The metrics of a device: counted by its events, and read from its status.
 *
 * @module
 */

import type { Sample } from "../../app/metrics/family.ts";
import { addProcessMetrics } from "../../app/metrics/process.ts";
import { Registry } from "../../app/metrics/registry.ts";
import { addDatagrams, addLinkCounters, countResumed } from "../../app/metrics/shared.ts";
import type { Clock } from "../../base/clock.ts";
import type { Engine } from "../../net/socket.ts";
import type { DeviceHandle } from "../handle.ts";

/** What metrics are of. */
export interface DeviceSubject {
  readonly device: DeviceHandle;
  readonly clock: Clock;
  readonly engine: Engine;
}

const STATES = ["connecting", "handshaking", "online", "interrupted", "waiting", "closed"] as const;

/** Makes the metrics of a device, which are counted from now on. */
export function deviceMetrics({ device, clock, engine }: DeviceSubject): Registry {
  const registry = new Registry();
  addProcessMetrics(registry, { clock, engine, since: clock.wall() });
  registry.sampled("gauge", {
    name: "sallyport_link_state",
    help: "1 for the state in which the device is, 0 for the others.",
    labels: { state: STATES },
  }, () => STATES.map((state): Sample => [[state], device.state === state ? 1 : 0]));
  registry.value("gauge", {
    name: "sallyport_link_round_trip_seconds",
    help: "The last round trip to the server, on v2.",
  }, () => seconds(device.status.roundTrip));
  registry.sampled("gauge", {
    name: "sallyport_services",
    help: "Services of the device by how they stand: up, down, or not known, as they are not watched.",
    labels: { state: ["up", "down", "unknown"] },
  }, () => {
    const { services } = device.status;
    const count = (up: boolean | undefined) => services.filter((service) => service.up === up).length;
    return [[["up"], count(true)], [["down"], count(false)], [["unknown"], count(undefined)]];
  });
  registry.sampled("gauge", {
    name: "sallyport_service_reachable",
    help: "1 if clients reach the service at the server, 0 if not, by its name; on v2.",
    labels: { service: "open" },
  }, () => {
    const { profile, services } = device.status;
    if (profile === "v1") return []; // it does not tell
    return services.map(({ name, hostAddress }): Sample => [[name], hostAddress === undefined ? 0 : 1]);
  });
  addDatagrams(registry, () => device.status.datagrams);
  count(registry, device);
  return registry;
}

function count(registry: Registry, device: DeviceHandle): void {
  const dials = registry.counter({ name: "sallyport_dials_total", help: "Tries to reach the server." });
  const failed = registry.counter({
    name: "sallyport_dial_failures_total",
    help: "Those that came to no link.",
  });
  const links = addLinkCounters(registry);
  const carried = registry.counter({
    name: "sallyport_carried_bytes_total",
    help: "Bytes of clients: up, to services, or down, to clients; counted when a channel has ended.",
    labels: { direction: ["up", "down"] },
  });
  device.subscribe((event) => {
    switch (event.type) {
      case "connecting":
        return dials.add();
      case "dial-failed":
        return failed.add();
      case "online":
        return links.starts.add();
      case "interrupted":
        return links.interruptions.add(1, event.reason);
      case "resumed":
        return countResumed(links, event);
      case "lost":
        return links.ends.add(1, event.reason);
      case "channel-end":
        carried.add(event.bytesUp, "up");
        carried.add(event.bytesDown, "down");
        return links.channelEnds.add(1, event.reason);
    }
  });
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
