/**
 * What tests need of the machine. A test whose needs are not met is skipped, and `deno task test` says by name which
 * tests were, and what they lack.
 *
 * @module
 */

import { appendFileSync } from "node:fs";
import { TempFolder } from "../temp_folder.ts";
import { exists, find, findPostgres } from "./programs.ts";
import { hasPythonTool } from "./python.ts";

/** What a test can ask for: a program, or a right. */
export type Need = keyof typeof CHECKS;

/** The environment variable with the file that skipped tests are written to, a line of JSON each. */
export const SKIP_FILE_ENV = "SALLYPORT_TEST_SKIPS";

/** A skipped test, as written to the file. */
export interface Skip {
  readonly name: string;
  readonly missing: readonly string[];
}

const CHECKS = {
  ssh: () => find("ssh") !== undefined,
  scp: () => find("scp") !== undefined,
  sshd: () => find("sshd") !== undefined,
  telnet: () => find("telnet") !== undefined,
  telnetd: () => find("telnetd") !== undefined && find("perl") !== undefined,
  nc: () => /-N\b/.test(output("nc", ["-h"])), // there are several; this option tells the one that is wanted
  curl: () => find("curl") !== undefined,
  rsync: () => find("rsync") !== undefined,
  git: () => find("git") !== undefined,
  dig: () => find("dig") !== undefined,
  logger: () => find("logger") !== undefined,
  snmpget: () => find("snmpget") !== undefined && find("snmpbulkwalk") !== undefined,
  snmpd: () => find("snmpd") !== undefined,
  chromium: () => find("chromium") !== undefined,
  iperf3: () => find("iperf3") !== undefined,
  openssl: () => find("openssl") !== undefined,
  python3: () => find("python3") !== undefined,
  nginx: () => find("nginx") !== undefined,
  "PostgreSQL (postgres, initdb, psql, setpriv)": hasPostgres,
  ss: () => find("ss") !== undefined,
  "setpriv (as root)": () => Deno.uid() === 0 && find("setpriv") !== undefined,
  script: () => find("script") !== undefined,
  unshare: () => find("unshare") !== undefined,
  tc: () => find("tc") !== undefined,
  socat: () => find("socat") !== undefined,
  picocom: () => find("picocom") !== undefined,
  docker: () => find("docker") !== undefined,
  podman: () => find("podman") !== undefined,
  pymodbus: () => hasPythonTool("pymodbus"),
  prometheus: () => find("prometheus") !== undefined,
  promtool: () => find("promtool") !== undefined,
  "python-can 4": () => hasPythonTool("python-can 4"),
  "python-can 2.1": () => hasPythonTool("python-can 2.1"),
  schemathesis: () => hasPythonTool("schemathesis"),
  "a whole IPv6 loopback": hasIpv6,
  "network namespaces (root, ip, nft)": hasNamespaces,
  "mounts (root, mount)": hasMounts,
  "/proc": () => exists("/proc/self/fd"),
};

const known = new Map<Need, boolean>();

/** Those of `needs` that this machine does not meet. Writes the skip down if there are any. */
export function missing(name: string, needs: readonly Need[]): Need[] {
  const lacking = needs.filter((need) => !has(need));
  const file = Deno.env.get(SKIP_FILE_ENV);
  if (lacking.length > 0 && file) {
    const skip: Skip = { name, missing: lacking };
    appendFileSync(file, JSON.stringify(skip) + "\n");
  }
  return lacking;
}

/** Whether this machine has it. Each need is looked at once in a process. */
export function has(need: Need): boolean {
  let met = known.get(need);
  if (met === undefined) {
    met = CHECKS[need]();
    known.set(need, met);
  }
  return met;
}

function hasPostgres(): boolean {
  const asOther = Deno.uid() !== 0 || find("setpriv") !== undefined; // its server refuses to run as root
  return asOther && find("psql") !== undefined && ["postgres", "initdb"].every((program) => findPostgres(program));
}

function output(program: string, args: string[]): string {
  const path = find(program);
  if (path === undefined) return "";
  const { stdout, stderr } = new Deno.Command(path, { args, stdin: "null" }).outputSync();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}

/** Being root is not enough: a container may not be allowed to make namespaces, or filters in them. */
function hasNamespaces(): boolean {
  const ip = find("ip");
  const nft = find("nft");
  if (Deno.uid() !== 0 || ip === undefined || nft === undefined) return false;
  const name = `sallyport-${Deno.pid}-probe`;
  const run = (...args: string[]) =>
    new Deno.Command(ip, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync().success;
  if (!run("netns", "add", name)) return false;
  const filters = run("netns", "exec", name, nft, "add", "table", "inet", "probe");
  run("netns", "del", name);
  return filters;
}

/** Being root is not enough for this, either. */
function hasMounts(): boolean {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0 || find("mount") === undefined) return false;
  using folder = new TempFolder();
  const run = (program: string, ...args: string[]) =>
    new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync().success;
  const mounted = run("mount", "-t", "tmpfs", "tmpfs", folder.path) && run("umount", folder.path);
  return mounted;
}
