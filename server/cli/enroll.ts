/**
 * `server enroll`: prints the one string that lets a device in.
 *
 * @module
 */

import { systemClock } from "../../base/clock.ts";
import type { Command } from "commander";
import { MAX_ENROLMENT_ADDRESSES } from "../../protocol/limits.ts";
import { ENROLMENT_VALID_MS } from "../limits.ts";
import { type Address, DEFAULT_PORTS, formatAddress, isHost, notAHost, parseAddress } from "../../protocol/address.ts";
import { encodeEnrolment } from "../../protocol/enrolment.ts";
import { parseName } from "../../protocol/name.ts";
import { writeDuration } from "../../base/duration.ts";
import { atOnce } from "../../base/slices.ts";
import { argument, printLine, taskCommand, taskOptions } from "../../app/command.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import type { OptionTable } from "../../app/options.ts";
import { stderr } from "../../app/output.ts";
import { loadIdentity, STATE_OPTION, stateFolder } from "../../app/files/state.ts";
import { parsePath, parsePositiveDuration, parseTimeOrSpan } from "../../app/values.ts";
import { parseComment } from "../devices/authorized_devices.ts";
import { Enrolments } from "../state/enrolments.ts";
import { devicesFile, readFacts, type ServerFacts } from "../state/facts.ts";
import { portToDial } from "../listen_address.ts";
import { readLiveState } from "../state/live_state.ts";
import { DeviceIndex } from "../devices/index.ts";
import { readDevices } from "../devices/edits.ts";
import { parseGrant, type ServiceGrant } from "../devices/service_grant.ts";
import { splitHosts } from "../ports/unix_host.ts";
import { certificateWarning, isWildcard, serviceWarnings } from "./enroll_warnings.ts";

/** The option `--devices`. */
export const DEVICES_OPTION = {
  value: "FILE",
  help: "file of authorized devices (default: the one that the server uses, devices.toml in its state)",
  parse: parsePath,
};

const OPTIONS = {
  service: {
    value: "NAME=ADDRESS",
    help:
      "a service and where clients reach it: HOST:PORT, a range as in HOST:8000-8099, or HOST:0 for any free port; " +
      "or unix:PATH[,mode=0660][,group=NAME]",
    parse: parseGrant,
    many: true,
    split: splitHosts,
  },
  expires: {
    value: "TIME",
    help: "when the device may no longer link up: a date, or a span as in 90d (default: never)",
    parse: parseExpiry,
  },
  valid: {
    value: "TIME",
    help: "how long the string can be used",
    parse: parsePositiveDuration,
    preset: writeDuration(ENROLMENT_VALID_MS),
  },
  "public-address": {
    value: "ADDRESS",
    help:
      "where devices reach this server, up to four, in the order to try; without a port, where it listens (default: this host's name)",
    parse: parsePublicAddress,
    many: true,
  },
  comment: { value: "TEXT", help: "for people, kept with the device", parse: parseComment, mayBeEmpty: true },
  devices: DEVICES_OPTION,
  state: STATE_OPTION,
} as const satisfies OptionTable;

/** The command, below the server's command `name`. */
export function enrollCommand(name: string): Command {
  const command = taskCommand(
    `${name} enroll`,
    "Prints one string that lets a device in, once.",
    OPTIONS,
    examples(name),
  );
  return command
    .argument("<name>", "the device's name", argument(parseName))
    .option("--replace", "give a device that is there a new key; what is not given stays as it is")
    .action((device: string, _options: unknown, command: Command) => enroll(device, command));
}

