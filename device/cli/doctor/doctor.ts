/**
 * `device doctor`: what a device needs of its machine and of the way to its server.
 *
 * @module
 */

import type { Command } from "commander";
import { type OptionValues, optionValues } from "../../../app/options.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import { loadConfig } from "../../../app/files/state_version.ts";
import type { TomlTable } from "../../../app/toml/table.ts";
import { type Check, doctorCommand, type Finding } from "../../../app/doctor/doctor.ts";
import { askRunning } from "../../../app/doctor/running.ts";
import { descriptorCheck, engineCheck, stateChecks } from "../../../app/doctor/machine.ts";
import { stateFolder } from "../../../app/files/state.ts";
import { describeError } from "../../../base/errors.ts";
import { within } from "../../../base/within.ts";
import { systemClock } from "../../../base/clock.ts";
import { type Address, formatAddress, parseAddress } from "../../../protocol/address.ts";
import { lookup, NameError } from "../../../net/dial/lookup.ts";
import { dialServer } from "../../../net/dial/server.ts";
import { lookAtServer } from "../../../relay/handshake.ts";
import { chooseEngine } from "../../../net/engines.ts";
import { ServerIdentityError, type ServerSecurity } from "../../../net/tls/proof.ts";
import { ipBytes } from "../../../protocol/ip.ts";
import type { DeviceFacts, Service } from "../../admin/schemas.ts";
import { DOCTOR_DIAL_MS } from "../../limits.ts";
import { readCa } from "../ca.ts";
import { DEVICE_OPTIONS, type DeviceConfig, deviceConfig } from "../config.ts";
import { lackOf, parseEndpoint } from "../../endpoints/registry.ts";
import { lackIn } from "../../not_open.ts";
import { endpointCheck } from "./endpoint_checks.ts";
import { userOf } from "../../../app/doctor/rights.ts";
import { loadDevice } from "../state.ts";
import { openCheck } from "./open_check.ts";
import { runningCheck } from "./running_check.ts";
import { connectCheck, NAME_LOST, UNREACHED, wayChecks } from "./way_checks.ts";

/** The command, below the device's command `name`. */
export function deviceDoctorCommand(name: string): Command {
  return doctorCommand(name, {
    help: "Looks at what this device needs: names, the way to its server, TLS, clock, services, rights, disk.",
    examples:
      `A device that runs is asked what it offers; one that does not goes by what join has stored, and by options:
  ${name} doctor
  ${name} doctor --state /srv/gateway --json
  ${name} --proxy http://proxy.lan:3128 doctor
  ${name} doctor --config /etc/sallyport/device.toml`,
    checks: ({ config, state }, command) => checksOf(command, config, state),
  });
}

/** The device that runs, and what it offers. */
interface Running {
  readonly device: DeviceFacts;
  readonly services: readonly Service[];
}

async function checksOf(
  command: Command,
  path: string | undefined,
  state: string | undefined,
): Promise<Check[]> {
  const file = path === undefined ? undefined : loadConfig(path);
  const values = optionValues(DEVICE_OPTIONS, command, file);
  const folder = stateFolder(state ?? values.state, "device");
  const running = await askRunning(folder, async (client): Promise<Running> => ({
    device: await client.get<DeviceFacts>("/v1/device"),
    services: (await client.get<{ items: Service[] }>("/v1/services")).items,
  }));
  const { device } = running.facts ?? {};
  const isTold = file !== undefined || WAY_WORDS.some((name) => values[name] !== undefined);
  const config = await configOf(
    { ...values, ...(state !== undefined && { state }) },
    file,
    folder,
    device !== undefined && !isTold,
  );
  const isV2 = (config?.profile ?? device?.profile) !== "v1";
  const all = config === undefined ? [] : "host" in config.server ? [config.server] : config.server;
  // One that runs with options of its own may go elsewhere: then what join has stored says nothing of its way.
  const servers = device && !isTold && !all.some((each) => formatAddress(each) === device.server) ? [] : all;
  return [
    engineCheck(config?.engine ?? "auto", device?.engine),
    descriptorCheck(device?.pid),
    ...(isV2 ? stateChecks(folder) : []),
    ...(isV2 || device ? [runningCheck({ ...running, facts: device })] : []),
    ...servers.flatMap((server) => [nameCheck(server), ...wayChecks(config!, server), reachCheck(config!, server)]),
    ...(device && device.state !== "online" && servers.length === 0 ? farChecks(device.server) : []),
    ...serviceChecks(isV2 && values.service === undefined ? running.facts : undefined, config),
  ];
}

