/**
 * `server dashboard`: the way to the dashboard for a browser.
 *
 * @module
 */

import type { Command } from "commander";
import { ADMIN_SOCKET } from "../../../app/admin/address.ts";
import { adminClient, NoAdminError } from "../../../app/admin/client.ts";
import { printLine, taskCommand } from "../../../app/command.ts";
import { stderr } from "../../../app/output.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { systemClock } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import { formatAddress, parseAddress } from "../../../protocol/address.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";
import { askedPlace } from "../../../app/admin/cli/ask.ts";

/** The command, below the server's command `name`. */
export function dashboardCommand(name: string): Command {
  return taskCommand(
    `${name} dashboard`,
    "Prints where a browser finds the dashboard, with a link that logs in once; until Ctrl-C.",
    ASK_OPTIONS,
    examples(name),
  )
    .option("--open", "open it in the browser")
    .action((_options: unknown, command: Command) => dashboard(command));
}

async function dashboard(command: Command): Promise<void> {
  const { open } = command.opts<{ open?: true }>();
  const { folder, admin, tokenFile } = askedPlace("server", command);
  const byTcp = admin !== undefined && admin !== "unix" && admin !== "off";
  if (!byTcp || tokenFile !== undefined) await ask(command, (client) => client.get("/v1/health"));
  if (byTcp) {
    const at = formatAddress(parseAddress(admin));
    if (tokenFile === undefined) await demandAnswer(at);
    const address = `http://${at}/`;
    printLine(`dashboard ${address}`);
    stderr.write("the page asks for the token of the admin API");
    if (open) openBrowser(address);
    return;
  }
  const { openDoor } = await import("../../dashboard/door.ts"); // with what serves pages
  await using door = openDoor(`${folder}/${ADMIN_SOCKET}`, systemClock);
  const over = interrupted(); // before anybody can be told of it
  printLine(`dashboard ${door.link}`);
  stderr.write("the link is good once, and the address until Ctrl-C");
  if (open) {
    // Other users see command lines: the link stands in a file that this one alone can read.
    const place = await Deno.makeTempDir({ prefix: "sallyport-" });
    try {
      await Deno.writeTextFile(`${place}/dashboard.html`, redirection(door.link), { mode: 0o600 });
      openBrowser(`${place}/dashboard.html`);
      await over;
    } finally {
      await Deno.remove(place, { recursive: true }).catch(() => {});
    }
    return;
  }
  await over;
}

/** @throws {UnfinishedError} if nobody is there. Whoever asks for that needs no token: the page will ask for it. */
async function demandAnswer(address: string): Promise<void> {
  using client = adminClient({ address, token: "" });
  try {
    await client.get("/v1/health");
  } catch (error) {
    throw error instanceof NoAdminError ? new UnfinishedError(error.message, { cause: error }) : error;
  }
}

/** A page that leads to the link, which has nothing in it that would have to be escaped. */
function redirection(link: string): string {
  return `<!DOCTYPE html><meta charset="utf-8"><meta name="referrer" content="no-referrer">` +
    `<meta http-equiv="refresh" content="0; url=${link}"><title>Sallyport</title><a href="${link}">Dashboard</a>\n`;
}

/** Without waiting for it: it may last as long as the browser. */
function openBrowser(what: string): void {
  const warn = (why: string) => stderr.write(`warning: no browser was opened: ${why}; open the address by hand`);
  try {
    const child = new Deno.Command("xdg-open", { args: [what], stdin: "null", stdout: "null" }).spawn();
    child.unref();
    child.status.then(({ success, code }) => success || warn(`xdg-open ended with ${code}`));
  } catch (error) {
    warn(describeError(error));
  }
}

/** Resolves at SIGINT or SIGTERM. */
function interrupted(): Promise<void> {
  const signals = ["SIGINT", "SIGTERM"] as const;
  return new Promise((resolve) => {
    const done = () => {
      for (const signal of signals) Deno.removeSignalListener(signal, done);
      resolve();
    };
    for (const signal of signals) Deno.addSignalListener(signal, done);
  });
}

function examples(name: string): string {
  return `Examples:
  ${name} dashboard
  ${name} dashboard --open

From another machine, without this command: ssh -L 8080:/var/lib/sallyport/server/admin.sock root@THIS_HOST,
and http://localhost:8080/ there.`;
}