async function enroll(device: string, command: Command): Promise<void> {
  const values = taskOptions(OPTIONS, command);
  const replace = command.opts<{ replace?: true }>().replace === true;
  const folder = stateFolder(values.state, "server");
  const services = values.service && distinct(values.service);
  const facts = await readFacts(folder);
  const file = devicesFile(folder, values.devices, facts);
  if (!services && !replace) {
    const conflict = atOnce(DeviceIndex.of(await readDevices(file))).conflict({ device, replace });
    throw new ConfigError(conflict ?? "--service is missing; for example: --service ssh=0.0.0.0:2201");
  }
  const port = portToDial(command.parent, facts, await readLiveState(folder) !== undefined);
  const addresses = publicAddresses(values["public-address"]?.map((given) => ({ port, ...given })), facts);
  const { publicKey: serverKey } = await loadIdentity(folder);
  const { expires, comment, valid } = values;
  const { tokenId, tokenSecret, validUntil, voided } = await new Enrolments(folder, file)
    .create({
      device,
      replace,
      ...(services && { services }),
      ...(expires !== undefined && { expires }),
      ...(comment !== undefined && { comment }),
    }, valid);
  const security = facts?.security ?? "pinned";
  const text = encodeEnrolment({ serverKey, tokenId, tokenSecret, security, addresses });
  printLine(text);
  for (const line of await serviceWarnings(services ?? [], facts)) stderr.write(line);
  const warning = certificateWarning(addresses, facts);
  if (warning) stderr.write(warning);
  if (voided) stderr.write(`the string made for "${device}" before is void now`);
  const dialled = addresses.map(formatAddress).join(", then ");
  if (!values["public-address"]) { // also for a script: it was a guess
    stderr.write(`devices will dial ${dialled}; if they cannot, say --public-address relay.example`);
  } else if (port !== DEFAULT_PORTS.v2 && values["public-address"].some((given) => given.port === undefined)) {
    stderr.write(`devices will dial ${dialled}, as the server listens at ${port}`);
  }
  if (!Deno.stderr.isTerminal()) return;
  const until = new Date(validUntil).toLocaleString("sv-SE");
  stderr.write(`\nOn the device, once, until ${until}:\n  sallyport device join '${text}'${localServices(services)}`);
  if (values["public-address"]) stderr.write(`It will dial ${dialled}.`);
}

/** Parses until when a device may link up: a date, or a span from now. */
export function parseExpiry(text: string): number {
  const expires = parseTimeOrSpan(text, systemClock.wall());
  if (expires <= systemClock.wall()) throw new SyntaxError(`"${text}" is past; the device could never link up`);
  return expires;
}

/** Where devices dial; without a port it is the one where the server listens. */
export interface PublicAddress {
  readonly host: string;
  readonly port?: number;
}

/** Parses `HOST:PORT`, or `HOST`. */
export function parsePublicAddress(text: string): PublicAddress {
  const bare = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (!bare.includes(":") && /[^\0-\x7f]/.test(bare)) throw notAHost(bare, text);
  const address: PublicAddress = isHost(bare) && !/^\d+$/.test(bare) ? { host: bare } : parseAddress(text);
  if (address.port === 0 || isWildcard(address.host)) {
    throw new SyntaxError(`"${text}" is nothing to dial; write what devices dial, as in relay.example:7443`);
  }
  return address;
}

/** Where devices dial: as given, else where the server listens, by this host's name if it listens everywhere. */
export function publicAddresses(
  given: readonly Address[] | undefined,
  facts: ServerFacts | undefined,
  hostname: () => string = Deno.hostname,
): Address[] {
  const addresses = given ?? facts?.addresses.map(({ host, port }) => ({
    host: isWildcard(host) ? nameOfHost(hostname) : host,
    port,
  }));
  if (!addresses || addresses.length === 0) {
    throw new ConfigError(
      "no server has run with this state yet, so nobody knows its address; " +
        "say what devices dial: --public-address relay.example:7443",
    );
  }
  const distinct = [...new Map(addresses.map((address) => [formatAddress(address), address])).values()];
  if (distinct.length > MAX_ENROLMENT_ADDRESSES) {
    throw new ConfigError(
      `${distinct.length} addresses are too many; ${MAX_ENROLMENT_ADDRESSES} have room in the string`,
    );
  }
  return distinct;
}

function nameOfHost(hostname: () => string): string {
  try {
    const name = hostname();
    if (isHost(name)) return name;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
  throw new ConfigError("Cannot tell this host's name; say what devices dial: --public-address relay.example:7443");
}

function distinct(services: readonly ServiceGrant[]): readonly ServiceGrant[] {
  const seen = new Set<string>();
  for (const { name } of services) {
    if (seen.has(name)) throw new ConfigError(`--service ${name} is given twice; give each service its own name`);
    seen.add(name);
  }
  return services;
}

/** Local addresses to start from; the device's owner knows better. */
function localServices(services: readonly ServiceGrant[] = []): string {
  const usual: Record<string, string> = { ssh: "127.0.0.1:22", web: "127.0.0.1:80", http: "127.0.0.1:80" };
  return services.map(({ name }) => ` --service ${name}=${usual[name] ?? "HOST:PORT"}`).join("");
}

function examples(name: string): string {
  return `Examples:
  The ssh of gw1, at port 2201 of this host:
    ${name} enroll gw1 --service ssh=0.0.0.0:2201 --public-address relay.example

  Two services, one of them at any free port of a range, for 90 days, with the address that devices dial:
    ${name} enroll gw2 --service ssh=0.0.0.0:2200-2299 --service web=127.0.0.1:8080 --expires 90d \\
      --public-address relay.example:7443

  A device whose key was lost, with all else as it was:
    ${name} enroll gw1 --replace

The string is a secret until it has been used. It works whether the server runs or not.`;
}
