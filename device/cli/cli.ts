/**
 * `sallyport device`: from its options to a running device.
 *
 * @module
 */

import type { Command } from "commander";
import { type Address, formatAddress } from "../../protocol/address.ts";
import { chooseEngine, tellTurns } from "../../net/engines.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { daemonCommand, helpCommand, printLine, readOptions, taskOptions } from "../../app/command.ts";
import { HookRunner } from "../../app/hooks/hooks.ts";
import { keyCommand } from "../../app/key_cli.ts";
import { strangeVariables } from "../../app/environment.ts";
import { stderr } from "../../app/output.ts";
import { setUpLogging } from "../../app/logging.ts";
import type { OptionValues } from "../../app/options.ts";
import { RefusedError, runDaemon } from "../../app/run.ts";
import { loadIdentity, stateFolder } from "../../app/files/state.ts";
import { DEVICE_OPTIONS, type DeviceConfig, deviceConfig, LINK_OPTIONS, type V2Config } from "./config.ts";
import { demandServed, SERVICE_OPTION } from "./service_option.ts";
import { adminWish } from "../../app/admin/options.ts";
import type { ConfigFile } from "../../app/reload/file_watch.ts";
import { Reloads } from "../../app/reload/report.ts";
import { actCommands } from "./admin/acts.ts";
import { deviceEventsCommand } from "./admin/events.ts";
import { serveAdminApi } from "./admin/serve.ts";
import { statusCommand } from "./admin/status.ts";
import { deviceDoctorCommand } from "./doctor/doctor.ts";
import { checkDevice, notOffered } from "./check.ts";
import { DeviceReload, type Told } from "./reload.ts";
import { v2WayOf, wayOf } from "./ca.ts";
import { startDevice } from "../device.ts";
import { tellAdmin } from "../../app/admin/cli/tell_admin.ts";
import { MovingAdmin } from "../../app/admin/http/moving.ts";
import { MovingMetrics } from "../../app/metrics/moving.ts";
import type { DeviceEvent } from "../events.ts";
import { deviceMetrics } from "../metrics/device_metrics.ts";
import { openMetrics } from "../metrics/serve.ts";
import type { DeviceStatus } from "../handle.ts";
import { DeviceNotices } from "./hook_facts.ts";
import { tokenKey } from "../join.ts";
import { joinCommand } from "./join.ts";
import { type Attend, configToProve, proveOnce } from "./once.ts";
import type { V2DeviceOptions } from "../options.ts";
import { leftOut, servicesCommand } from "./services.ts";
import { trustOnlyNamed } from "../trust.ts";
import { claimState } from "./running.ts";
import { forgetEnrolment, loadDevice, restoreBefore, type StoredDevice } from "./state.ts";

const DESCRIPTION = "Runs on the gateway: dials out to the server, keeps one link, and dials services for its clients.";

/** The command, under `name`. */
export function deviceCommand(name: string): Command {
  const command = daemonCommand(name, DESCRIPTION, DEVICE_OPTIONS, examples(name)).action((
    _options,
    command: Command,
  ) => run(command));
  const running = [statusCommand(name), deviceEventsCommand(name), ...actCommands(name), deviceDoctorCommand(name)];
  const stored = [joinCommand(name, runJoined), servicesCommand(name), keyCommand(name, "device"), helpCommand(name)];
  for (const each of [...running, ...stored]) command.addCommand(each);
  return command;
}

/** What the command line, the environment, the file and the state say now. */
async function readAll(command: Command, isRunning = false) {
  const { values, file, from, check } = readOptions(DEVICE_OPTIONS, command);
  if (isRunning) file?.demandWritten();
  const isV2 = (values.profile ?? "v2") === "v2";
  const stored = isV2 ? await loadStored(values.state) : undefined;
  const config = deviceConfig(values, file, stored);
  demandServed(values, config);
  return { values, check, isV2, stored, from, config };
}

async function run(command: Command): Promise<void> {
  const { values, check, isV2, stored, config, from } = await readAll(command);
  const missing = values.server || !isV2 ? [] : leftOut(stored, config.services.map(({ text }) => text));
  const warnings = missing.length > 0 ? [notOffered(missing)] : [];
  if (check) return await checkDevice({ values, config }, warnings);
  const { metrics } = values;
  await runDevice(config, values, stored, {
    warnings,
    read: () => readAll(command, true),
    ...(metrics && { metrics }),
    from,
  });
}

