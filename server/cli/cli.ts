/**
 * `sallyport server`: from its options to a running server.
 *
 * @module
 */

import type { Command } from "commander";
import { systemClock } from "../../base/clock.ts";
import { describeInOneLine } from "../../base/errors.ts";
import { chooseEngine, tellTurns } from "../../net/engines.ts";
import { type AdminWish, adminWish } from "../../app/admin/options.ts";
import type { AdminServer } from "../../app/admin/serve.ts";
import { daemonCommand, helpCommand, printLine, readOptions } from "../../app/command.ts";
import { AuditFile } from "../../app/audit/audit_file.ts";
import { HookRunner } from "../../app/hooks/hooks.ts";
import { strangeVariables } from "../../app/environment.ts";
import { setUpLogging } from "../../app/logging.ts";
import { runDaemon } from "../../app/run.ts";
import { keyCommand } from "../../app/key_cli.ts";
import { demandFolderOf } from "../../app/files/private_folder.ts";
import { stateFolder } from "../../app/files/state.ts";
import { adminContext, serveServerAdmin } from "../admin/admin.ts";
import type { AdminContext } from "../admin/context.ts";
import { audited } from "./audited.ts";
import { actCommands } from "./admin/acts.ts";
import { connectCommand } from "./admin/connect.ts";
import type { ConfigFile } from "../../app/reload/file_watch.ts";
import { Reloads } from "../../app/reload/report.ts";
import { refusalsCommand } from "./admin/refusals.ts";
import { reloadCommand } from "./admin/reload.ts";
import { serverDoctorCommand } from "./doctor.ts";
import { auditCommand } from "./admin/audit.ts";
import { openingsCommand } from "./admin/openings.ts";
import { checkServer } from "./check.ts";
import { ServerReload, type ServerTold } from "./reload/reload.ts";
import { tellAdmin } from "../../app/admin/cli/tell_admin.ts";
import { MovingAdmin } from "../../app/admin/http/moving.ts";
import { MovingMetrics } from "../../app/metrics/moving.ts";
import { drainCommand } from "./admin/drain.ts";
import { clientCommands } from "./admin/clients.ts";
import { dashboardCommand } from "./admin/dashboard.ts";
import { serverEventsCommand } from "./admin/events.ts";
import { statusCommand } from "./admin/status.ts";
import { SERVER_OPTIONS, type ServerConfig, serverConfig } from "./config.ts";
import { devicesCommands } from "./files/devices.ts";
import type { ServerEvent } from "../events.ts";
import { serverNotice } from "./hook_facts.ts";
import { openWebhook, webhookWish } from "./webhook.ts";
import { openMetrics } from "./outside.ts";
import type { ListenOptions } from "../options.ts";
import { type ServerHandle, startServer } from "../server.ts";
import { openV2State, type V2State } from "../state/state.ts";

const DESCRIPTION = "Runs on the public host: devices dial in, and clients reach their services through host ports.";

/** The command, under `name`. */
export function serverCommand(name: string): Command {
  const command = daemonCommand(name, DESCRIPTION, SERVER_OPTIONS, examples(name)).action((
    _options,
    command: Command,
  ) => run(command));
  const running = [
    statusCommand(name),
    ...clientCommands(name),
    serverEventsCommand(name),
    ...actCommands(name),
    connectCommand(name),
    drainCommand(name),
    openingsCommand(name),
    auditCommand(name),
    refusalsCommand(name),
    serverDoctorCommand(name),
    reloadCommand(name),
    dashboardCommand(name),
  ];
  const onFiles = devicesCommands(name).map((each) => each.name() === "devices" ? each : audited(each));
  for (const each of [...running, ...onFiles, keyCommand(name, "server"), helpCommand(name)]) command.addCommand(each);
  return command;
}

/** What else was given to the command: whether it only checks, and its configuration file. */
interface Given {
  readonly check: boolean;
  readonly from: ConfigFile | undefined;
}

