/**
 * The life of a process: from its command line to its exit code.
 *
 * @module
 */

import { CommanderError } from "commander";
import { systemClock } from "../base/clock.ts";
import { describeError } from "../base/errors.ts";
import type { Logger } from "../base/logger.ts";
import { UnprovableError } from "../net/tls/proof.ts";
import { EngineError } from "../net/engines.ts";
import { CertificateError } from "../net/tls/certificate_files.ts";
import { ListenError } from "../net/listener.ts";
import { ConfigError } from "./toml/config_error.ts";
import { ExitCode } from "./exit_codes.ts";
import { MachineError } from "./files/machine_error.ts";
import { OUTPUT_FLUSH_MS } from "./limits.ts";
import { flushOutput, stderr, stdout } from "./output.ts";
import { printable, printableLines } from "./printable.ts";
import { type ConfigFile, FileWatch } from "./reload/file_watch.ts";
import { ServiceManager } from "./systemd/service_manager.ts";

/** What a daemon is to its process. */
export interface Daemon {
  /** Resolves when it runs; rejects if it cannot. */
  readonly ready: Promise<void>;
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<void>;
  /** Ends it in order, within bounded time. */
  shutdown(): Promise<void>;
  /** Reads anew what can be read anew, and tells what came of it; `why` is SIGHUP, or that its file has changed. */
  reload(why: string, tellsAlways: boolean): void | Promise<void>;
  /** The file that it was configured with: when that has changed, it is read anew. */
  readonly configuration?: ConfigFile | undefined;
  /** How it is, in one line, for whoever runs it. */
  status(): string;
}

/** The other side will have nothing to do with this process; the message is for the user. */
export class RefusedError extends Error {
  /** With what it said. */
  constructor(why: string) {
    super(`refused for good: ${printable(why)}`);
    this.name = "RefusedError";
  }
}

/** What was asked for did not come about, and nobody is wrong; the message is for the user. */
export class UnfinishedError extends Error {
  override readonly name = "UnfinishedError";
}

/** A promise that nobody looks at is a fault of ours; it is told, and takes no link down. */
function guardRejections(name: string): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    say(name, `unexpected, please report: ${event.reason instanceof Error ? event.reason.stack : event.reason}`);
  });
}

/** Whether what a command printed could not be written: then it has not gone well, whatever else came of it. */
let isOutputLost = false;

/** What a command prints that does one thing and ends, all of it, in its order, and nothing if nobody takes it. */
export function beginTask(): void {
  stdout.waits = stderr.waits = true;
  stdout.onFailure = endWithOutput;
}

/**
 * Ends a process whose lines nobody takes: what only shows something has nothing to do then. Who has read enough (`head`)
 * is no failure.
 */
function endWithOutput(error: unknown): void {
  if (error instanceof Deno.errors.BrokenPipe) Deno.exit(ExitCode.OK);
  if (!isOutputLost) stderr.write(`cannot write to stdout: ${describeError(error)}`);
  isOutputLost = true;
  stderr.flush(OUTPUT_FLUSH_MS).then(() => Deno.exit(ExitCode.TROUBLE));
}

/** Runs `command` to its end and leaves the process with its exit code; every error becomes one line. */
export async function runProcess(name: string, command: () => Promise<void>): Promise<never> {
  guardRejections(name);
  let exitCode: number;
  try {
    await command();
    exitCode = ExitCode.OK;
  } catch (error) {
    exitCode = report(name, error);
  }
  await flushOutput();
  Deno.exit(exitCode === ExitCode.OK && isOutputLost ? ExitCode.TROUBLE : exitCode);
}

function report(name: string, error: unknown): number {
  const { code, text } = complaintOf(error);
  if (text !== undefined) say(name, text);
  return code;
}

/** What a process that ended by `error` says of it, if it has not been said, and its exit code. */
export function complaintOf(error: unknown): { readonly code: number; readonly text?: string } {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE }; // commander has said it
  if (error instanceof Deno.errors.InvalidData && error.message.startsWith(BAD_VARIABLE)) {
    const rest = error.message.slice(BAD_VARIABLE.length);
    return { code: ExitCode.USAGE, text: `a variable of the environment is not UTF-8${rest}; set it anew` };
  }
  for (const [kind, code] of EXIT_CODES) if (error instanceof kind) return { code, text: error.message };
  const text = `unexpected: ${error instanceof Error ? error.stack ?? describeError(error) : String(error)}`;
  return { code: ExitCode.FAILURE, text };
}

