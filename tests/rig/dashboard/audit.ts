/**
 * An audit of a fleet that there is not.
 *
 * @module
 */

import { auditLine } from "../../../app/audit/line.ts";
import type { Device } from "../../../server/admin/schemas.ts";
import type { Chance } from "./facts.ts";

const MINUTE_MS = 60_000;

/** Its lines, the oldest first. */
export function auditOf(devices: readonly Device[], random: Chance, now: number): string[] {
  const one = () => devices[Math.floor(random() * devices.length)]!;
  const lines: [time: number, line: string][] = [];
  const add = (minutes: number, event: string, facts: Record<string, unknown>) => {
    const time = now - minutes * MINUTE_MS;
    lines.push([time, auditLine(time, { event, ...facts })]);
  };
  add(26 * 60, "server-start", { version: "0.1.0", pid: 4711 });
  for (let n = 0; n < 240; n++) {
    const { name: device, key } = one();
    add(random() * 600, "client-end", {
      ...{ device, key, service: "ssh", client: `198.51.100.${n % 200}:50122`, hostAddress: "0.0.0.0:22007" },
      ...{ reason: n % 9 ? "client-closed" : "client-reset", bytesUp: 2_811, bytesDown: Math.floor(random() * 9e6) },
      durationMs: Math.floor(random() * 4e6),
    });
    add(random() * 600, "link-up", { device, key, listen: "0.0.0.0:7443", remote: `203.0.113.${n % 250}:41222` });
    if (n % 12 === 0) {
      const why = "unknown-device: nobody authorized ed25519:Zm9yZ290dGVu";
      add(random() * 600, "refused", {
        remote: "192.0.2.7:40110",
        listen: "0.0.0.0:7443",
        reason: "unknown-device",
        why,
      });
      add(random() * 600, "act", { by: { via: "unix" }, act: `POST /v1/devices/${device}/drop`, status: 200 });
    }
  }
  const { name } = one();
  add(3, "service-opened", {
    device: name,
    service: "web",
    by: "alice",
    reason: "ticket 4711",
    until: "2026-01-31T12:00:00.000Z",
  });
  add(2, "device-change", { change: "renamed", device: name, before: "gw-old" });
  add(1, "act", {
    act: "server rename",
    arguments: ["gw-old", name],
    by: { via: "command", uid: 0, sudoUser: "alice" },
  });
  return lines.sort(([a], [b]) => a - b).map(([, line]) => line);
}
