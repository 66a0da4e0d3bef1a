/**
 * A private OpenSSH server and its clients: own keys, own configuration, on 127.0.0.1, for the time of the demo.
 *
 * @module
 */

import { type Child, DemoError, type Processes, within } from "./processes.ts";
import { freePort } from "./free_port.ts";

const PLACES = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"];

/** Where sshd of a root user drops its privileges; there on a machine that has started it once. */
const PRIVSEP_DIR = "/run/sshd";

/** What the private server needs of the demo. */
export interface SshOptions {
  /** Starts its processes. */
  readonly processes: Processes;
  /** A directory of the demo's own. */
  readonly dir: string;
  /** Takes what has to be undone in the end. */
  defer(undo: () => void): void;
}

/** A running sshd, and how to reach it. */
export class PrivateSsh {
  /** Its port on 127.0.0.1. */
  readonly port: number;

  readonly #processes: Processes;
  readonly #dir: string;

  private constructor(port: number, options: SshOptions) {
    this.port = port;
    this.#processes = options.processes;
    this.#dir = options.dir;
  }

  /**
   * Starts one and logs in once.
   *
   * @throws whatever is in the way: then there is no OpenSSH to be used here.
   */
  static async start(options: SshOptions): Promise<PrivateSsh> {
    const { dir, processes } = options;
    const [sshd, keygen] = ["sshd", "ssh-keygen", "ssh", "scp"].map(find);
    for (const key of ["host", "user"]) {
      await processes.run("ssh-keygen", keygen!, ["-q", "-t", "ed25519", "-N", "", "-f", `${dir}/${key}`], 5_000);
    }
    await Deno.copyFile(`${dir}/user.pub`, `${dir}/authorized_keys`);
    await Deno.writeTextFile(`${dir}/known_hosts`, `demo ${await Deno.readTextFile(`${dir}/host.pub`)}`);
    makePrivsepDir(options);
    const port = freePort();
    await Deno.writeTextFile(`${dir}/sshd_config`, sshdConfig(dir, port));
    const server = processes.start("sshd", sshd!, ["-D", "-e", "-f", `${dir}/sshd_config`]);
    const ssh = new PrivateSsh(port, options);
    try {
      await server.says(/Server listening on/, 3_000, server.stderr);
      await ssh.run(port, "true");
    } catch (error) {
      await within(5_000, "ending sshd", stopped(server));
      throw error;
    }
    return ssh;
  }

  /** Runs a command through the sshd that is behind `port`. @returns the last line of its output. */
  run(port: number, command: string): Promise<string> {
    return this.#processes.run("ssh", "ssh", [...this.#options(), "-p", `${port}`, "127.0.0.1", command], 10_000);
  }

  /** Copies a file; one of the names begins with `127.0.0.1:`. */
  async copy(port: number, from: string, to: string): Promise<void> {
    await this.#processes.run("scp", "scp", [...this.#options(), "-q", "-P", `${port}`, from, to], 30_000);
  }

  /** Nothing of the user's own configuration, and nothing that would ask. */
  #options(): string[] {
    const settings = {
      IdentityFile: `${this.#dir}/user`,
      IdentitiesOnly: "yes",
      IdentityAgent: "none",
      UserKnownHostsFile: `${this.#dir}/known_hosts`,
      GlobalKnownHostsFile: "/dev/null",
      HostKeyAlias: "demo",
      StrictHostKeyChecking: "yes",
      BatchMode: "yes",
      ConnectTimeout: "5",
      LogLevel: "ERROR",
    };
    return ["-F", "/dev/null", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  }
}

async function stopped(server: Child): Promise<void> {
  await server.stop();
}

/** sshd wants to be called by its whole path. */
function find(name: string): string {
  for (const place of PLACES) {
    try {
      if (Deno.statSync(`${place}/${name}`).isFile) return `${place}/${name}`;
    } catch {
      // Not there: elsewhere perhaps.
    }
  }
  throw new DemoError(`${name} is not installed`);
}

function makePrivsepDir(options: SshOptions): void {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return;
  try {
    Deno.mkdirSync(PRIVSEP_DIR, { mode: 0o755 });
  } catch {
    return; // there already; if it is not, sshd says so
  }
  options.defer(() => Deno.removeSync(PRIVSEP_DIR));
}

function sshdConfig(dir: string, port: number): string {
  return [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${dir}/host`,
    `AuthorizedKeysFile ${dir}/authorized_keys`,
    "PidFile none",
    "StrictModes no", // the directory is under one that everybody may write to
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "Subsystem sftp internal-sftp",
    "",
  ].join("\n");
}
