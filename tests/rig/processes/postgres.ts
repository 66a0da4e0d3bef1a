/**
 * A private PostgreSQL server on 127.0.0.1, gone after the test.
 *
 * @module
 */

import { freePort } from "../ports.ts";
import { Child } from "./child.ts";
import { find, findPostgres } from "./programs.ts";
import { TempFolder } from "../temp_folder.ts";

/** The user that it runs as, where the tests run as root. */
const NOBODY = 65_534;

export class PostgresServer implements AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  readonly #process: Child;
  readonly #folder: TempFolder;

  private constructor(port: number, process: Child, folder: TempFolder) {
    this.port = port;
    this.#process = process;
    this.#folder = folder;
  }

  /** Makes a cluster, starts behind `prefix`, and waits until it takes connections. */
  static async start(prefix: readonly string[] = []): Promise<PostgresServer> {
    const folder = new TempFolder();
    try {
      const isRoot = Deno.uid() === 0;
      if (isRoot) Deno.chownSync(folder.path, NOBODY, NOBODY);
      const as = isRoot ? [find("setpriv")!, `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"] : [];
      const data = `${folder.path}/data`;
      const made = await Child.run("initdb", [
        ...as,
        ...[findPostgres("initdb")!, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale"],
      ], 30_000);
      if (await made.exited !== 0) throw new Error(`initdb failed: ${made.stderr.join("; ")}`);
      const port = freePort("127.0.0.1");
      const process = Child.start("postgres", [
        ...prefix,
        ...as,
        ...[findPostgres("postgres")!, "-D", data, "-p", String(port), "-h", "127.0.0.1", "-F"],
        ...["-c", "unix_socket_directories=", "-c", "jit=off"],
      ]);
      const server = new PostgresServer(port, process, folder);
      try {
        await process.logLine((line) => /ready to accept connections/.exec(line) ?? undefined, "that it is ready");
      } catch (error) {
        await server.#stop();
        throw error;
      }
      return server;
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  async #stop(): Promise<void> {
    this.#process.signal("SIGQUIT"); // at once; SIGKILL would leave its children
    await this.#process.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    this.#folder[Symbol.dispose]();
  }
}
