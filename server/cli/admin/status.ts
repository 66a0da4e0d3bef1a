/**
 * `server status`: the server that runs, on one screen.
 *
 * @module
 */

import type { Command } from "commander";
import { showFacts, type Shown } from "../../../app/admin/cli/watch.ts";
import type { Static } from "../../../app/admin/schema.ts";
import { examplesOf, taskCommand } from "../../../app/command.ts";
import { formatPastTime } from "../../../base/format.ts";
import { counted, formatAge, formatBytes } from "../../../base/table.ts";
import type { ServerFacts } from "../../admin/schemas.ts";
import { ask, ASK_OPTIONS } from "./ask.ts";

type Facts = Static<typeof ServerFacts>;

/** The command, below the server's command `name`. */
export function statusCommand(name: string): Command {
  return taskCommand(`${name} status`, "Shows the server that runs.", ASK_OPTIONS, examples(name))
    .option("--json", "print JSON")
    .option("--watch", "show it anew every two seconds, until Ctrl-C")
    .action((_options: unknown, command: Command) => status(command));
}

function status(command: Command): Promise<void> {
  return ask(command, (client) => showFacts(command.opts<Shown>(), () => client.get<Facts>("/v1/server"), linesOf));
}

/** What is shown. */
export function linesOf(facts: Facts, now: number): string[] {
  const { version, engine, pid, since, listeners, counts, limits, trouble, ready, draining } = facts;
  const { devices, online, interrupted, clients, clientsEver, enrolments, draining: drained } = counts;
  const offline = Math.max(0, devices - online - interrupted);
  // The first that was reached, first.
  const reached = limits.filter((limit) => limit.reached).toSorted((a, b) => a.since! < b.since! ? -1 : 1);
  const near = limits.filter(({ used, most, reached }) => !reached && most !== null && used * 5 >= most * 4);
  const row = (name: string, text: string) => `${name.padEnd(11)}${text}`;
  return [
    row("server", `sallyport ${version}, engine ${engine}, process ${pid}`),
    row(
      "up",
      `${formatAge(now - Date.parse(since))}, since ${formatPastTime(Date.parse(since))}${
        ready ? "" : ", not ready yet"
      }`,
    ),
    ...listeners.flatMap((listener) => [
      row("listens", listenerText(listener)),
      ...listener.services.map((service) => row("service", serviceText(service, listener.link !== null))),
    ]),
    ...(listeners.some(({ profile }) => profile === "v2") || devices > 0
      ? [row("devices", `${devices}: ${online} online, ${interrupted} interrupted, ${offline} offline`)]
      : []), // v1 knows none by name
    row("clients", `${clients} now, ${clientsEver} since it runs`),
    ...(enrolments > 0 ? [row("enrolments", `${enrolments} not used yet`)] : []),
    ...reached.map((limit) => row("REACHED", `${limitText(limit)}${reachedText(limit, now)}`)),
    ...near.map((limit) => row("nearly", limitText(limit))),
    ...(reached.length + near.length === 0 ? [row("limits", `none of ${limits.length} is near`)] : []),
    ...(draining === null ? [] : [row("DRAINING", drainText(draining, now))]),
    ...(drained > 0 ? [row("DRAINING", `${counted(drained, "device")}, as "devices" shows`)] : []),
    ...(trouble === null ? [] : [row("trouble", trouble)]),
  ];
}

function listenerText({ address, profile, security, device, link }: Facts["listeners"][number]): string {
  const tcp = link?.tcp
    ? `, round trip ${link.tcp.roundTrip.toFixed(1)} ms, ${link.tcp.retransmits ?? 0} sent again`
    : "";
  return `${address} ${profile} ${security}${device === null ? "" : `, linked: ${device}${tcp}`}`;
}

/** A forward of a v1 listener. */
function serviceText(
  { localAddress, hostAddress, open, error, clients }: Facts["listeners"][number]["services"][number],
  isLinked: boolean,
): string {
  const why = open ? "" : isLinked ? `; not open${error === null ? "" : `: ${error}`}` : "; opens with its device";
  return `${hostAddress} -> ${localAddress}, ${counted(clients, "client")}${why}`;
}

function drainText({ since, until }: NonNullable<Facts["draining"]>, now: number): string {
  const end = until === null
    ? ""
    : Date.parse(until) <= now
    ? "; those who were there have been ended"
    : `; those who are still there in ${formatAge(Date.parse(until) - now)} are ended`;
  return `for ${formatAge(now - Date.parse(since))} no new clients are taken${end}`;
}

function limitText({ name, used, most }: Facts["limits"][number]): string {
  const number = (count: number) => name.startsWith("bytes") ? formatBytes(count) : String(count);
  return `${name}: ${number(used)}${most === null ? "" : ` of ${number(most)}`}`;
}

function reachedText({ since, refused }: Facts["limits"][number], now: number): string {
  const age = since === null ? "" : `, for ${formatAge(now - Date.parse(since))}`;
  return `${age}${refused > 0 ? `; ${refused} refused since it runs` : ""}`;
}

function examples(name: string): string {
  return `${examplesOf(name, "status", "status --watch", "status --json | jq .counts")}

What else there is to see, and to do, while the server runs:
  ${name} devices                     who may link up, who is, and where
  ${name} clients 'gw*'               connections at host ports, with their bytes
  ${name} events -f                   what happens, as it happens
  ${name} close 17                    ends one client
  ${name} drop gw1                    cuts a link; its session goes on over the next
  ${name} mode 'gw*' config           has devices withdraw their services
  ${name} drain --for 5m              refuses new clients; those who are there may finish
  ${name} keepalive gw1 --idle-timeout 30s

They find the server by the socket in its state: run them as its user, or as root.`;
}
