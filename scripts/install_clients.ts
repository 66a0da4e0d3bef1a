/**
 * Installs the real clients and services that the tests drive, where it can: on Debian and its kin, as root. What it
 * cannot install is not an error: the tests that need it are skipped by name.
 *
 * @module
 */

/** Debian packages by a program of theirs. */
const PACKAGES: Record<string, string> = {
  sshd: "openssh-server",
  ssh: "openssh-client",
  telnet: "telnet",
  telnetd: "inetutils-telnetd",
  nc: "netcat-openbsd",
  iperf3: "iperf3",
  curl: "curl",
  ip: "iproute2",
  nft: "nftables",
  ps: "procps",
};

const FOLDERS = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

/** Installs what is missing; tells of its progress with `say`. */
export async function installClients(say: (line: string) => void): Promise<void> {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const why = cannotInstall();
  if (why) return say(`clients: ${packages.join(", ")} missing, and not installed: ${why}`);
  say(`clients: installing ${packages.join(", ")} …`);
  const failure = await apt(["update"]) ?? await installTogetherOrEach(packages);
  const left = missingPackages();
  if (left.length === 0) say("clients: installed");
  else say(`clients: still missing: ${left.join(", ")}${failure === undefined ? "" : `; ${failure}`}`);
}

function missingPackages(): string[] {
  return Object.entries(PACKAGES).filter(([program]) => !isThere(program)).map(([, name]) => name);
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
    args: ["--quiet", ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
  }).output();
  if (success) return undefined;
  const lines = new TextDecoder().decode(stderr.length > 0 ? stderr : stdout).trim().split("\n");
  return lines.findLast((line) => line.startsWith("E:")) ?? lines.at(-1) ?? "apt-get failed";
}

function cannotInstall(): string | undefined {
  if (Deno.build.os !== "linux" || !isThere("apt-get")) return "no apt-get here";
  if (Deno.uid() !== 0) return "not root";
  return undefined;
}

function isThere(program: string): boolean {
  return FOLDERS.some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

if (import.meta.main) {
  await installClients((line) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n")));
}
