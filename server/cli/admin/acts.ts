/**
 * `server drop`, `mode` and `keepalive`: acts on devices that are linked.
 *
 * @module
 */

import { Argument, type Command } from "commander";
import { KEEP_ALIVE_OPTIONS, keepAliveAct, keepAliveBody } from "../../../app/admin/cli/keep_alive.ts";
import { argument, examplesOf, taskCommand, taskOptions } from "../../../app/command.ts";
import type { OptionTable } from "../../../app/options.ts";
import { writeDuration } from "../../../base/duration.ts";
import { oneOf, parseDuration, parsePositiveDuration } from "../../../app/values.ts";
import type { Device } from "../../admin/schemas.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { demandConsent, doToEach, parseSelector, selectDevices } from "./select.ts";

const MODE_OPTIONS = {
  drain: { value: "TIME", help: "for config: let clients finish first, this long at most", parse: parseDuration },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** How long devices are looked at closely where nobody says it, in milliseconds. */
const USUAL_ATTEND_MS = 600_000;

const ATTEND_OPTIONS = {
  for: {
    value: "TIME",
    help: "how long, an hour at most",
    parse: parsePositiveDuration,
    preset: writeDuration(USUAL_ATTEND_MS),
  },
  ...ASK_OPTIONS,
} as const satisfies OptionTable;

/** What is left out in JSON if it was not given. */
function drainOf(command: Command): number | undefined {
  return taskOptions(MODE_OPTIONS, command).drain;
}

/** The commands, below the server's command `name`. */
export function actCommands(name: string): Command[] {
  return [
    act(
      `${name} drop`,
      "Ends the links of devices; their sessions, with their clients, go on over the next.",
      ASK_OPTIONS,
      examplesOf(name, "drop gw1", "drop tag=site:berlin --yes"),
    )
      .action((devices: string, _options: unknown, command: Command) =>
        doAct(command, devices, "drop", () => ({}), "drops links", "has lost its link, and dials again")
      ),
    act(
      `${name} mode`,
      "Asks devices to go to mode config, which withdraws their services, or run.",
      MODE_OPTIONS,
      examplesOf(name, "mode gw1 config --drain 30s", "mode 'gw*' run --yes"),
    )
      .addArgument(new Argument("<mode>", "config or run").argParser(argument(oneOf("config", "run"))))
      .action((devices: string, mode: string, _options: unknown, command: Command) =>
        doAct(
          command,
          devices,
          "mode",
          () => ({ mode, drain: drainOf(command) }),
          `asks for mode ${mode}`,
          `was asked for mode ${mode}`,
        )
      ),
    act(
      `${name} keepalive`,
      "Sets the longest silence that is accepted of devices, that they accept, or both.",
      KEEP_ALIVE_OPTIONS,
      examplesOf(
        name,
        "keepalive gw1 --way metered                  a link that costs by the byte",
        "keepalive gw1 --idle-timeout 30s             whatever the way, probe after so long",
        "keepalive 'gw*' --endpoint server --way fast --yes",
      ),
    )
      .action((devices: string, _options: unknown, command: Command) => keepAlive(command, devices)),
    act(
      `${name} attend`,
      "Looks closely at devices for a while: their links are probed as fast as for a client, whatever their keep-alive.",
      ATTEND_OPTIONS,
      examplesOf(name, "attend gw1", "attend 'gw*' --for 1h --yes"),
    )
      .action((devices: string, _options: unknown, command: Command) => {
        const ms = taskOptions(ATTEND_OPTIONS, command).for ?? USUAL_ATTEND_MS;
        return doAct(command, devices, "attend", () => ({ ms }), "looks closely at devices", "is looked at closely");
      }),
  ];
}

function act(fullName: string, help: string, table: OptionTable, examples: string): Command {
  return taskCommand(fullName, help, table, examples)
    .argument("<devices>", "a device's name, a pattern as in gw*, or tag=TAG", argument(parseSelector))
    .option("--yes", "do not ask back before several are touched");
}

async function keepAlive(command: Command, devices: string): Promise<void> {
  const body = ({ keepAlive, deviceKeepAlive }: Device) =>
    keepAliveBody(command, { server: keepAlive, device: deviceKeepAlive });
  await doAct(command, devices, keepAliveAct(command), body, "sets the keep-alive", "has it");
}

async function doAct(
  command: Command,
  devices: string,
  word: string,
  body: (device: Device) => Record<string, unknown>,
  what: string,
  done: string,
): Promise<void> {
  await ask(command, async (client) => {
    const names = await selectDevices(client, devices);
    demandConsent(what, names, command.opts<{ yes?: true }>().yes === true);
    await doToEach(names, async (name) => {
      const device = await client.get<Device>(`/v1/devices/${name}`);
      await client.post(`/v1/devices/${name}/${word}`, body(device));
    }, done);
  });
}