/** What stands behind each service: of the device that runs, else of what it would run with. */
function serviceChecks(running: Running | undefined, config: DeviceConfig | undefined): Check[] {
  const engine = config?.engine ?? "auto";
  if (running) {
    const user = userOf(running.device.pid) ?? userOf();
    const offered = running.services.map(({ name }) => name);
    return running.services.map((service) => {
      const { name, localAddress: place, endpoint, error } = service;
      const lacks = lackIn(error);
      return openCheck(service, running.device, endpointCheck({ name, place, engine, user, endpoint, lacks }), offered);
    });
  }
  if (config?.profile !== "v2") return [];
  const user = userOf();
  return config.services.flatMap(({ named }) => named!).map((service) => {
    const { name, localAddress, endpoint = "" } = service;
    const place = localAddress ? formatAddress(localAddress) : parseEndpoint(endpoint).address;
    return endpointCheck({ name, place, engine, user, lacks: lackOf(service, chooseEngine(engine).engine) });
  });
}

/** What says by which way a device goes to which server. */
const WAY_WORDS = ["server", "profile", "server-key", "pki", "ca", "plain", "proxy", "sni"] as const;

/** What options, file and state say; nothing, if that is too little and a device runs all the same. */
async function configOf(
  values: OptionValues<typeof DEVICE_OPTIONS>,
  file: TomlTable | undefined,
  folder: string,
  runs: boolean,
): Promise<DeviceConfig | undefined> {
  const isV2 = (values.profile ?? "v2") === "v2";
  try {
    return deviceConfig(values, file, isV2 ? await loadDevice(folder) : undefined);
  } catch (error) {
    if (runs && error instanceof ConfigError) return undefined;
    throw error;
  }
}

const OTHER_SERVER =
  "if the server was set up anew, have this device join it by a new string; else somebody is between";

/** What would do about a server that could not be reached. */
function adviceFor(error: unknown): string {
  if (error instanceof ServerIdentityError) return OTHER_SERVER;
  return error instanceof Error && error.cause instanceof NameError ? NAME_LOST : UNREACHED; // as dialServer has it
}

/** What was thrown, with what would do. */
function failure(error: unknown, advice: string): Finding {
  const [text = ""] = describeError(error).split("\n");
  return { level: "fail", text, advice };
}

function nameCheck({ host }: Address): Check {
  return {
    name: `name ${host}`,
    async look() {
      if (ipBytes(host) !== undefined) return { level: "ok", text: "an address, which needs no name server" };
      const found = await lookup(host, systemClock).catch((error: unknown) => failure(error, NAME_LOST));
      if ("level" in found) return found;
      const six = found.filter((address) => address.includes(":")).length;
      return {
        level: "ok",
        text: `${found.length - six} IPv4 and ${six} IPv6 ${six === 1 ? "address" : "addresses"}: ${found.join(", ")}`,
      };
    },
  };
}

/** As far as one comes to the server of a device that runs with options of its own: its key and proxy are not known. */
function farChecks(server: string): Check[] {
  const address = parseAddress(server);
  return [nameCheck(address), connectCheck(address)];
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
      const transport = await dialServer(target, engine, systemClock, DOCTOR_DIAL_MS, signal)
        .catch((error: unknown) => failure(error, adviceFor(error)));
      if ("level" in transport) return transport;
      const took = Math.round(systemClock.now() - since);
      const look = () => lookAtServer(transport.duplex, "doctor only looks whether this server answers");
      if (config.profile === "v2") {
        await within(systemClock, DOCTOR_DIAL_MS, () => transport.cut(), look).catch(() => {}); // it has answered
      }
      transport.duplex.close();
      const how = transport.kind === "tcp" ? "TCP" : "TCP and TLS, and it proves itself";
      return { level: "ok", text: `answers in ${took} ms by ${how}` };
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
