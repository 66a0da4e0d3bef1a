/**
 * A private OpenSSH server and its clients, for the time of the demo.
 *
 * @module
 */

import { exists, find } from "../../tests/rig/processes/programs.ts";
import { PRIVILEGE_FOLDER, SshServer } from "../../tests/rig/processes/ssh_server.ts";
import { DemoError } from "./processes.ts";
import type { Stage } from "./stage.ts";

/** A running sshd, and how to reach it. */
export class PrivateSsh {
  readonly #server: SshServer;
  readonly #stage: Stage;

  private constructor(server: SshServer, stage: Stage) {
    this.#server = server;
    this.#stage = stage;
  }

  /**
   * Starts one and logs in once.
   *
   * @throws whatever is in the way: then there is no OpenSSH to be used here.
   */
  static async start(stage: Stage): Promise<PrivateSsh> {
    for (const program of ["sshd", "ssh-keygen", "ssh", "scp"]) {
      if (find(program) === undefined) throw new DemoError(`${program} is not installed`);
    }
    if (!exists(PRIVILEGE_FOLDER)) stage.defer(() => Deno.removeSync(PRIVILEGE_FOLDER));
    const server = await SshServer.start();
    stage.defer(() => server[Symbol.asyncDispose]());
    const ssh = new PrivateSsh(server, stage);
    await ssh.run(server.port, "true");
    return ssh;
  }

  get port(): number {
    return this.#server.port;
  }

  /** Runs a command through the sshd that is behind `port`. @returns the last line of its output. */
  run(port: number, command: string): Promise<string> {
    return this.#stage.processes.run("ssh", this.#server.ssh(port, command), 10_000);
  }

  /** Copies a file; one of the names begins with `127.0.0.1:`. */
  async copy(port: number, from: string, to: string): Promise<void> {
    const command = ["scp", ...this.#server.clientOptions, "-q", "-P", `${port}`, from, to];
    await this.#stage.processes.run("scp", command, 30_000);
  }
}
