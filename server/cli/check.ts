/**
 * `server --check`: what a server would run with, and whether it could.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { V1_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { keepAliveChoiceOf, keepAliveOf, settledKeepAlive, unsaidKeepAlive } from "../../app/link_options.ts";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { chooseEngine, describeEngine } from "../../net/engines.ts";
import { ServerCertificate } from "../../net/tls/listening.ts";
import { printLine } from "../../app/command.ts";
import { stderr } from "../../app/output.ts";
import { describeOptions, type OptionValues } from "../../app/options.ts";
import { demandFolderOf } from "../../app/files/private_folder.ts";
import { readIdentity, stateFolder } from "../../app/files/state.ts";
import { AuthorizedDevices } from "../devices/authorized_devices.ts";
import { devicesFile } from "../state/facts.ts";
import { describeServer, SERVER_OPTIONS } from "./config.ts";
import type { ServerTold } from "./reload/reload.ts";

/** Prints it. @throws {ConfigError} or {CertificateError} for what cannot be. */
export async function checkServer({ values, config }: ServerTold): Promise<void> {
  const profiles = new Set(config.listen.map(({ profile }) => profile));
  const lines = describeServer(config);
  if (profiles.has("v2")) {
    const folder = stateFolder(values.state, "server");
    const devices = devicesFile(folder, values.devices);
    if (values.devices !== undefined) demandFolderOf(devices);
    new AuthorizedDevices(devices, systemClock, silentLogger).close();
    await readIdentity(folder);
    lines.push(`devices ${devices}`, `state ${folder}`);
  }
  const chosen = chooseEngine(config.engine);
  for (const { security } of config.listen.filter((listen) => listen.profile === "v2")) {
    if (security.kind !== "files") continue;
    const certificate = await ServerCertificate.open(security, chosen.engine.tls, systemClock, silentLogger);
    certificate.close();
    if (certificate.warning !== undefined) stderr.write(`warning: ${certificate.warning}`);
  }
  const inForce = { ...values, ...keepAliveInForce(values, profiles) };
  lines.push(`engine ${describeEngine(chosen)}`);
  if (values.metrics) lines.push(`metrics ${formatAddress(values.metrics)}`);
  if (values.audit !== undefined) lines.push(`audit ${values.audit}`);
  if (values.webhook !== undefined) lines.push(`webhook ${values.webhook}`);
  const without = [
    ...["profile", "engine"] as const, // stand above
    ...(profiles.has("v2") ? [] : ["expiration"] as const),
    ...unsaidKeepAlive(profiles.has("v2") ? config.keepAlive : undefined, profiles.has("v1")),
    ...(profiles.has("v2") || values.admin !== undefined ? [] : ["admin"] as const),
    ...(values.webhook === undefined ? ["webhook-events", "webhook-grace"] as const : []),
    ...(values.metrics || values["metrics-per-device"] ? [] : ["metrics-per-device"] as const),
    ...(profiles.has("v1") ? [] : ["stall-timeout", "half-close-timeout"] as const),
  ];
  for (const line of [...lines, ...describeOptions(SERVER_OPTIONS, inForce, without)]) printLine(line);
}

/** The keep-alive settings for `--check`, as they will hold; with both profiles, what is not given differs, and stays open. */
function keepAliveInForce(
  values: OptionValues<typeof SERVER_OPTIONS>,
  profiles: ReadonlySet<string>,
): Partial<OptionValues<typeof SERVER_OPTIONS>> {
  const isOpen = (name: keyof typeof SERVER_OPTIONS) => profiles.size > 1 && values[name] === undefined;
  const all = settledKeepAlive(profiles.has("v2") ? keepAliveChoiceOf(values) : keepAliveOf(values, V1_KEEP_ALIVE));
  return Object.fromEntries(Object.entries(all).filter(([name]) => !isOpen(name as keyof typeof SERVER_OPTIONS)));
}
