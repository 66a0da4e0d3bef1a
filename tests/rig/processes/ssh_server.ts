/**
 * A private OpenSSH server: own keys, own configuration, on 127.0.0.1, gone after the test.
 *
 * @module
 */

import { userInfo } from "node:os";
import { freePort } from "../ports.ts";
import { Child } from "./child.ts";
import { find } from "./programs.ts";
import { TempFolder } from "../temp_folder.ts";

/** Where sshd of root drops its privileges: it insists on it, and it stays. */
export const PRIVILEGE_FOLDER = "/run/sshd";

/** A running sshd, and what a client needs to log in. */
export class SshServer implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number;
  /** A folder that both ends can use. */
  readonly folder: TempFolder;
  /** Options for `ssh` and `scp`, which trust this server only; the port is not among them. */
  readonly clientOptions: readonly string[];
  /** `USER@127.0.0.1`. */
  readonly destination = `${userInfo().username}@127.0.0.1`;

  readonly #process: Child;

  private constructor(port: number, folder: TempFolder, process: Child) {
    this.port = port;
    this.folder = folder;
    this.#process = process;
    this.clientOptions = [
      ...["-F", "/dev/null", "-i", `${folder.path}/client_key`],
      ...["IdentitiesOnly=yes", "BatchMode=yes", "StrictHostKeyChecking=yes", "ConnectTimeout=10"]
        .flatMap((option) => ["-o", option]),
      ...["-o", `UserKnownHostsFile=${folder.path}/known_hosts`, "-o", "HostKeyAlias=private"],
    ];
  }

  /** Makes the keys, starts behind `prefix`, and waits until it listens. */
  static async start(prefix: readonly string[] = []): Promise<SshServer> {
    const folder = new TempFolder();
    try {
      for (const key of ["host_key", "client_key"]) {
        const command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", `${folder.path}/${key}`];
        const made = await Child.run("ssh-keygen", command);
        if (await made.exited !== 0) throw new Error(`ssh-keygen failed: ${made.stderr.join("\n")}`);
      }
      folder.write("authorized_keys", Deno.readTextFileSync(`${folder.path}/client_key.pub`));
      folder.write("known_hosts", `private ${Deno.readTextFileSync(`${folder.path}/host_key.pub`)}`);
      const config = folder.write(
        "sshd_config",
        `
HostKey ${folder.path}/host_key
AuthorizedKeysFile ${folder.path}/authorized_keys
ListenAddress 127.0.0.1
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
MaxStartups 100
Subsystem sftp internal-sftp
`,
      );
      if (Deno.uid() === 0) Deno.mkdirSync(PRIVILEGE_FOLDER, { recursive: true, mode: 0o755 });
      const port = freePort("127.0.0.1");
      const process = Child.start("sshd", [...prefix, find("sshd")!, "-D", "-e", "-f", config, "-p", String(port)]);
      const server = new SshServer(port, folder, process);
      await process.logLine((line) => /^Server listening on/.exec(line) ?? undefined, "that it listens");
      return server;
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** The command line of `ssh` through `port`. */
  ssh(port: number, ...command: string[]): string[] {
    return ["ssh", "-p", String(port), ...this.clientOptions, this.destination, ...command];
  }

  /** The environment in which `git` reaches it, and reads nobody's configuration. */
  get gitEnvironment(): Record<string, string> {
    return {
      GIT_SSH_COMMAND: ["ssh", ...this.clientOptions].join(" "),
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_SYSTEM: "/dev/null",
      HOME: this.folder.path,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
    this.folder[Symbol.dispose]();
  }
}
