/**
 * `device status`: the device that runs, on one screen.
 *
 * @module
 */

import type { Command } from "commander";
import { ASK_OPTIONS, askDaemon } from "../../../app/admin/cli/ask.ts";
import { datagramText } from "../../../app/admin/cli/datagrams.ts";
import { showFacts, type Shown } from "../../../app/admin/cli/watch.ts";
import { examplesOf, taskCommand } from "../../../app/command.ts";
import { formatDuration } from "../../../base/format.ts";
import { counted, formatAge } from "../../../base/table.ts";
import type { DeviceFacts, Service } from "../../admin/schemas.ts";

/** The device, and what it offers. */
type Facts = DeviceFacts & { readonly services: readonly Service[] };

/** The command, below the device's command `name`. */
export function statusCommand(name: string): Command {
  return taskCommand(`${name} status`, "Shows the device that runs.", ASK_OPTIONS, examples(name))
    .option("--json", "print JSON")
    .option("--watch", "show it anew every two seconds, until Ctrl-C")
    .action((_options: unknown, command: Command) =>
      askDaemon("device", command, (client) =>
        showFacts(command.opts<Shown>(), async (): Promise<Facts> => {
          const facts = await client.get<DeviceFacts>("/v1/device");
          const { items } = await client.get<{ items: Service[] }>("/v1/services");
          return { ...facts, services: items };
        }, linesOf))
    );
}

/** What is shown. */
export function linesOf(facts: Facts, now: number): string[] {
  const { version, engine, pid, started, profile, state, since, sessionSince, name, server, services } = facts;
  const { local, remote, mode, modeChange, roundTrip, clockOffset, bound, tcp, goodbye } = facts;
  const row = (name: string, text: string) => `${name.padEnd(11)}${text}`;
  const age = (time: string) => formatAge(now - Date.parse(time));
  const path = tcp ? `, packets of ${tcp.pathMtu} B, ${tcp.retransmits ?? "?"} sent again` : "";
  return [
    row("device", `sallyport ${version}, engine ${engine}, process ${pid}, up ${age(started)}`),
    row("state", `${state}${name === null ? "" : ` as ${name}`}, for ${age(since)}`),
    row("server", `${server}, ${profile}${remote === null ? "" : `; ${local} to ${remote}`}`),
    ...(facts.outage === null ? [] : [row("no link", outageText(facts.outage, now))]),
    ...(sessionSince === null ? [] : [row("session", `for ${age(sessionSince)}`)]),
    ...(profile === "v1" ? [] : [row("mode", mode + (modeChange === null ? "" : `, on its way: ${modeChange}`))]),
    ...(roundTrip === null ? [] : [row("round trip", `${roundTrip.toFixed(1)} ms${path}`)]),
    ...(clockOffset === null ? [] : [row("clock", clockText(Math.round(clockOffset)))]),
    ...(bound === null
      ? []
      : [row("binding", bound ? "bound to its TLS connection" : "not bound to a TLS connection")]),
    row("keepalive", `the server may be silent for ${keepAlive(facts.keepAlive)}`),
    ...(facts.serverKeepAlive ? [row("", `this device may be silent for ${keepAlive(facts.serverKeepAlive)}`)] : []),
    row("clients", `${facts.clients} now, ${facts.clientsEver} since it runs`),
    ...services.map((service) => row("service", profile === "v1" ? ruleText(service) : serviceText(service, state))),
    ...(goodbye === null ? [] : [row("goodbye", `${goodbye.code}: ${goodbye.text}`)]),
  ];
}

/** Since when there is none, when the next try is, and what went wrong with the last. */
function outageText({ since, tries, error, nextTry }: NonNullable<Facts["outage"]>, now: number): string {
  const wait = nextTry === null ? undefined : Date.parse(nextTry) - now;
  const next = wait === undefined ? "no other try" : wait > 0 ? `next try in ${formatDuration(wait)}` : "trying now";
  const failed = tries === 0 ? "" : `, ${tries === 1 ? "1 try" : `${tries} tries`} failed`;
  return `for ${formatAge(now - Date.parse(since))}${failed}; ${next}${error === null ? "" : `; last: ${error}`}`;
}

/** Where it is open, or the one word for why it is not, with the rest of that behind; then how what stands behind it is. */
function serviceText(service: Service, state: Facts["state"]): string {
  const { name, localAddress, offered, up, hostAddress, error, clients } = service;
  const [word = "", ...rest] = error?.split(": ") ?? [];
  const unanswered = state === "online" ? "not answered yet" : "no link";
  const why = error !== null ? word : offered ? unanswered : up === false ? "down" : "withdrawn";
  return [
    `${name} ${hostAddress === null ? why : `at ${hostAddress}`} -> ${localAddress}, ${counted(clients, "client")}`,
    ...(hostAddress === null && rest.length > 0 ? [rest.join(": ")] : []),
    ...endpointText(service),
    ...(service.datagrams ? [datagramText(service.datagrams)] : []),
  ].join("; ");
}

/** On v1: what the server may ask for, and what is reached then if that is something else. */
function ruleText(service: Service): string {
  const { name, localAddress, clients } = service;
  const what = localAddress === name ? name : `${name} -> ${localAddress}`;
  return [`${what}, ${counted(clients, "client")}`, ...endpointText(service)].join("; ");
}

/** How what stands behind a service is, if there is anything to say. */
function endpointText({ endpoint: { state, detail, counts } }: Service): string[] {
  const known = Object.entries(counts).filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
  const own = [state, detail, ...known].filter((text) => text !== null);
  return own.length > 0 ? [own.join(", ")] : [];
}

function clockText(offset: number): string {
  if (offset === 0) return "the server's is the same";
  return `the server's is ${Math.abs(offset)} ms ${offset > 0 ? "ahead of" : "behind"} this one`;
}

function keepAlive({ idleTimeout, probeInterval, probeCount }: DeviceFacts["keepAlive"]): string {
  if (idleTimeout < 0) return "ever";
  const probes = probeInterval < 0 || probeCount === 0
    ? "no probes"
    : `${counted(probeCount, "probe")} ${probeInterval / 1_000} s apart`;
  return `${idleTimeout / 1_000} s, then ${probes}`;
}

function examples(name: string): string {
  return `${examplesOf(name, "status", "status --watch", "status --json | jq -r .state")}

What else there is to see, and to do, while the device runs:
  ${name} clients                     connections to its services, with their bytes
  ${name} events -f                   what happens, as it happens
  ${name} close 17                    ends one client
  ${name} mode config --drain 30s     withdraws its services, when clients have gone or in 30 s
  ${name} keepalive --idle-timeout 30s
  ${name} reconnect                   dials anew at once; clients stay
  ${name} reload                      reads its configuration anew

They find the device by the socket in its state: run them as its user, or as root.`;
}
