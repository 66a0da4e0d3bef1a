/**
 * Whether a server's machine gives what its configuration asks for: descriptors for devices, their host ports, and clients.
 *
 * @module
 */

import { counted } from "../../base/table.ts";
import type { Check, Finding } from "../../app/doctor/doctor.ts";
import { descriptorLimit, keptFrom } from "../../net/kernel/descriptor_room.ts";
import { eachService } from "../devices/service_grant.ts";
import { readDevices } from "../devices/edits.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import type { ServerLimits } from "./server_limits.ts";

/** The check, for the devices of `file`. */
export function capacityCheck(file: string, limits: ServerLimits): Check {
  return {
    name: "capacity",
    async look() {
      const devices = await readDevices(file).catch(() => undefined); // the check of the file itself says why
      if (!devices) return { level: "warn", text: "not known: it is told by devices.toml, which cannot be read" };
      return capacityFinding(devices, limits, descriptorLimit());
    },
  };
}

/** What there is to say; `descriptors`: what the process may have, if that is known. */
export function capacityFinding(
  devices: readonly Pick<AuthorizedDevice, "services">[],
  limits: ServerLimits,
  descriptors: number | undefined,
): Finding {
  const { length: links } = devices;
  if (limits.links !== undefined && links > limits.links) {
    return {
      level: "warn",
      text: `${counted(links, "device")} ${
        links === 1 ? "is" : "are"
      } registered, and max-links lets ${limits.links} in at once`,
      advice: `max-links = ${links}`,
    };
  }
  if (descriptors === undefined) return { level: "ok", text: "the system does not say how many descriptors there are" };
  const ports = devices.reduce((sum, { services }) => sum + eachService(services).length, 0);
  const kept = keptFrom("client", descriptors);
  const left = descriptors - kept - links - ports;
  const need = `${counted(links, "link")} and ${counted(ports, "host port")}`;
  const advice = (sockets: number) => {
    const enough = 2 ** Math.ceil(Math.log2(sockets + kept));
    return `LimitNOFILE=${enough} in the unit, or ulimit -n ${enough} before the start`;
  };
  // Fewer than a client for each service: some would be open, and nobody could come in.
  if (left < ports) {
    return {
      level: "warn",
      text: `${descriptors} descriptors (ulimit -n) are few for ${need}: ${
        left === 1 ? "1 is" : `${Math.max(0, left)} are`
      } left for clients`,
      advice: advice(links + 3 * ports),
    };
  }
  const { sockets } = limits;
  if (sockets !== undefined && sockets > descriptors - kept - ports) {
    return {
      level: "warn",
      text: `max-sockets is ${sockets}, and beside ${counted(ports, "host port")} there are ${
        descriptors - kept - ports
      } (ulimit -n)`,
      advice: `${advice(sockets + ports)}, or a lower max-sockets`,
    };
  }
  return { level: "ok", text: `${need}, which leaves ${left} descriptors for clients` };
}
