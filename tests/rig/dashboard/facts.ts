/**
 * Facts about a fleet that there is not, which look like those of one.
 *
 * @module
 */

import type { Static } from "../../../app/admin/schema.ts";
import type { Client, Device, ServerFacts } from "../../../server/admin/schemas.ts";
import type { LinkInterruptedEvent, LinkResumedEvent, RefusedEvent, ServerEvent } from "../../../server/events.ts";

type Service = Device["services"][number];

/** A number from 0 to 1. */
export type Chance = () => number;

const PLACES = ["berlin", "lyon", "oslo", "porto", "graz", "turin", "gdansk", "cork"];
const MINUTE_MS = 60_000;

/** `web` is closed but for a time, and open at some of them. */
function access(service: string, isOpen: boolean, now = Date.now()): Pick<Service, "closed" | "opening"> {
  if (service !== "web") return { closed: false, opening: null };
  const opening = {
    since: new Date(now - 12 * MINUTE_MS).toISOString(),
    until: new Date(now + 48 * MINUTE_MS).toISOString(),
    from: ["198.51.100.0/24"],
    reason: "ticket 4711",
    by: "alice",
    keepClients: false,
  };
  return { closed: true, opening: isOpen ? opening : null };
}

/** Devices. */
export function devicesOf(count: number, random: Chance, now: number): Device[] {
  const time = (ago: number) => new Date(now - ago).toISOString();
  return Array.from({ length: count }, (_, n) => {
    const chance = random();
    const link = chance < 0.9 ? "online" : chance < 0.93 ? "interrupted" : "offline";
    const isUp = link !== "offline";
    const losses = random() < 0.02 ? 3 + Math.floor(random() * 20) : random() < 0.1 ? 1 : 0;
    const since = link === "interrupted"
      ? random() * MINUTE_MS
      : (losses ? 1 + random() * 9 : random() * 4_000) * MINUTE_MS;
    const place = PLACES[Math.floor(random() * PLACES.length)]!;
    const name = `gw-${place}-${String(n + 1).padStart(4, "0")}`;
    const service = (service: string, port: number) => ({
      name: service,
      granted: `0.0.0.0:${port}`,
      hostAddress: isUp ? `0.0.0.0:${port}` : null,
      open: isUp,
      error: null,
      maxClients: service === "ssh" ? 8 : null,
      idleTimeout: null,
      ...access(service, isUp),
      datagrams: null,
    });
    return {
      name,
      key: `ed25519:${btoa(name.padEnd(32, "k")).slice(0, 43)}`,
      state: !isUp && random() < 0.15 ? "disabled" : "active",
      link,
      since: time(since),
      losses,
      sessionSince: isUp ? time(since + random() * 600 * MINUTE_MS) : null,
      remote: isUp ? `203.0.113.${n % 250 + 1}:${40_000 + n % 20_000}` : null,
      security: isUp ? "tls" : null,
      bound: isUp ? true : null,
      software: isUp ? "sallyport 0.1.0" : null,
      versions: isUp ? [2, 2] : null,
      incompatible: null,
      mode: isUp ? "run" : "init",
      services: [service("ssh", 22_000 + n), ...(n % 3 === 0 ? [service("web", 30_000 + n)] : [])],
      clients: isUp && random() < 0.2 ? 1 + Math.floor(random() * 5) : 0,
      clockOffset: isUp ? random() * 80 - 40 : null,
      tcp: null,
      roundTrip: isUp ? 12 + random() ** 4 * 700 : null,
      keepAlive: { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 2 },
      deviceKeepAlive: isUp ? { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 2 } : null,
      bytesToday: isUp ? { day: time(0).slice(0, 10), idle: 400_000 + n, carried: n * 1_000 } : null,
      bytesBefore: null,
      conflict: null,
      expires: null,
      expiration: null,
      tags: n % 4 === 0 ? [`site:${place}`, "lte"] : [],
      modeChange: null,
      draining: isUp && n % 37 === 5 ? { since: time(9 * MINUTE_MS), until: time(-21 * MINUTE_MS) } : null,
      comment: n % 7 === 0 ? `roof, ${place}` : null,
    };
  });
}

/** Clients of these devices. */
export function clientsOf(devices: readonly Device[], random: Chance, now: number): Client[] {
  return devices.flatMap(({ name, clients, services }) =>
    Array.from({ length: clients }, () => ({ name, service: services[0]! }))
  ).map(({ name, service }, at) => ({
    id: at + 1,
    address: `198.51.100.${at % 200 + 1}:${50_000 + at % 10_000}`,
    device: name,
    service: service.name,
    hostAddress: service.hostAddress ?? service.granted ?? "",
    since: new Date(now - random() * 300 * MINUTE_MS).toISOString(),
    state: "open" as const,
    bytesUp: Math.floor(random() ** 6 * 4e8),
    bytesDown: Math.floor(random() ** 5 * 9e9),
    datagrams: null,
  }));
}

/** The server of them. */
export function serverOf(
  devices: readonly Device[],
  clients: readonly Client[],
  now: number,
): Static<typeof ServerFacts> {
  const limit = (name: string, used: number, most: number) => ({
    ...{ name, used, most, reached: used >= most, refused: 0 },
    since: used >= most ? new Date(now - 5 * MINUTE_MS).toISOString() : null,
  });
  return {
    version: "0.1.0",
    draining: null,
    engine: "native",
    pid: 4711,
    since: new Date(now - 26 * 60 * MINUTE_MS).toISOString(),
    ready: true,
    listeners: [{ address: "0.0.0.0:7443", profile: "v2", security: "pinned", device: null, link: null, services: [] }],
    counts: {
      devices: devices.length,
      online: devices.filter(({ link }) => link === "online").length,
      interrupted: devices.filter(({ link }) => link === "interrupted").length,
      clients: clients.length,
      clientsEver: clients.length + 18_212,
      enrolments: 3,
      draining: 0,
    },
    limits: [
      limit("descriptors for clients", clients.length, 31_000),
      limit("connections at 0.0.0.0:7443 not let in yet", 2, 512),
      limit("bytes kept for replay", 238_000_000, 268_435_456),
      limit("bytes granted to senders", 61_000_000, 536_870_912),
      limit("enrolments that wait", 3, 1_024),
    ],
    limit: null,
    trouble: null,
  };
}

