/**
 * `server enroll`: prints the one string that lets a device in.
 *
 * @module
 */

import type { Command } from "commander";
import { ENROLMENT_VALID_MS } from "../../limits.ts";
import { DEFAULT_PORTS, formatAddress } from "../../../protocol/address.ts";
import { V2_MAX_SERVICES } from "../../../protocol/v2/limits.ts";
import { parseName } from "../../../protocol/name.ts";
import { writeDuration } from "../../../base/duration.ts";
import { atOnce } from "../../../base/slices.ts";
import { argument, printLine, readsConfig, taskCommand, taskOptions } from "../../../app/command.ts";
import { ConfigError } from "../../../app/toml/config_error.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr } from "../../../app/output.ts";
import { STATE_OPTION, stateFolder } from "../../../app/files/state.ts";
import { parsePath, parsePositiveDuration } from "../../../app/values.ts";
import { parseComment } from "../../devices/authorized_devices.ts";
import { Enrolments } from "../../state/enrolments.ts";
import { devicesFile, readFacts } from "../../state/facts.ts";
import { portToDial } from "../../listen_address.ts";
import { readLiveState } from "../../state/live_state.ts";
import { DeviceIndex } from "../../devices/index.ts";
import { readDevices } from "../../devices/edits.ts";
import {
  describeGrantedAddress,
  eachService,
  parseGrant,
  rangeOf,
  type ServiceGrant,
} from "../../devices/service_grant.ts";
import { splitHosts } from "../../ports/unix_host.ts";
import { makeEnrolment, parseExpiry, parsePublicAddress, publicAddresses } from "../../state/enroll.ts";
import { certificateWarning, serviceWarnings } from "../../state/enroll_warnings.ts";

/** The option `--devices`. */
export const DEVICES_OPTION = {
  value: "FILE",
  help: "file of authorized devices (default: the one that the server uses, devices.toml in its state)",
  parse: parsePath,
};

const OPTIONS = {
  service: {
    value: "NAME=ADDRESS",
    help: "a service and where clients reach it: HOST:PORT; HOST:8000-8099 for a free port of these, HOST:0 for any; " +
      "HOST:8000-8010,each for as many services, NAME-1 and on; or unix:PATH[,mode=0660][,group=NAME], or udp:HOST:PORT[,max-age=TIME] for a service over UDP",
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
  return readsConfig(command)
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
  const { expires, comment, valid } = values;
  const { text, validUntil, voided } = await makeEnrolment(folder, new Enrolments(folder, file), facts, addresses, {
    device,
    replace,
    ...(services && { services }),
    ...(expires !== undefined && { expires }),
    ...(comment !== undefined && { comment }),
  }, valid);
  printLine(text);
  if (services) {
    stderr.write(
      `clients will reach ${
        services.map(({ name, listen }) => `${name} at ${describeGrantedAddress(listen)}`).join(", ")
      }`,
    );
  }
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

/** Where a service is to be reached; a port alone is one of every address, which many do not mean. */
function distinct(services: readonly ServiceGrant[]): readonly ServiceGrant[] {
  const seen = new Set<string>();
  for (const { name } of eachService(services)) {
    if (seen.has(name)) throw new ConfigError(`--service ${name} is given twice; give each service its own name`);
    seen.add(name);
  }
  if (seen.size > V2_MAX_SERVICES) {
    throw new ConfigError(`${seen.size} services are too many; a device can have ${V2_MAX_SERVICES}`);
  }
  return services;
}

/** Local addresses to start from; the device's owner knows better. */
function localServices(services: readonly ServiceGrant[] = []): string {
  const usual: Record<string, string> = { ssh: "127.0.0.1:22", web: "127.0.0.1:80", http: "127.0.0.1:80" };
  return services.map((grant) => {
    const { name } = grant;
    const where = rangeOf(grant) === undefined ? "HOST:PORT" : "HOST:FIRST-LAST";
    return ` --service ${name}=${usual[name] ?? where}`;
  }).join("");
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