/** Runs with what `join` has stored, whose claim of the state lasts until then. */
async function runJoined(command: Command, once: boolean): Promise<void> {
  const read = async () => {
    const { service: _service, ...values } = taskOptions({ service: SERVICE_OPTION, ...LINK_OPTIONS }, command);
    const stored = await loadDevice(stateFolder(values.state, "device"));
    return { values, stored, config: deviceConfig(values, undefined, stored) };
  };
  const { values, stored, config } = await read();
  if (once && config.profile === "v2") {
    const line = await proveOnce((attend) =>
      runDevice(configToProve(config), values, stored, { attend, isClaimed: true })
    );
    if (line !== undefined) stderr.write(line);
  } else await runDevice(config, values, stored, { isClaimed: true, read });
}

/** What was stored; without a place for state, a device can still be told everything. */
function loadStored(state: string | undefined): Promise<StoredDevice | undefined> {
  return loadDevice(stateFolder(state, "device"));
}

/** How a device is run. */
interface RunManner {
  /** Is given the device at its start, and says whether what happens is still to be told. */
  readonly attend?: Attend;
  /** Whether the caller has claimed the state. */
  readonly isClaimed?: boolean;
  /** Reads anew what the device was told; without it, it cannot be reloaded, and has no admin API. */
  readonly read?: () => Promise<Pick<Told, "values" | "config">>;
  /** What there is to say of the configuration. */
  readonly warnings?: readonly string[];
  /** Where its metrics are. */
  readonly metrics?: Address;
  /** Its configuration file. */
  readonly from?: ConfigFile | undefined;
}

/** Runs to the end. */
async function runDevice(
  config: DeviceConfig,
  values: OptionValues<typeof LINK_OPTIONS>,
  stored: StoredDevice | undefined,
  { attend = () => () => true, isClaimed = false, warnings = [], read, metrics: at, from }: RunManner = {},
): Promise<void> {
  const json = values["log-format"] === "json";
  const logger = setUpLogging("device", values["log-format"] ?? "auto", values["log-level"] ?? "info");
  for (const warning of [...strangeVariables(Object.keys(DEVICE_OPTIONS)), ...warnings]) {
    logger.warn("{warning}", { warning });
  }
  const folder = config.profile === "v2" ? stateFolder(values.state, "device") : "";
  const wish = await adminWish(values, config.profile === "v2" ? "unix" : "off");
  using _claim = config.profile === "v2" && !isClaimed ? await claimState(folder, logger) : undefined;
  const { hooks: commands, ...given } = config;
  const hooks = new HookRunner({ hooks: commands, logger });
  const notices = new DeviceNotices();
  const options = given.profile === "v1" ? given : await withState(given, folder, stored);
  if (options.profile === "v2") trustOnlyNamed(options);
  let token = stored?.enrolment;
  let forgotten: Promise<void> | undefined; // once the server has taken it
  const started = startDevice({ ...options, logger }, true); // what is no option's stands in its state
  const device = started.handle;
  const isToBeTold = attend(started);
  device.subscribe((event) => {
    if (isToBeTold() || event.type === "online") announce(event, json);
    const notice = notices.of(event);
    if (notice) hooks.tell(notice);
    if (event.type === "online" && token) {
      // The server knows this device's key now: the token is worth nothing any more.
      const { tokenId } = token;
      token = undefined;
      forgotten = forgetEnrolment(folder, tokenId).catch((error: unknown) =>
        logger.error("{error}", { error: describeError(error) })
      );
    }
  });
  const stateAt = folder || stateFolder(values.state, "device");
  const { engine } = chooseEngine(config.engine);
  const subject = { device, clock: systemClock, engine };
  const measures = deviceMetrics(subject);
  const reloads = new Reloads(async () => await reloader?.reload() ?? { changed: [], restart: [] }, logger);
  const admin = new MovingAdmin((wish) => {
    const hasOwnServices = () => reloader?.hasOwnServices ?? true;
    const served = {
      device,
      engine: engine.name,
      clock: systemClock,
      logger,
      reload: () => reloads.now(),
      hasOwnServices,
      metrics: measures,
    };
    return serveAdminApi(served, stateAt, wish);
  }, (server) => tellAdmin(server, json, logger));
  const metrics = new MovingMetrics((at) => openMetrics({ ...subject, registry: measures, json }, at, stateAt, logger));
  const reloader: DeviceReload | undefined = read && new DeviceReload({
    told: { values, config, way: wayOf(config), admin: wish },
    async read() {
      const { values, config } = await read();
      const admin = await adminWish(values, config.profile === "v2" ? "unix" : "off");
      return { values, config, way: wayOf(config), admin };
    },
    hasFixedTrust: !engine.tls.binds,
    device: started,
    admin,
    metrics,
    hooks,
  });
  const served = [...(read ? [admin.start(wish)] : []), metrics.start(at)];
  const daemon = {
    ready: Promise.all(served).then(() => {}, (error: unknown) => {
      device.close();
      throw error;
    }),
    closed: device.closed.then(() => Promise.all([hooks.close(), forgotten])).then(() => {}),
    shutdown: () => device.shutdown(),
    reload: (why: string, tellsAlways: boolean) => reloads.because(why, tellsAlways),
    configuration: from,
    status: () => statusLine(device.status),
  };
  let signalled = false;
  try {
    await runDaemon(daemon, logger, (signal) => {
      signalled = true;
      hooks.ending();
      logger.info("{signal}: shutting down; a second one ends at once", { signal });
    });
  } finally {
    await Promise.allSettled(served); // why one could not be had was told
    await admin.close();
    await metrics.close();
  }
  tellTurns(engine, logger);
  const { goodbye } = device.status;
  if (goodbye?.code === "bad-enrolment" && !signalled) {
    const before = token && await restoreBefore(folder, token.tokenId);
    const next = before
      ? `; from the next start on this device goes by what it had joined before, ${
        before.addresses.map(formatAddress).join(", ")
      }`
      : "";
    throw new RefusedError(`${goodbye.code}: ${goodbye.text}${next}`);
  }
}

