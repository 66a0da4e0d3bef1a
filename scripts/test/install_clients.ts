/**
 * Installs the real clients and services that the tests drive, where it can: on Debian and its kin, as root; those in
 * Python in the user's cache, where pip finds them. What it cannot install is not an error: the tests that need it are
 * skipped by name.
 *
 * @module
 */

import { exists, find, findPostgres } from "../../tests/rig/processes/programs.ts";
import { hasPythonTool, installPythonTool, PYTHON_TOOLS } from "../../tests/rig/processes/python.ts";
import { say } from "../../tests/rig/say.ts";

/** Debian packages by a program of theirs. */
const PACKAGES: Record<string, string> = {
  sshd: "openssh-server",
  ssh: "openssh-client",
  telnet: "telnet",
  telnetd: "inetutils-telnetd",
  nc: "netcat-openbsd",
  iperf3: "iperf3",
  dig: "bind9-dnsutils",
  logger: "bsdutils",
  snmpget: "snmp",
  snmpd: "snmpd",
  curl: "curl",
  ip: "iproute2",
  nft: "nftables",
  ps: "procps",
  rsync: "rsync",
  git: "git",
  nginx: "nginx",
  openssl: "openssl",
  python3: "python3",
  psql: "postgresql-client",
  postgres: "postgresql",
  socat: "socat",
  picocom: "picocom",
  docker: "docker.io",
  podman: "podman",
  prometheus: "prometheus",
  chromium: "chromium",
};

/** While this file is there and says so, packages that are installed start no services (deb-invoke-rc.d). */
const POLICY_FILE = "/usr/sbin/policy-rc.d";
const NO_SERVICES = "#!/bin/sh\nexit 101\n";

/** With this, `postgresql` makes no database of its own when it is installed. */
const POSTGRES_SETTINGS = "/etc/postgresql-common/createcluster.conf";

/** Installs what is missing; tells of its progress with `say`. */
export async function installClients(say: (line: string) => void): Promise<void> {
  await installPackages(say);
  for (const name of PYTHON_TOOLS.filter((name) => !hasPythonTool(name))) {
    say(`clients: installing ${name} …`);
    const failure = await installPythonTool(name);
    say(`clients: ${name} ${failure === undefined ? "installed" : `cannot be had: ${failure}`}`);
  }
}

async function installPackages(say: (line: string) => void): Promise<void> {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const why = cannotInstall();
  if (why) return say(`clients: ${packages.join(", ")} missing, and not installed: ${why}`);
  say(`clients: installing ${packages.join(", ")} …`);
  const failure = await apt(["update"]) ?? await withoutServices(() => installTogetherOrEach(packages));
  const left = missingPackages();
  if (left.length === 0) say("clients: installed");
  else say(`clients: still missing: ${left.join(", ")}${failure === undefined ? "" : `; ${failure}`}`);
}

function missingPackages(): string[] {
  return Object.entries(PACKAGES).filter(([program]) => !findPostgres(program)).map(([, name]) => name);
}

/** Runs `install` so that what it installs starts nothing and makes no database; what is decided here already stays. */
async function withoutServices<T>(install: () => Promise<T>): Promise<T> {
  const written = [
    ...write(POLICY_FILE, NO_SERVICES, 0o755),
    ...write(POSTGRES_SETTINGS, "create_main_cluster = false\n", 0o644),
  ];
  try {
    return await install();
  } finally {
    for (const file of written) Deno.removeSync(file);
  }
}

/** Writes a file unless there is one. @returns what was written. */
function write(file: string, text: string, mode: number): string[] {
  if (exists(file)) return [];
  try {
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(file, text, { mode, createNew: true });
    Deno.chmodSync(file, mode);
    return [file];
  } catch {
    return []; // then services may start: no reason to install nothing
  }
}

/** One that is unknown here fails the whole, so then each goes by itself. */
async function installTogetherOrEach(packages: readonly string[]): Promise<string | undefined> {
  const install = ["install", "--yes", "--no-install-recommends"];
  if (await apt([...install, ...packages]) === undefined) return undefined;
  const failures: string[] = [];
  for (const name of packages) {
    const failure = await apt([...install, name]);
    if (failure !== undefined) failures.push(`${name} (${failure})`);
  }
  return failures.length > 0 ? failures.join(", ") : undefined;
}

/** @returns what went wrong, if anything did. */
async function apt(args: readonly string[]): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command("apt-get", {
    // A question about a file that is there already would wait for an answer.
    args: ["--quiet", "-o", "Dpkg::Options::=--force-confold", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  }).output();
  if (success) return undefined;
  const lines = new TextDecoder().decode(stderr.length > 0 ? stderr : stdout).trim().split("\n");
  return lines.findLast((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "apt-get failed";
}

function cannotInstall(): string | undefined {
  if (Deno.build.os !== "linux" || find("apt-get") === undefined) return "no apt-get here";
  if (Deno.uid() !== 0) return "not root";
  return undefined;
}

if (import.meta.main) {
  await installClients(say);
}