/** A day of the server. */
export function historyOf(devices: number, random: Chance, now: number) {
  const step = 5 * MINUTE_MS;
  return {
    step,
    kept: "file",
    why: null,
    points: Array.from({ length: 288 }, (_, n) => {
      const time = Math.floor(now / step) * step - (287 - n) * step;
      const day = 0.6 - 0.4 * Math.cos((n / 288) * 2 * Math.PI);
      const outage = n > 190 && n < 197;
      return {
        time: new Date(time).toISOString(),
        online: Math.round(devices * (outage ? 0.7 : 0.91) + random() * 6),
        interrupted: Math.round(devices * (outage ? 0.2 : 0.02) + random() * 4),
        clients: Math.round(devices * day * 0.4 + random() * 30),
        bytesUp: Math.round(day * 2e9 * (0.8 + random() * 0.4)),
        bytesDown: Math.round(day * 9e9 * (0.7 + random() * 0.6)),
        roundTrip: 18 + day * 14 + random() * 3,
        roundTripMost: 300 + day * 300 + random() * 60,
        losses: Math.round(outage ? devices / 20 : random() * 5),
        refused: Math.round(random() ** 8 * 30),
      };
    }),
  };
}

/** A day of one device. */
export function pastOf(random: Chance, now: number) {
  const step = 10 * MINUTE_MS;
  return {
    step,
    kept: "file",
    why: null,
    points: Array.from({ length: 144 }, (_, n) => ({
      time: new Date(Math.floor(now / step) * step - (143 - n) * step).toISOString(),
      clients: Math.floor(random() * 3),
      bytesUp: Math.round(random() ** 3 * 4e7),
      bytesDown: Math.round(random() ** 3 * 3e8),
      roundTrip: 20 + random() * 15,
    })).filter((_, n) => n < 60 || n > 75),
  };
}

/** What happened to them, with its times: interruptions, refusals. */
export function eventsOf(devices: readonly Device[], random: Chance, now: number): [ServerEvent, number][] {
  const listen = "0.0.0.0:7443";
  const found: [ServerEvent, number][] = [];
  for (const { name, losses, remote, link } of devices) {
    for (let n = losses; n > 0; n--) {
      const at = now - (n - random() * 0.5) * 55 * MINUTE_MS / losses;
      const lost: LinkInterruptedEvent = {
        type: "link-interrupted",
        listen,
        device: name,
        remote: remote ?? "203.0.113.9:4711",
        reason: random() < 0.7 ? "keep-alive-timeout" : "connection-lost",
        detail: undefined,
        expiration: 300_000,
        clients: Math.floor(random() * 3),
      };
      found.push([lost, at]);
      if (n === 1 && link === "interrupted") continue;
      const interrupted = Math.round(1_000 + random() * 40_000);
      const back: LinkResumedEvent = {
        type: "link-resumed",
        listen,
        device: name,
        remote: remote ?? "203.0.113.9:4712",
        interrupted,
        replayed: Math.floor(random() * 90_000),
      };
      found.push([back, at + interrupted]);
    }
  }
  return found.concat(refusalsOf(devices, random, now)).sort(([, a], [, b]) => a - b);
}

/** Devices, strangers and clients that are turned away. */
function refusalsOf(devices: readonly Device[], random: Chance, now: number): [ServerEvent, number][] {
  const listen = "0.0.0.0:7443";
  const barred = devices.find(({ state }) => state === "disabled") ?? devices[0];
  if (!barred) return [];
  const key = `ed25519:${"Zm9yZ290dGVu".repeat(3)}Zm9yZ28`;
  const kinds: readonly Pick<RefusedEvent, "reason" | "why" | "device" | "key" | "proved">[] = [
    {
      reason: "unknown-device",
      why: `unknown-device: nobody authorized ${key}; on the server: \`enroll NAME\``,
      key,
      proved: true,
    },
    {
      reason: "disabled",
      why: `disabled: ${barred.name} is disabled`,
      device: barred.name,
      key: barred.key,
      proved: true,
    },
    { reason: "stranger", why: "it did not begin as a v2 device does, but with an HTTP request" },
    { reason: "too-late", why: "no handshake within 10 s" },
  ];
  const found: [ServerEvent, number][] = [];
  for (let n = 0; n < 200; n++) {
    const kind = Math.floor(random() ** 2 * kinds.length);
    const host = kind < 2 ? `192.0.2.${7 + kind}` : `203.0.113.${Math.floor(random() * 8)}`;
    found.push([
      { type: "refused", listen, remote: `${host}:${40_000 + n}`, ...kinds[kind]! },
      now - random() * 600 * MINUTE_MS,
    ]);
  }
  for (let n = 0; n < 12; n++) {
    found.push([{
      type: "client-end",
      client: `[2001:db8:7::${n}]:50111`,
      hostAddress: "0.0.0.0:22007",
      localAddress: "ssh",
      device: devices[Math.min(7, devices.length - 1)]!.name,
      reason: "not-allowed",
      error: "allow-from has not its network",
      ...{ bytesUp: 0, bytesDown: 0, duration: 0 },
    }, now - random() * 60 * MINUTE_MS]);
  }
  return found;
}