/** One line for whoever runs the device. */
function statusLine({ state, server, name, goodbye }: DeviceStatus): string {
  const isAs = name === undefined ? "" : ` as ${name}`;
  if (state === "online") return `online at ${server}${isAs}`;
  return `${state}, ${server}${isAs}${goodbye ? `; it said: ${goodbye.code}` : ""}`;
}

/** Adds what is in the state, and in the files that were named. */
async function withState(config: V2Config, folder: string, stored: StoredDevice | undefined): Promise<V2DeviceOptions> {
  const { services, ca: _ca, ...rest } = config;
  const token = stored?.enrolment;
  return {
    ...rest,
    identity: await loadIdentity(folder),
    services: services.flatMap(({ named }) => named!),
    ...v2WayOf(config),
    ...(token && {
      enrolment: {
        id: token.tokenId,
        key: await tokenKey(token.tokenSecret),
      },
    }),
  };
}

/** The link's coming and going, on stdout, a stable line each: what a script waits for. */
function announce(event: DeviceEvent, json: boolean): void {
  const line = lineOf(event);
  if (line !== undefined) printLine(json ? JSON.stringify(event) : line);
}

function lineOf(event: DeviceEvent): string | undefined {
  switch (event.type) {
    case "online":
      return `online ${event.server}` + (event.device ? ` as ${event.device}` : "");
    case "interrupted":
      return `interrupted ${event.server} ${event.reason}`;
    case "resumed":
      return `resumed ${event.server} interrupted=${event.interrupted} replayed=${event.replayed}` +
        (event.moved ? " moved" : "");
    case "service":
      return `service ${event.service} ${event.hostAddress ?? event.error}`;
    case "lost":
      return `lost ${event.server} ${event.reason}` + (event.goodbye ? ` ${event.goodbye}` : "");
    default:
      return undefined;
  }
}

function examples(name: string): string {
  const server = name.replace(/device$/, "server");
  return `On the server, this prints a string:
    ${server} enroll gw1 --service ssh=0.0.0.0:2201 --public-address relay.example
  then here, once:
    ${name} join 'sp2_...' --service ssh=127.0.0.1:22
  and from the next start on, with what join has stored:
    ${name}

More examples:
  One more service, which is stored, from the next start on:
    ${name} service add db=127.0.0.1:5432

  In place of all that are stored; the web server hears who its clients are, and its port closes while it is down:
    ${name} --service ssh=127.0.0.1:22 --service web=127.0.0.1:80,proxy=v2,down=refuse

  Through the HTTP proxy of a company:
    ${name} --proxy http://user:secret@proxy.lan:3128

  The ReadyAgent's original protocol, v1; the device dials only what --service names, compared as it is written:
    ${name} --profile v1 --server relay.example --service 127.0.0.1:22 --service '10.0.0.0/24:*'

  From a file with the same words (server, profile, service, ...):
    ${name} --config /etc/sallyport/device.toml --check`;
}
