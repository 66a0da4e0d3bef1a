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

/** The roles, each of which is loaded when it is needed: another one's code is memory that nobody uses. */
const ROLES: Readonly<Record<string, () => Promise<Command>>> = {
  server: async () => (await import("./server/cli/cli.ts")).serverCommand("sallyport server"),
  device: async () => (await import("./device/cli/cli.ts")).deviceCommand("sallyport device"),
  canserver: async () => (await import("./canserver/cli.ts")).canserverCommand("sallyport canserver"),
};

/** The program, with all of its commands, or of the roles with these. */
export async function sallyportCommand(roles = Object.keys(ROLES)): Promise<Command> {
  const command = new Command("sallyport")
    .description("Lets clients reach TCP services on devices that have no public address.")
    .version(VERSION, "--version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .exitOverride()
    .enablePositionalOptions()
    .configureOutput(commandOutput("sallyport"))
    .configureHelp({ helpWidth: helpWidth() });
  for (const role of roles) command.addCommand(await ROLES[role]!());
  command.addCommand(completionCommand("sallyport", sallyportCommand)).addCommand(helpCommand("sallyport"));
  return command.on("command:*", ([word]: string[]) => {
    throw unknownCommand(command, word!);
  });
}

if (import.meta.main) {
  await runProcess("sallyport", async () => {
    const [word = ""] = Deno.args;
    const command = await sallyportCommand(Object.hasOwn(ROLES, word) ? [word] : undefined);
    await command.parseAsync(Deno.args, { from: "user" });
  });
}
