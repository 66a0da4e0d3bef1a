/**
 * `server doctor`: what a server needs of its machine.
 *
 * @module
 */

import type { Command } from "commander";
import { optionValues } from "../../app/options.ts";
import { loadConfig } from "../../app/files/state_version.ts";
import { type Check, doctorCommand } from "../../app/doctor/doctor.ts";
import { type Asked, askRunning } from "../../app/doctor/running.ts";
import { descriptorCheck, engineCheck, kernelNumbers, stateChecks } from "../../app/doctor/machine.ts";
import { stateFolder } from "../../app/files/state.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { counted } from "../../base/table.ts";
import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import { chooseEngine } from "../../net/engines.ts";
import { readPemFile } from "../../net/tls/pem_file.ts";
import { endWarning, pemEnd } from "../../net/tls/validity.ts";
import { ServerCertificate } from "../../net/tls/listening.ts";
import { GOOD_BACKLOG } from "../limits.ts";
import { capacityCheck } from "../capacity/capacity_check.ts";
import { LIMIT_NAMES, type ServerLimits } from "../capacity/server_limits.ts";
import { readDevices } from "../devices/edits.ts";
import { isUnixHost } from "../ports/unix_host.ts";
import { listed } from "../../app/admin/cli/ask.ts";
import type { Device, ServerState } from "../admin/schemas.ts";
import { devicesFile, readFacts } from "../state/facts.ts";
import { SERVER_OPTIONS, serverConfig } from "./config.ts";
import { familiesFinding } from "./families.ts";
import { type NotOpen, notOpenAdvice } from "./not_open.ts";

/** The command, below the server's command `name`. */
export function serverDoctorCommand(name: string): Command {
  return doctorCommand(name, {
    help: "Looks at what this server needs: ports, certificates, devices.toml, limits, rights, disk.",
    examples: `A server that runs is asked where it listens; for one that does not, give the options that it is to have:
  ${name} doctor
  ${name} doctor --state /srv/relay --json
  ${name} --listen 0.0.0.0:443 doctor
  ${name} doctor --config /etc/sallyport/server.toml`,
    checks: ({ config, state }, command) => checksOf(command, config, state),
  });
}

async function checksOf(
  command: Command,
  path: string | undefined,
  state: string | undefined,
): Promise<Check[]> {
  const file = path === undefined ? undefined : loadConfig(path);
  const values = optionValues(SERVER_OPTIONS, command, file);
  const config = serverConfig(values, file);
  const folder = stateFolder(state ?? values.state, "server");
  const running = await askRunning(folder, (client) => client.get<ServerState>("/v1/server"));
  const server = running.facts;
  const isTold = file !== undefined || LISTEN_WORDS.some((name) => values[name] !== undefined);
  const listeners = isTold ? undefined : server?.listeners;
  const hasV2 = (listeners ?? config.listen).some(({ profile }) => profile === "v2");
  const facts = hasV2 ? await readFacts(folder) : undefined;
  const devices = devicesFile(folder, values.devices, facts);
  const limits = server && !isTold ? limitsOf(server) : config.limits ?? {};
  return [
    engineCheck(config.engine, server?.engine),
    descriptorCheck(server?.pid),
    backlogCheck(),
    ...(hasV2 ? [...stateChecks(folder), devicesCheck(devices), capacityCheck(devices, limits)] : []),
    runningCheck(running),
    ...(server && hasV2 ? [servicesCheck(folder)] : []),
    {
      name: "families",
      look: () =>
        familiesFinding(
          listeners?.map(({ address }) => parseAddress(address)) ?? config.listen.map(({ address }) => address),
        ),
    },
    ...(listeners ? [...listeners.map(boundCheck), ...(facts?.certificate ? [endCheck(facts.certificate)] : [])] : []),
    ...(listeners ? [] : config.listen).flatMap((listen): Check[] => [
      portCheck(listen.address, server?.listeners),
      ...(listen.profile === "v2" && listen.security.kind === "files"
        ? [certificateCheck(listen.security, config.engine)]
        : []),
    ]),
  ];
}

