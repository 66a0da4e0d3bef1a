/**
 * The way to a service that is a program for each client.
 *
 * @module
 */

import { EXEC_DRAIN_MS } from "../limits.ts";
import { inheritedEnvironment } from "../../app/hooks/process.ts";
import { clean } from "../../app/hooks/hooks.ts";
import { printable } from "../../app/printable.ts";
import { describeError } from "../../base/errors.ts";
import type { Connection, Duplex } from "../../net/socket.ts";
import type { EndpointClient, EndpointState, Reach, Surroundings } from "./endpoint.ts";
import type { ProgramSpec } from "./exec.ts";
import { commandOf, Program } from "./program.ts";
import { ProgramConnection } from "./program_connection.ts";
import { ErrorLines, ProgramPipes } from "./program_pipes.ts";
import { EndpointFull } from "./service_reach.ts";

/** What a program finds in `TERM` if it has a terminal: nobody knows the client's. */
const TERMINAL_KIND = "xterm";

/** Starts programs, and sees to their end. */
export class ProgramReach implements Reach {
  readonly #spec: ProgramSpec;
  readonly #maxClients: number;
  readonly #surroundings: Surroundings;
  readonly #running = new Set<Program>();
  readonly #ends = new Set<Promise<void>>();

  /** Programs as `spec` says, `maxClients` at once. */
  constructor(spec: ProgramSpec, maxClients: number, surroundings: Surroundings) {
    this.#spec = spec;
    this.#maxClients = maxClients;
    this.#surroundings = surroundings;
  }

  get state(): EndpointState {
    return { counts: { running: this.#running.size } };
  }

  /** At once: what takes its time is the program's own. */
  connect(client: EndpointClient): Promise<Connection> {
    return new Promise((resolve) => resolve(this.#start(client)));
  }

  async close(): Promise<void> {
    for (const program of this.#running) program.hurry();
    await Promise.all(this.#ends);
  }

  #start(client: EndpointClient): Connection {
    if (this.#running.size >= this.#maxClients) {
      throw new EndpointFull(`${this.#maxClients} programs are the most for ${this.#surroundings.service}`);
    }
    const { clock, engine } = this.#surroundings;
    if (!this.#spec.pty) {
      const program = this.#spawn(client, undefined);
      return this.#serve(client, program, new ProgramPipes(program.child), clock);
    }
    if (!engine.openTerminal) {
      throw new Error("a terminal (pty) takes the native engine: Linux with glibc, and the permission ffi");
    }
    const { path, stream } = engine.openTerminal();
    try {
      return this.#serve(client, this.#spawn(client, path), stream, clock);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  #serve(client: EndpointClient, program: Program, duplex: Duplex, clock: Surroundings["clock"]): Connection {
    const { logger, service } = this.#surroundings;
    const facts = { service, client: client.client, pid: program.child.pid };
    logger.debug("program {pid} of {service} for {client} has started", facts);
    this.#running.add(program);
    program.ended.then(() => this.#running.delete(program));
    const over = this.#told(program, facts).finally(() => this.#ends.delete(over));
    this.#ends.add(over);
    return new ProgramConnection(program, duplex, clock);
  }

  /** Tells what it says on the side, and how it ended. */
  async #told(program: Program, facts: Readonly<Record<string, string | number>>): Promise<void> {
    const { clock, logger } = this.#surroundings;
    const say = (line: string) =>
      logger.info("program {pid} of {service} says: {line}", { ...facts, line: printable(line) });
    const errors = this.#spec.pty ? undefined : new ErrorLines(program.child.stderr, say);
    const { code, signal } = await program.ended;
    logger.info("program {pid} of {service} for {client} ended: {exit}", {
      ...facts,
      exit: signal === null ? `exit code ${code}` : `signal ${signal}`,
      code,
      ...(signal !== null && { signal }),
    });
    const cancel = clock.after(EXEC_DRAIN_MS, () => errors?.close()); // who was left behind may hold it for ever
    await errors?.over;
    cancel();
  }

  #spawn(client: EndpointClient, terminal: string | undefined): Program {
    const { service, clock } = this.#surroundings;
    const command = commandOf(this.#spec, terminal);
    const env = {
      ...inheritedEnvironment(),
      ...(terminal !== undefined && { TERM: TERMINAL_KIND }),
      SALLYPORT_SERVICE: service,
      SALLYPORT_CLIENT: clean(client.client),
      SALLYPORT_HOST_ADDRESS: clean(client.hostAddress),
    };
    try {
      return new Program(command, env, terminal === undefined, clock);
    } catch (error) {
      throw Object.assign(new Error(whyNot(this.#spec.command[0], command[0], error), { cause: error }), codeOf(error));
    }
  }
}

function whyNot(program: string, started: string, error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return `there is no program ${program}, or none that its first line names`;
  if (error instanceof Deno.errors.NotCapable) {
    return `Deno was not given the permission to run ${started}: --allow-run=${started}`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `${program} may not be run: its mode, or a folder's, is against it`;
  }
  return `${program} cannot be run: ${describeError(error)}`;
}

/** The system's word, which tells a shortage from all else. */
function codeOf(error: unknown): { readonly code?: unknown } {
  return error instanceof Error && "code" in error ? { code: error.code } : {};
}