/** What the command line, the environment, the file and the files that they name say now. */
async function readAll(command: Command, isRunning = false): Promise<ServerTold & Given> {
  const { values, file, from, check } = readOptions(SERVER_OPTIONS, command);
  if (isRunning) file?.demandWritten();
  const config = serverConfig(values, file);
  const hasV2 = config.listen.some(({ profile }) => profile === "v2");
  const webhook = await webhookWish(values);
  const admin = await adminWish(values, hasV2 ? "unix" : "off");
  return { values, config, webhook, admin, check, from };
}

async function run(command: Command): Promise<void> {
  const { check, from, ...told } = await readAll(command);
  const { values, config } = told;
  const json = values["log-format"] === "json";
  const hasV2 = config.listen.some(({ profile }) => profile === "v2");
  if (values.audit !== undefined) demandFolderOf(values.audit);
  if (check) return await checkServer(told);
  const logger = setUpLogging("server", values["log-format"] ?? "auto", values["log-level"] ?? "info");
  for (const line of strangeVariables(Object.keys(SERVER_OPTIONS))) logger.warn("{warning}", { warning: line });
  const folder = stateFolder(values.state, "server");
  const state = hasV2 ? await openV2State(folder, values.devices, logger) : undefined;
  const { hooks: commands, ...options } = config;
  const hooks = new HookRunner({ hooks: commands, logger });
  const { handle: server, core } = startServer({
    ...options,
    listen: options.listen.map((listen) => withIdentity(listen, state)),
    logger,
    ...(state && { v2: state.options }),
  });
  server.subscribe((event) => {
    announce(event, json);
    const notice = serverNotice(event);
    if (notice) hooks.tell(notice);
  });
  state?.watch(server);
  const { metrics: at, audit } = values;
  const perDevice = values["metrics-per-device"] !== "off";
  const reloads = new Reloads(async () => {
    await server.ready;
    context.outlets.audit?.file.reopen();
    return await reloader.reload();
  }, logger);
  const context = adminContext({
    server,
    core,
    state: state?.view,
    reload: () => reloads.now(),
    perDevice,
    audit: audit === undefined ? undefined : new AuditFile({ path: audit, clock: systemClock, logger }),
    webhook: openWebhook(told.webhook, systemClock, logger),
  });
  const metrics = new MovingMetrics((address) => openMetrics(context, address, folder, json));
  let history: Promise<void> | undefined; // of use to those who ask alone
  const admin = new MovingAdmin(async (wish) => {
    const api = await serveAdmin(context, folder, wish);
    if (api) history ??= context.history.start(state?.view.folder);
    return api;
  }, (server) => tellAdmin(server, json, logger));
  const reloader = new ServerReload({
    told,
    read: () => readAll(command, true),
    core,
    context,
    admin,
    metrics,
    hooks,
    prepareDevices: async () => await state?.prepareDevices(),
    withIdentity: (listen) => withIdentity(listen, state),
    listenersChanged: (listen) => tellState(server, state, listen, context),
  });
  const orEnd = (error: unknown) => {
    server.close();
    throw error;
  };
  const served = admin.start(told.admin);
  const measured = metrics.start(at);
  const daemon = {
    ready: Promise.all([
      server.ready.then(() => tellState(server, state, options.listen, context)),
      served.catch(orEnd),
      measured.catch(orEnd),
    ]).then(() => {}),
    closed: server.closed.then(() => hooks.close()),
    shutdown: () => server.shutdown(),
    reload: (why: string, tellsAlways: boolean) => reloads.because(why, tellsAlways),
    configuration: from,
    status: () => core.settings.capacity.links.describe(core.settings.clients.size),
  };
  try {
    await runDaemon(daemon, logger, (signal) => {
      hooks.ending();
      logger.info("{signal}: shutting down; a second one ends at once", { signal });
    });
  } finally {
    tellTurns(chooseEngine(config.engine).engine, logger);
    await hooks.close();
    await Promise.allSettled([served, measured]); // why one could not be had was told
    await admin.close();
    await metrics.close();
    await context.outlets.close();
    await history;
    await context.history.close();
    await state?.close();
  }
}

