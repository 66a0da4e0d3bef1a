/**
 * `device join`: takes the server's one string, makes this device's key, and stays up.
 *
 * @module
 */

import { resolve } from "node:path";
import type { Command } from "commander";
import { MAX_STDIN_LINE } from "../limits.ts";
import { formatAddress } from "../../protocol/address.ts";
import { sameBytes } from "../../protocol/bytes.ts";
import { V2_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { decodeEnrolment, type Enrolment, type Security } from "../../protocol/enrolment.ts";
import { chooseEngine } from "../../net/engines.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { printLine, taskCommand, taskOptions } from "../../app/command.ts";
import { keepAliveOptions } from "../../app/link_options.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { stderr } from "../../app/output.ts";
import { required, variable } from "../../app/options.ts";
import { loadIdentity, stateFolder } from "../../app/files/state.ts";
import { demandWayOf, readCa } from "./ca.ts";
import { CA_OPTION, deviceConfig, LINK_OPTIONS } from "./config.ts";
import { checkNames, demandServed, SERVICE_OPTION } from "./service_option.ts";
import { leftOut } from "./services.ts";
import { claimState } from "./running.ts";
import { loadBefore, loadDevice, saveDevice, type StoredDevice } from "./state.ts";

const OPTIONS = {
  service: { ...SERVICE_OPTION, help: SERVICE_OPTION.help.replace(/^v2: |; v1: .*$/g, "") },
  ca: {
    ...CA_OPTION,
    help: "for a server with a certificate of a private CA: that CA's certificates, as PEM; the file's place is stored",
  },
  ...LINK_OPTIONS,
  ...keepAliveOptions("server", V2_KEEP_ALIVE),
} as const;

/** The command, below the device's command `name`; `run` runs the device with what is stored then, under the claim of `join`. */
export function joinCommand(name: string, run: (command: Command, once: boolean) => Promise<void>): Command {
  const help = "Joins the server that printed the string: makes this device's key, proves itself, then stays up.";
  return taskCommand(`${name} join`, help, OPTIONS, examples(name), true)
    .argument(
      "[string]",
      `what \`server enroll\` printed, sp2_…; - reads it from stdin; without it ${JOIN_VARIABLE} has it`,
    )
    .option("--no-run", "store what the string says, and end; the device joins when it runs")
    .option(
      "--once",
      "prove this device to the server, store that, hear which services it grants, and end; with 1 if it grants none: the step before a service manager starts it",
    )
    .option("--replace", "join though this device has joined before; that stands again if the string is refused")
    .action(async (text: string | undefined, _options: unknown, command: Command) => {
      const { run: runs, once = false } = command.opts<{ run: boolean; once?: true }>();
      if (once && !runs) throw new ConfigError("--once proves this device, and --no-run does not; give one of them");
      const enrolment = readString(text === "-" ? await firstLine(Deno.stdin) : text ?? fromEnvironment());
      using _claim = await join(enrolment, command, name, runs);
      if (runs) await run(command, once);
    });
}

/** Where the string may stand instead: everybody on a machine can see its command lines. */
const JOIN_VARIABLE = "SALLYPORT_JOIN";

function fromEnvironment(): string {
  const text = variable(JOIN_VARIABLE);
  if (text !== undefined) return text;
  throw new ConfigError(
    `the string of \`server enroll\` is missing; give it, or - to read it from stdin, or set ${JOIN_VARIABLE}`,
  );
}

/** The first line of `input`, which need not end there. */
export async function firstLine(input: { read(into: Uint8Array): Promise<number | null> }): Promise<string> {
  const bytes = new Uint8Array(MAX_STDIN_LINE);
  let size = 0;
  for (let count: number | null = 0; count !== null && !bytes.subarray(0, size).includes(10);) {
    if (size === MAX_STDIN_LINE) throw new ConfigError(`the line on stdin has more than ${MAX_STDIN_LINE} bytes`);
    count = await input.read(bytes.subarray(size));
    size += count ?? 0;
  }
  return new TextDecoder().decode(bytes.subarray(0, size)).split("\n", 1)[0]!.trim();
}

/** The string is a secret: it is not shown again. */
function readString(text: string): Enrolment {
  try {
    return decodeEnrolment(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new ConfigError(error.message) : error;
  }
}

/**
 * Stores what the string says.
 *
 * @param runs Whether the device runs then. What another one runs with is left alone in that case.
 * @returns the claim of the state, which was taken first.
 */
async function join(enrolment: Enrolment, command: Command, name: string, runs: boolean): Promise<Disposable> {
  const { service, ca, ...values } = taskOptions(OPTIONS, command);
  const services = required(service, "service", "--service ssh=127.0.0.1:22");
  checkNames(services);
  const { serverKey, security, addresses, tokenId, tokenSecret } = enrolment;
  if (ca !== undefined) checkCa(ca, security);
  const told: StoredDevice = {
    serverKey,
    security,
    ...(ca !== undefined && { ca: resolve(ca) }),
    addresses,
    services: services.map(({ text }) => text),
    enrolment: { tokenId, tokenSecret },
  };
  const config = deviceConfig(values, undefined, told); // what could not run is not stored
  demandServed({ service: services }, config);
  if (config.profile === "v2") demandWayOf(config, chooseEngine(config.engine).engine.tls);
  const folder = stateFolder(values.state, "device");
  using claims = new DisposableStack();
  if (runs) claims.use(await claimState(folder)); // else it is for the next start, also of a device that runs
  const stored = await loadDevice(folder);
  if (command.opts<{ replace?: true }>().replace !== true) {
    demandNew(enrolment, stored, await loadBefore(folder), name);
  }
  await loadIdentity(folder);
  await saveDevice(folder, told);
  printLine(`stored ${folder}`);
  const missing = leftOut(stored, told.services);
  if (missing.length > 0) stderr.write(`not offered any more, as this join does not name them: ${missing.join(", ")}`);
  return claims.move();
}

function checkCa(ca: string, security: Security): void {
  readCa(ca);
  if (security === "pki") return;
  const how = security === "plain" ? "has no TLS" : "proves itself by its key";
  throw new ConfigError(`--ca is for a server with a CA's certificate, and that of this string ${how}; leave it out`);
}

/** A string that its server would refuse must not take the place of what works, nor of what would stand again. */
function demandNew(
  { serverKey, tokenId }: Enrolment,
  stored: StoredDevice | undefined,
  before: StoredDevice | undefined,
  name: string,
): void {
  if (!stored) return;
  const where = stored.addresses.map(formatAddress).join(", ");
  if (formatPublicKey(stored.serverKey) !== formatPublicKey(serverKey)) {
    throw new ConfigError(`this device has joined ${where} before; --replace forgets that, --state DIR keeps both`);
  }
  const known = stored.enrolment?.tokenId ?? stored.redeemed;
  if (known && sameBytes(known, tokenId)) return;
  if (stored.enrolment && !before) return; // nothing has worked yet
  throw new ConfigError(
    `this device has joined ${where} already; "${name}" will do (for another name: "server rename" on the server; ` +
      `for a second device on this machine: --state DIR; to join anew all the same: --replace)`,
  );
}

function examples(name: string): string {
  const server = name.replace(/device$/, "server");
  return `Examples:
  On the server, first:
    ${server} enroll gw1 --service ssh=0.0.0.0:2201 --public-address relay.example
  Then here:
    ${name} join 'sp2_...' --service ssh=127.0.0.1:22
  Where others can see command lines:
    printf %s "$STRING" | ${name} join - --service ssh=127.0.0.1:22
  Only prove this device and end, before systemd starts it:
    ${name} join 'sp2_...' --service ssh=127.0.0.1:22 --once
  From the next start on, what is stored will do:
    ${name}`;
}
