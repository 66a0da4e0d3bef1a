/**
 * Entry point of the `sallyport` binary: `sallyport server …`, `sallyport device …` and
 * `sallyport canserver …`.
 *
 * @module
 */

import { Command } from "commander";
import { commandOutput, helpCommand, helpWidth, unknownCommand } from "./app/command.ts";
import { completionCommand } from "./app/completion/command.ts";
import { runProcess } from "./app/run.ts";
import { VERSION } from "./base/version.ts";
import { canserverCommand } from "./canserver/cli.ts";
import { deviceCommand } from "./device/cli/cli.ts";
import { serverCommand } from "./server/cli/cli.ts";

/** The program, with all of its commands. */
export function sallyportCommand(): Command {
  const command = new Command("sallyport")
    .description("Lets clients reach TCP services on devices that have no public address.")
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput(commandOutput("sallyport"))
    .configureHelp({ helpWidth: helpWidth() })
    .addCommand(serverCommand("sallyport server"))
    .addCommand(deviceCommand("sallyport device"))
    .addCommand(canserverCommand("sallyport canserver"))
    .addCommand(completionCommand("sallyport", sallyportCommand))
    .addCommand(helpCommand("sallyport"));
  return command.on("command:*", ([word]: string[]) => {
    throw unknownCommand(command, word!);
  });
}

if (import.meta.main) {
  await runProcess("sallyport", async () => {
    await sallyportCommand().parseAsync(Deno.args, { from: "user" });
  });
}