/** Errors whose message is for the user. */
const EXIT_CODES = [
  [ConfigError, ExitCode.USAGE],
  [CertificateError, ExitCode.USAGE],
  [UnprovableError, ExitCode.USAGE],
  [EngineError, ExitCode.USAGE],
  [MachineError, ExitCode.TROUBLE],
  [RefusedError, ExitCode.REFUSED],
  [UnfinishedError, ExitCode.FAILURE],
  [ListenError, ExitCode.LISTEN],
] as const;

/** How the runtime begins when a variable of the environment is not UTF-8; it does not say which one. */
const BAD_VARIABLE = "environment variable was not valid unicode";

function say(name: string, text: string): void {
  stderr.write(`${name}: ${printableLines(text)}`);
}

/** What a daemon hears. */
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;

/** Whether whoever started this process (nohup) has it ignore SIGHUP, which is signal 1, the lowest bit. */
function ignoresHangUp(): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? "0";
    return (parseInt(mask.slice(-1), 16) & 1) === 1;
  } catch {
    return false; // no Linux, or no permission to look
  }
}

/** Whether somebody at a terminal has started this process: then SIGHUP says that the terminal is gone. */
function isOnTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

/**
 * Keeps a daemon running until it ends by itself, or in order at the first SIGTERM or SIGINT, at once at the second.
 * SIGHUP ends it too where it was started at a terminal; elsewhere it reads anew what it can, as daemons do. A service
 * manager that asked for it hears when it is ready, reads anew and ends, and how it is.
 */
export async function runDaemon(
  daemon: Daemon,
  logger: Logger,
  onSignal: (signal: Deno.Signal) => void,
): Promise<void> {
  stdout.onFailure = undefined; // a daemon goes on, whoever reads its lines
  stdout.waits = stderr.waits = false;
  using manager = ServiceManager.find({ clock: systemClock, logger, status: () => daemon.status() });
  let signalled = false;
  let ended = false;
  const onTerminal = isOnTerminal(); // before it goes away
  const hangUpIgnored = ignoresHangUp(); // before there are handlers: the first one takes what was ignored away
  for (const signal of SIGNALS) {
    // The runtime would end the process where there is no handler, whoever had asked for the signal to be ignored; so they
    // stay, also for the last moment of a process that has ended in order.
    Deno.addSignalListener(signal, () => {
      if (ended || signal === "SIGHUP" && hangUpIgnored) return;
      if (signal === "SIGHUP" && !onTerminal) return void reload(daemon, manager, "SIGHUP", true);
      if (signalled) Deno.exit(ExitCode.INTERRUPTED);
      signalled = true;
      manager?.stopping();
      onSignal(signal);
      daemon.shutdown().catch((error: unknown) => say("shutdown", describeError(error)));
    });
  }
  try {
    await daemon.ready;
    if (!signalled) manager?.ready();
    using _watch = watchOf(daemon, manager);
    await daemon.closed;
  } catch (error) {
    if (!signalled) throw error; // a daemon that is ended before it was ready has ended in order
  } finally {
    ended = true;
  }
}

/** Looks at the configuration file, if there is one. */
function watchOf(daemon: Daemon, manager: ServiceManager | undefined): FileWatch | undefined {
  const file = daemon.configuration;
  if (!file) return undefined;
  const onChange = () => void reload(daemon, manager, `${file.path} has changed`, false);
  return new FileWatch({ file, clock: systemClock, onChange });
}

async function reload(
  daemon: Daemon,
  manager: ServiceManager | undefined,
  why: string,
  tellsAlways: boolean,
): Promise<void> {
  manager?.reloading();
  try {
    await daemon.reload(why, tellsAlways);
  } catch (error) {
    say("reload", describeError(error));
  }
  manager?.reloaded();
}
