/**
 * `device doctor`: what a device needs of its machine and of the way to its server.
 *
 * @module
 */

import type { Command } from "commander";
import { adminClient } from "../../app/admin/client.ts";
import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { optionValues } from "../../app/options.ts";
import { variable } from "../../app/options.ts";
import { loadConfig } from "../../app/files/state_version.ts";
import { type Check, doctorCommand } from "../../app/doctor/doctor.ts";
import { descriptorCheck, engineCheck, stateChecks } from "../../app/doctor/machine.ts";
import { stateFolder } from "../../app/files/state.ts";
import { systemClock } from "../../base/clock.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { dial } from "../../net/dial/dial.ts";
import { lookup } from "../../net/dial/lookup.ts";
import { dialServer } from "../../net/dial/server.ts";
import { chooseEngine } from "../../net/engines.ts";
import type { ServerSecurity } from "../../net/tls/proof.ts";
import { ipBytes } from "../../protocol/ip.ts";
import type { DeviceFacts } from "../admin/schemas.ts";
import { DOCTOR_DIAL_MS, FAR_CLOCK_MS } from "../limits.ts";
import { readCa } from "./ca.ts";
import { DEVICE_OPTIONS, type DeviceConfig, deviceConfig } from "./config.ts";
import { loadDevice } from "./state.ts";
import { wayChecks } from "./way_checks.ts";

/** The command, below the device's command `name`. */
export function deviceDoctorCommand(name: string): Command {
  return doctorCommand(name, {
    table: {},
    help: "Looks at what this device needs: names, the way to its server, TLS, clock, services, rights, disk.",
    examples: `It goes by the options in front of its name, and by what join has stored:
  ${name} doctor
  ${name} --config /etc/sallyport/device.toml doctor --json`,
    checks: (command) => checksOf(command.parent!),
  });
}

async function checksOf(command: Command): Promise<Check[]> {
  const { config: path = variable("SALLYPORT_CONFIG") } = command.opts<{ config?: string }>();
  const file = path === undefined ? undefined : loadConfig(path);
  const values = optionValues(DEVICE_OPTIONS, command, file);
  const isV2 = (values.profile ?? "v2") === "v2";
  const folder = stateFolder(values.state, "device");
  const config = deviceConfig(values, file, isV2 ? await loadDevice(folder) : undefined);
  const servers = "host" in config.server ? [config.server] : config.server;
  return [
    engineCheck(config.engine),
    descriptorCheck(),
    ...(isV2 ? [...stateChecks(folder), runningCheck(folder)] : []),
    ...servers.flatMap((server) => [nameCheck(server), ...wayChecks(config, server), reachCheck(config, server)]),
    ...(config.profile === "v2"
      ? config.services.flatMap(({ named }) => named!.flatMap((each) => serviceChecks(config, each)))
      : []),
  ];
}

function nameCheck({ host }: Address): Check {
  return {
    name: `name ${host}`,
    async look() {
      if (ipBytes(host) !== undefined) return { level: "ok", text: "an address, which needs no name server" };
      const found = await lookup(host, systemClock);
      const six = found.filter((address) => address.includes(":")).length;
      return { level: "ok", text: `${found.length - six} IPv4 and ${six} IPv6 addresses: ${found.join(", ")}` };
    },
  };
}

/** TCP, the proxy if there is one, and TLS as the device does it. */
function reachCheck(config: DeviceConfig, server: Address): Check {
  const at = formatAddress(server);
  return {
    name: `server ${at}`,
    async look(signal) {
      const { engine } = chooseEngine(config.engine);
      const since = systemClock.now();
      const proxy = config.profile === "v2" ? config.proxyFor?.(server) : undefined;
      const target = { server, security: securityOf(config), ...(proxy && { proxy }) };
      const transport = await dialServer(target, engine, systemClock, DOCTOR_DIAL_MS, signal);
      transport.duplex.close();
      const how = transport.kind === "tcp" ? "TCP" : "TCP and TLS, and it proves itself";
      return { level: "ok", text: `answers in ${Math.round(systemClock.now() - since)} ms by ${how}` };
    },
  };
}

function securityOf(config: DeviceConfig): ServerSecurity {
  if (config.profile === "v1" || config.security === "plain") return { kind: "plain" };
  if (config.security !== "pki") {
    return { kind: "pinned", serverKey: config.serverKey, ...(config.sni !== undefined && { sni: config.sni }) };
  }
  return { kind: "pki", ...(config.ca !== undefined && { caCerts: [readCa(config.ca)] }) };
}

/** Whether something answers where clients are to be taken. */
function serviceChecks(
  config: DeviceConfig,
  { name, localAddress }: { name: string; localAddress?: Address | undefined },
): Check[] {
  if (!localAddress) return [];
  const at = formatAddress(localAddress);
  return [{
    name: `service ${name}`,
    async look(signal) {
      const { engine } = chooseEngine(config.engine);
      try {
        (await dial(localAddress, { engine, clock: systemClock, timeout: DOCTOR_DIAL_MS, signal })).close();
        return { level: "ok", text: `${at} answers` };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        return { level: "warn", text: `${at} does not: ${why}`, advice: "start what is to answer there" };
      }
    },
  }];
}

/** Asks the device that runs, if one does. */
function runningCheck(folder: string): Check {
  return {
    name: "running",
    async look() {
      using client = adminClient({ socket: `${folder}/${ADMIN_SOCKET}` });
      let facts: DeviceFacts;
      try {
        facts = await client.get<DeviceFacts>("/v1/device");
      } catch {
        return { level: "warn", text: "no device runs with this state, or with --admin off" };
      }
      const { state, server, clockOffset, goodbye } = facts;
      if (state !== "online") {
        const why = goodbye ? `; it said ${goodbye.code}: ${goodbye.text}` : "";
        return { level: "fail", text: `the device that runs is ${state}, ${server}${why}` };
      }
      const offset = clockOffset === null ? "" : `, clocks ${Math.round(Math.abs(clockOffset))} ms apart`;
      if (clockOffset !== null && Math.abs(clockOffset) > FAR_CLOCK_MS) {
        return {
          level: "warn",
          text: `online at ${server}${offset}`,
          advice: "set this machine's clock, with NTP if it can",
        };
      }
      return { level: "ok", text: `online at ${server}${offset}` };
    },
  };
}