/** What says where a server is to listen, and how. */
const LISTEN_WORDS = ["listen", "profile", "forward", "plain", "tls-cert"] as const;

/** How many links the server that runs lets be: what else is limited the system says better. */
function limitsOf({ limits }: ServerState): ServerLimits {
  const most = limits.find(({ name }) => name === LIMIT_NAMES.links)?.most ?? undefined;
  return most === undefined ? {} : { links: most };
}

function runningCheck({ facts, trouble }: Asked<ServerState>): Check {
  return {
    name: "running",
    look() {
      if (trouble !== undefined) return { level: "fail", text: trouble };
      return facts
        ? { level: "ok", text: `a server runs with this state, as process ${facts.pid}` }
        : { level: "warn", text: "no server runs with this state, or with --admin off" };
    },
  };
}

/** Services of devices that are online, and are not open for a reason that is known. */
function servicesCheck(folder: string): Check {
  return {
    name: "services",
    async look() {
      const { facts = [], trouble } = await askRunning(folder, async (client) => {
        const found: NotOpen[] = [];
        for await (const { name: device, link, services } of listed<Device>(client, "/v1/devices")) {
          if (link !== "online") continue;
          for (const { name, error } of services) if (error !== null) found.push({ device, name, error });
        }
        return found;
      });
      if (trouble !== undefined) return { level: "warn", text: trouble };
      const [first, ...others] = facts;
      if (first === undefined) return { level: "ok", text: "of the devices that are online, none is known to be shut" };
      const text = `${first.device}/${first.name}: ${first.error}`;
      return {
        level: "warn",
        text: others.length === 0 ? text : `${text}; and ${others.length} more: sallyport server devices`,
        advice: notOpenAdvice(first),
      };
    },
  };
}

/** Where the server that runs listens. */
function boundCheck({ address, profile, security }: ServerState["listeners"][number]): Check {
  return {
    name: `listen ${address}`,
    look: () => ({ level: "ok", text: `the server that runs listens there (${profile}, ${security})` }),
  };
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
      const own = ports.length === 1 ? "1 port of its own" : `${ports.length} ports of their own`;
      return { level: "ok", text: `${counted(devices.length, "device")}, ${own}, in ${file}` };
    },
  };
}

/** Where a server is to listen; `listeners`: where the one that runs does. */
function portCheck(address: Address, listeners: ServerState["listeners"] | undefined): Check {
  const at = formatAddress(address);
  const isOurs = listeners?.some((listener) => listener.address === at) ?? false;
  return {
    name: `listen ${at}`,
    look() {
      try {
        Deno.listen({ hostname: address.host, port: address.port }).close();
        if (!listeners || address.port === 0) return { level: "ok", text: "it is free" };
        return {
          level: "fail",
          text: `it is free, and the server that runs listens elsewhere: ${listeners.map(({ address }) => address)}`,
          advice: "if it is to listen here, start it anew with these options",
        };
      } catch (error) {
        if (isOurs && error instanceof Deno.errors.AddrInUse) {
          return { level: "ok", text: "the server that runs listens there" };
        }
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

/** Until when a certificate is good, of which the key is not known here. */
function endCheck(file: string): Check {
  return {
    name: `certificate ${file}`,
    look() {
      const ends = pemEnd(readPemFile(file));
      const warning = endWarning(ends, systemClock.wall());
      if (warning) return { level: warning.isOver ? "fail" : "warn", text: `it ${warning.text}`, advice: RENEW };
      if (ends === undefined) return { level: "fail", text: "it cannot be read", advice: RENEW };
      return { level: "ok", text: `it is good until ${new Date(ends).toISOString().slice(0, 10)}` };
    },
  };
}

const RENEW = "have it made anew";

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
      return { level: "warn", text: warning, advice: RENEW };
    },
  };
}
