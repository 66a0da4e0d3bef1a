/**
 * `device mode`, `keepalive`, `reconnect`, `reload`, `clients` and `close`: what can be asked of a device that runs.
 *
 * @module
 */

import { Argument, type Command } from "commander";
import { ASK_OPTIONS, askDaemon, listed } from "../../../app/admin/cli/ask.ts";
import { KEEP_ALIVE_OPTIONS, keepAliveAct, keepAliveBody } from "../../../app/admin/cli/keep_alive.ts";
import { tellReload } from "../../../app/admin/cli/reload.ts";
import { argument, examplesOf, printLine, taskCommand, taskOptions } from "../../../app/command.ts";
import type { OptionTable } from "../../../app/options.ts";
import { stderr, terminalColumns } from "../../../app/output.ts";
import type { Reloaded } from "../../../app/reload/report.ts";
import { oneOf, parseDuration } from "../../../app/values.ts";
import { systemClock } from "../../../base/clock.ts";
import { clientTable } from "../../../app/admin/cli/client_table.ts";
import type { Client, DeviceFacts } from "../../admin/schemas.ts";

/** The option `--drain` of `mode`. */
const MODE_OPTIONS = {
  drain: { value: "TIME", help: "for config: let clients finish first, this long at most", parse: parseDuration },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** The commands, below the device's command `name`. */
export function actCommands(name: string): Command[] {
  return [
    taskCommand(
      `${name} mode`,
      "Goes to mode config, which withdraws the services, or run.",
      MODE_OPTIONS,
      examplesOf(name, "mode config --drain 30s", "mode run"),
    )
      .addArgument(new Argument("<mode>", "config or run").argParser(argument(oneOf("config", "run"))))
      .action((mode: string, _options: unknown, command: Command) => {
        const { drain } = taskOptions(MODE_OPTIONS, command);
        const body = { mode, ...(drain !== undefined && { drain }) };
        const soon = mode === "config" && drain ? " when its clients have gone, or the time is over" : "";
        return act(command, "/v1/device/mode", body, `mode ${mode}${soon}`);
      }),
    taskCommand(
      `${name} keepalive`,
      "Sets the longest silence that is accepted of the server, that it accepts, or both.",
      KEEP_ALIVE_OPTIONS,
      examplesOf(name, "keepalive --way metered", "keepalive --endpoint device --idle-timeout 30s"),
    ).action(async (_options: unknown, command: Command) => {
      await askDaemon("device", command, async (client) => {
        const { keepAlive, serverKeepAlive } = await client.get<DeviceFacts>("/v1/device");
        const body = keepAliveBody(command, { device: keepAlive, server: serverKeepAlive });
        await client.post(`/v1/device/${keepAliveAct(command)}`, body);
      });
      stderr.write("it is set");
    }),
    taskCommand(
      `${name} reconnect`,
      "Ends the link and dials at once; clients of v2 stay.",
      ASK_OPTIONS,
      examplesOf(name, "reconnect"),
    )
      .action((_options: unknown, command: Command) => act(command, "/v1/device/reconnect", {}, "dialling anew")),
    taskCommand(
      `${name} reload`,
      "Has the device read its configuration anew; what can change does, without cutting anybody.",
      ASK_OPTIONS,
      examplesOf(name, "reload"),
    ).action(async (_options: unknown, command: Command) =>
      tellReload(await askDaemon("device", command, (client) => client.post<Reloaded>("/v1/device/reload")))
    ),
    taskCommand(
      `${name} clients`,
      "Shows the clients that are served, with the bytes that they have carried.",
      ASK_OPTIONS,
      examplesOf(name, "clients", "clients --json | jq '.[].address'"),
    )
      .option("--json", "print JSON")
      .action((_options: unknown, command: Command) => clients(command)),
    taskCommand(`${name} close`, "Ends a client at once.", ASK_OPTIONS, examplesOf(name, "close 17"))
      .addArgument(new Argument("<client>", "its number in clients").argParser(argument(parseNumber)))
      .action((id: string, _options: unknown, command: Command) =>
        act(command, `/v1/clients/${id}/close`, {}, `client ${id} is ended`)
      ),
  ];
}

function parseNumber(text: string): string {
  if (/^\d{1,15}$/.test(text)) return text;
  throw new SyntaxError(`"${text}" is no client; write its number in clients`);
}

async function act(command: Command, path: string, body: Record<string, unknown>, done: string): Promise<void> {
  await askDaemon("device", command, (client) => client.post(path, body));
  stderr.write(done);
}

async function clients(command: Command): Promise<void> {
  const found: Client[] = [];
  await askDaemon("device", command, async (client) => {
    for await (const each of listed<Client>(client, "/v1/clients")) found.push(each);
  });
  if (command.opts<{ json?: true }>().json) return printLine(JSON.stringify(found));
  if (found.length === 0) return void stderr.write("no clients now");
  const lines = found.map(({ localAddress, ...client }) => ({ ...client, place: localAddress }));
  for (const line of clientTable("LOCAL", lines, terminalColumns(), systemClock.wall())) printLine(line);
}