/** The admin API, where it can be had, and said; one that nobody asked for is no reason not to serve devices. */
async function serveAdmin(
  context: AdminContext,
  folder: string,
  { unix, tcp, isExplicit }: AdminWish,
): Promise<AdminServer | undefined> {
  const { logger } = context.core.settings;
  try {
    const site = async () => (await import("../dashboard/files.ts")).DASHBOARD;
    return await serveServerAdmin(context, { folder, unix, tcp, site });
  } catch (error) {
    if (isExplicit) throw error;
    const what = describeInOneLine(error);
    logger.warn("no admin API: {error}; --admin off goes without", { error: what });
    return undefined;
  }
}

/** A v2 listener's certificate is made from the identity unless files were given. */
function withIdentity(listen: ServerConfig["listen"][number], state: V2State | undefined): ListenOptions {
  if (listen.profile === "v1") return listen;
  const { security } = listen;
  if (security.kind === "files") return { ...listen, security };
  if (security.kind === "plain") return { ...listen, security: { kind: "plain" } };
  return { ...listen, security: { kind: "pinned", keyPair: state!.options.identity.keyPair } };
}

/** `server enroll` says where devices dial: to the first v2 listener's kind. */
async function tellState(
  server: ServerHandle,
  state: V2State | undefined,
  listen: ServerConfig["listen"],
  { outlets }: AdminContext,
): Promise<void> {
  const v2 = server.listeners.filter(({ profile }) => profile === "v2");
  const first = v2[0];
  if (!state || !first) return;
  const files = listen.flatMap((each) => each.profile === "v2" && each.security.kind === "files" ? each.security : []);
  await state.announce(
    v2.filter(({ security }) => security === first.security).map(({ address }) => address),
    first.security,
    { certificate: files[0]?.certFile, audit: outlets.audit?.file.path },
  );
}

/**
 * The addresses really bound, and sessions that wait for their device, on stdout, a stable line each: what a script waits
 * for. The end of a link is told if its interruption was.
 */
function announce(event: ServerEvent, json: boolean): void {
  const line = lineOf(event);
  if (line !== undefined) printLine(json ? JSON.stringify(event) : line);
}

function lineOf(event: ServerEvent): string | undefined {
  switch (event.type) {
    case "listening":
      return `listening ${event.address} profile=${event.profile}` +
        (event.profile === "v1" ? "" : ` security=${event.security}`);
    case "host-open":
      return `open ${event.hostAddress} -> ${event.device ? `${event.device}/` : ""}${event.localAddress}`;
    case "link-interrupted":
      return `link-interrupted ${event.device} ${event.reason}`;
    case "link-resumed":
      return `link-resumed ${event.device} interrupted=${event.interrupted} replayed=${event.replayed}` +
        (event.moved ? " moved" : "");
    case "link-down":
      return event.interrupted ? `link-down ${event.device} ${event.reason}` : undefined;
    default:
      return undefined;
  }
}

function examples(name: string): string {
  const device = name.replace(/server$/, "device");
  return `Three commands, and a client reaches the ssh of a device at port 2201 of this host:
  here:            ${name}
  here, too:       ${name} enroll gw1 --service ssh=0.0.0.0:2201 --public-address THIS_HOST
  on the device:   ${device} join 'sp2_...' --service ssh=127.0.0.1:22
  from anywhere:   ssh -p 2201 user@THIS_HOST

More examples:
  Listen at another address, with a certificate of a CA in place of this server's own:
    ${name} --listen [::]:443 --tls-cert fullchain.pem --tls-key privkey.pem

  The ReadyAgent's original protocol, v1, for its devices and ours:
    ${name} --profile v1 --listen 0.0.0.0:2065 --forward 0.0.0.0:2201=127.0.0.1:22

  Several listeners, of either profile ([[listen]] in the file: address, profile, forward, plain, tls-cert, tls-key):
    ${name} --config /etc/sallyport/server.toml --check

v1 knows no authentication and no encryption: whoever reaches its listener can be the device. Bind it to a network
that you trust, or to 127.0.0.1 behind a tunnel.`;
}
