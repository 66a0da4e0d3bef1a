/**
 * What the command-line library has against a command line, in the words of all other mistakes: one line, with what
 * would do.
 *
 * @module
 */

import { printable } from "./printable.ts";

/** Options of other relays that newcomers try here, and what stands for them. */
const FOREIGN: Record<string, string> = {
  "--reverse": "chisel's; here every service is a reverse one: `server enroll NAME --service web=0.0.0.0:8080`",
  "--port":
    "chisel's and others'; here it is --listen ADDRESS:PORT of the server, or the port in --server ADDRESS:PORT",
  "--auth": "chisel's; here each device has a key: `server enroll` prints the string that lets it in",
  "--authfile": "chisel's; here each device has a key: `server enroll` prints the string that lets it in",
  "--fingerprint": "chisel's; here it is --server-key, which `join` stores",
  "--token": "of frp and rathole; here each device has a key: `server enroll` prints the string that lets it in",
  "--bind-port": "frp's; here it is --listen ADDRESS:PORT",
  "--bind_port": "frp's; here it is --listen ADDRESS:PORT",
  "--server-addr": "frp's; here it is --server ADDRESS:PORT, which `join` stores",
  "--server_addr": "frp's; here it is --server ADDRESS:PORT, which `join` stores",
  "--local-port": "frp's; here it is --service NAME=HOST:PORT",
  "--local_port": "frp's; here it is --service NAME=HOST:PORT",
  "--remote-port": "frp's; here the server says it: `server enroll NAME --service ssh=0.0.0.0:2201`",
  "--remote_port": "frp's; here the server says it: `server enroll NAME --service ssh=0.0.0.0:2201`",
  "-R": "ssh's; here the server says where clients come in: `server enroll NAME --service ssh=0.0.0.0:2201`",
  "-N": "ssh's; here nothing is logged in to",
  "-c": "frp's; here it is --config FILE, with other words in the file",
  "-p": "ssh's; here it is the port in --server ADDRESS:PORT",
};

/** The mistake in `text`, as the library words it, for the command that users know as `fullName`. */
export function commandMistake(fullName: string, text: string): string {
  const [first = "", ...rest] = text.trim().split("\n");
  const like = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(rest.join(" "))?.[1];
  const what = first.replace(/^error: /, "").replaceAll("'", '"').replace(/\.$/, "")
    .replace(/^option (".*") argument missing$/, "$1 lacks its value");
  const unknown = /^unknown command "([^"]*)"/.exec(what)?.[1];
  const meant = unknown === undefined ? undefined : meantBy([...fullName.split(" ").slice(1), unknown]);
  const foreign = FOREIGN[/^unknown option "([^"=]*)/.exec(what)?.[1] ?? ""];
  const hint = foreign
    ? `that is ${foreign}`
    : /^too many arguments for "(?:enroll|join)"/.test(what)
    ? "services are written with the option: --service NAME=ADDRESS"
    : meant
    ? `did you mean "${meant}"?`
    : like
    ? `did you mean ${like.split(", ").map((word) => `"${word}"`).join(" or ")}?`
    : `see ${fullName} --help`;
  return `${fullName.split(" ")[0]}: ${printable(what)}; ${hint}`;
}

/** Words that newcomers try, by what they stand for here, below the command of a role. */
const MEANT: Readonly<Record<string, string>> = {
  "server list": "devices",
  "server ls": "devices",
  "server ps": "devices",
  "server services": "devices",
  "server service list": "devices",
  "server service ls": "devices",
  "server log": "events",
  "server logs": "events",
  "server delete": "revoke",
  "server rm": "revoke",
  "device list": "service list",
  "device ls": "service list",
  "device services": "service list",
  "device service ls": "service list",
  "device service set": "service move",
  "device service update": "service move",
  "device log": "events",
  "device logs": "events",
};

/** What stands for `words`, as in `server service list`, where somebody may have learnt them elsewhere. */
export function meantBy(words: readonly string[]): string | undefined {
  const [role] = words;
  const meant = MEANT[words.join(" ")];
  return meant === undefined ? undefined : `${role} ${meant}`;
}
