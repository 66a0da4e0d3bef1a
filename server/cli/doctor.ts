/**
 * `server doctor`: what a server needs of its machine.
 *
 * @module
 */

import type { Command } from "commander";
import { adminClient } from "../../app/admin/client.ts";
import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { optionValues, variable } from "../../app/options.ts";
import { loadConfig } from "../../app/files/state_version.ts";
import { type Check, doctorCommand } from "../../app/doctor/doctor.ts";
import { descriptorCheck, engineCheck, kernelNumbers, stateChecks } from "../../app/doctor/machine.ts";
import { stateFolder } from "../../app/files/state.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { chooseEngine } from "../../net/engines.ts";
import { ServerCertificate } from "../../net/tls/listening.ts";
import { GOOD_BACKLOG } from "../limits.ts";
import { capacityCheck } from "../capacity/capacity_check.ts";
import { readDevices } from "../devices/edits.ts";
import { isUnixHost } from "../ports/unix_host.ts";
import { devicesFile } from "../state/facts.ts";
import { SERVER_OPTIONS, serverConfig } from "./config.ts";

/** The command, below the server's command `name`. */
export function serverDoctorCommand(name: string): Command {
  return doctorCommand(name, {
    table: {},
    help: "Looks at what this server needs: ports, certificates, devices.toml, limits, rights, disk.",
    examples: `It goes by the options in front of its name:
  ${name} doctor
  ${name} --config /etc/sallyport/server.toml doctor --json`,
    checks: (command) => Promise.resolve(checksOf(command.parent!)),
  });
}

function checksOf(command: Command): Check[] {
  const { config: path = variable("SALLYPORT_CONFIG") } = command.opts<{ config?: string }>();
  const file = path === undefined ? undefined : loadConfig(path);
  const values = optionValues(SERVER_OPTIONS, command, file);
  const config = serverConfig(values, file);
  const hasV2 = config.listen.some(({ profile }) => profile === "v2");
  const folder = stateFolder(values.state, "server");
  const devices = devicesFile(folder, values.devices);
  const running = isRunning(folder);
  return [
    engineCheck(config.engine),
    descriptorCheck(),
    backlogCheck(),
    ...(hasV2 ? [...stateChecks(folder), devicesCheck(devices), capacityCheck(devices, config.limits ?? {})] : []),
    {
      name: "running",
      async look() {
        return await running
          ? { level: "ok", text: "a server runs with this state" }
          : { level: "warn", text: "no server runs with this state, or with --admin off" };
      },
    },
    familiesCheck(config.listen.map(({ address }) => address)),
    ...config.listen.flatMap((listen): Check[] => [
      portCheck(listen.address, running),
      ...(listen.profile === "v2" && listen.security.kind === "files"
        ? [certificateCheck(listen.security, config.engine)]
        : []),
    ]),
  ];
}

async function isRunning(folder: string): Promise<boolean> {
  using client = adminClient({ socket: `${folder}/${ADMIN_SOCKET}` });
  return await client.get("/v1/health").then(() => true, () => false);
}

function backlogCheck(): Check {
  return {
    name: "backlog",
    look() {
      const [most] = kernelNumbers("/proc/sys/net/core/somaxconn") ?? [];
      if (most === undefined) return { level: "ok", text: "the system does not say how long it is" };
      if (most >= GOOD_BACKLOG) return { level: "ok", text: `${most} connections may wait (net.core.somaxconn)` };
      return {
        level: "warn",
        text: `${most} connections may wait (net.core.somaxconn): of more that come at once, some are lost`,
        advice: `sysctl -w net.core.somaxconn=${GOOD_BACKLOG}`,
      };
    },
  };
}

/** The file, and ports that the system hands out itself, or keeps for root. */
function devicesCheck(file: string): Check {
  return {
    name: "devices.toml",
    async look() {
      const devices = await readDevices(file);
      const ports = devices.flatMap(({ name, services }) =>
        services.flatMap(({ name: service, listen }) =>
          !isUnixHost(listen) && listen.from > 0
            ? [{ at: `${name}/${service}`, port: listen.from, last: listen.to }]
            : []
        )
      );
      const [low = 1024] = kernelNumbers("/proc/sys/net/ipv4/ip_unprivileged_port_start") ?? [];
      const root = Deno.uid() === 0;
      const privileged = ports.find(({ port }) => port < low);
      if (privileged && !root) {
        return {
          level: "warn",
          text: `port ${privileged.port} of ${privileged.at} is for root alone`,
          advice: "AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit, or another port",
        };
      }
      const [from = Infinity, to = 0] = kernelNumbers("/proc/sys/net/ipv4/ip_local_port_range") ?? [];
      const handedOut = ports.find(({ port, last }) => port === last && port >= from && port <= to);
      if (handedOut) {
        return {
          level: "warn",
          text: `port ${handedOut.port} of ${handedOut.at} is one that the system hands out to others (${from}-${to})`,
          advice: `sysctl -w net.ipv4.ip_local_reserved_ports=${handedOut.port}, or another port`,
        };
      }
      return { level: "ok", text: `${devices.length} devices, ${ports.length} ports of their own, in ${file}` };
    },
  };
}

/** By which family of addresses devices reach this machine. */
function familiesCheck(addresses: readonly Address[]): Check {
  return {
    name: "families",
    look() {
      const hosts = addresses.map(({ host }) => host);
      const six = hosts.some((host) => host.includes(":"));
      const four = hosts.some((host) => !host.includes(":") || host === "::"); // which takes both
      if (six && four) return { level: "ok", text: "devices reach it by IPv4 and by IPv6" };
      const [family, other] = six ? ["IPv6", "0.0.0.0"] : ["IPv4", "[::]"];
      const more = six ? "" : ", which takes IPv4, too";
      return {
        level: "ok",
        text: `devices reach it by ${family} alone; --listen ${other}:PORT is the other one${more}`,
      };
    },
  };
}

function portCheck(address: Address, running: Promise<boolean>): Check {
  const at = formatAddress(address);
  return {
    name: `listen ${at}`,
    async look() {
      const isOurs = await running;
      try {
        Deno.listen({ hostname: address.host, port: address.port }).close();
        if (!isOurs || address.port === 0) return { level: "ok", text: "it is free" };
        return {
          level: "fail",
          text: "it is free, and the server that runs does not listen there",
          advice: "restart it",
        };
      } catch (error) {
        if (isOurs && error instanceof Deno.errors.AddrInUse) return { level: "ok", text: "taken, as a server runs" };
        const why = error instanceof Error ? error.message : String(error);
        return {
          level: "fail",
          text: `it cannot be had: ${why}`,
          advice: "end what has it (ss -ltnp), or --listen elsewhere",
        };
      }
    },
  };
}

function certificateCheck(
  files: Parameters<typeof ServerCertificate.open>[0] & { kind: "files" },
  engine: Parameters<typeof chooseEngine>[0],
): Check {
  return {
    name: `certificate ${files.certFile}`,
    async look() {
      const tls = chooseEngine(engine).engine.tls;
      const certificate = await ServerCertificate.open(files, tls, systemClock, silentLogger);
      certificate.close();
      const { warning } = certificate;
      if (warning === undefined) return { level: "ok", text: "it can be used" };
      return { level: "warn", text: warning, advice: "have it made anew" };
    },
  };
}
