/**
 * Processes that tests, scripts and the bench start: their lines are kept, waited for and shown when a test fails, and
 * none outlives who started it.
 *
 * @module
 */

import { TextLineStream } from "./lines.ts";
import { within } from "../wait.ts";

/** How a process is started. */
export interface ChildOptions {
  /** Set on top of what this process has; `SALLYPORT_…` is never handed down, but for the engine, nor is this machine's HTTP proxy. */
  readonly env?: Record<string, string>;
  /** Whether its stdin is open, until {@linkcode Child.closeInput}. @default {false} */
  readonly input?: boolean;
  /** A file to which its stderr is appended, without a reader that would cost time. */
  readonly stderrFile?: string;
  /** Files that it may have open: the limit is raised to that where it is allowed. */
  readonly openFiles?: number;
}

/** Time that an orderly end may take, in milliseconds, before a process is killed. */
const STOP_MS = 7_000;

/** Raises the limit of open files to `$1` where that is allowed: the soft limit, or as root both. */
const RAISE = "case $(ulimit -S -n) in unlimited) ;; *) " +
  '[ "$(ulimit -S -n)" -ge "$1" ] || ulimit -S -n "$1" 2>/dev/null || ulimit -n "$1" 2>/dev/null ;; esac';

/** Raises the limit, appends stderr to a file if `$2` names one, and becomes the command. */
const SHELL = `${RAISE}; log=$2; shift 2; [ -z "$log" ] || exec 2>>"$log"; exec "$@"`;

/** What is not handed down: it would change what a process does. */
const NOT_INHERITED = /^(SALLYPORT_(?!ENGINE$).*|(https?|all|no)_proxy)$/i;

/** Processes since the last {@linkcode forgetChildren}, whose lines are shown when a test fails. */
const started: Child[] = [];

/** A running process. Disposing of it kills it, if it still runs, and waits for its end. */
export class Child implements AsyncDisposable {
  /** What it is called in messages. */
  readonly name: string;
  readonly pid: number;
  /** Lines of its stdout so far. */
  readonly stdout: string[] = [];
  /** Lines of its stderr so far. */
  readonly stderr: string[] = [];
  /** Resolves to its exit code when it has ended and everything that it said was read. */
  readonly exited: Promise<number>;

  readonly #process: Deno.ChildProcess;
  #input: WritableStream<Uint8Array<ArrayBuffer>> | undefined;
  #running = true;
  #wake = Promise.withResolvers<void>();

  private constructor(name: string, process: Deno.ChildProcess, input: boolean) {
    this.name = name;
    this.#process = process;
    this.#input = input ? process.stdin : undefined;
    this.pid = process.pid;
    this.exited = Promise.all([
      process.status,
      this.#collect(process.stdout, this.stdout),
      this.#collect(process.stderr, this.stderr),
    ]).then(async ([{ code }]) => {
      await this.closeInput();
      this.#running = false;
      this.#notify();
      return code;
    });
    started.push(this);
  }

  /** Starts a command, its arguments behind it. */
  static start(name: string, given: readonly string[], options: ChildOptions = {}): Child {
    const { input = false, stderrFile = "", openFiles = 0 } = options;
    const isPlain = stderrFile === "" && openFiles === 0;
    const command = isPlain ? given : ["/bin/sh", "-c", SHELL, "sh", `${openFiles}`, stderrFile, ...given];
    const inherited = Object.entries(Deno.env.toObject()).filter(([key]) => !NOT_INHERITED.test(key));
    const [program = "", ...args] = command;
    const process = new Deno.Command(program, {
      args,
      clearEnv: true,
      env: { ...Object.fromEntries(inherited), ...options.env },
      stdin: input ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    return new Child(name, process, input);
  }

  /** Runs `command` to its end, which has to come within `ms`. */
  static async run(name: string, command: readonly string[], ms?: number): Promise<Child> {
    const child = Child.start(name, command);
    await child.end(ms);
    return child;
  }

  /** Whether it has not ended, or not all that it said has been read. */
  get running(): boolean {
    return this.#running;
  }

  /** The last lines of stdout and of stderr, for messages. */
  get tail(): string {
    return [...this.stdout.slice(-5), ...this.stderr.slice(-5)].join(" | ") || "it said nothing";
  }

  /** The first match among the lines of stdout from line `from` on, those to come, each within `ms`, included. */
  async line(pattern: RegExp, from = 0, ms?: number): Promise<RegExpExecArray> {
    return (await this.find("stdout", (line) => pattern.exec(line) ?? undefined, `${pattern}`, from, ms)).found;
  }

  /** As {@linkcode Child.line}, for stderr; `pick` gives `undefined` for a line that is not meant. */
  async logLine<T>(pick: (line: string) => T | undefined, what: string, from = 0, ms?: number): Promise<T> {
    return (await this.find("stderr", pick, what, from, ms)).found;
  }

  /** As {@linkcode Child.line}, for either, with the number of the line. */
  async find<T>(
    where: "stdout" | "stderr",
    pick: (line: string) => T | undefined,
    what: string,
    from = 0,
    ms?: number,
  ): Promise<{ readonly found: T; readonly at: number }> {
    const lines = this[where];
    for (let at = from;; at++) {
      while (at >= lines.length) {
        if (!this.#running) throw new Error(`${this.name} ended without ${what} on ${where}: ${this.tail}`);
        await within(this.#wake.promise, `${what} on ${where} of ${this.name}`, ms);
      }
      const found = pick(lines[at]!);
      if (found !== undefined) return { found, at };
    }
  }

  /** Sends a signal; nothing happens if it has ended. */
  signal(signal: Deno.Signal): void {
    if (!this.#running) return;
    try {
      this.#process.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has just ended, and what it said is still being read
    }
  }

  /** Its exit code; it has to end within `ms`. */
  end(ms?: number): Promise<number> {
    return within(this.exited, `the end of ${this.name}`, ms);
  }

  /** Gives it something to read; its stdin has to be open. */
  async type(text: string): Promise<void> {
    const writer = this.#input!.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Ends what it reads. Idempotent. */
  async closeInput(): Promise<void> {
    const input = this.#input;
    this.#input = undefined;
    await input?.close().catch(() => {}); // it has ended already
  }

  /** Ends it: in order, and if that takes too long, at once. @returns whether it was in order. */
  async stop(): Promise<boolean> {
    this.signal("SIGTERM");
    await this.closeInput();
    try {
      await this.end(STOP_MS);
      return true;
    } catch {
      await this.kill();
      return false;
    }
  }

  /** Kills it as nobody can who wants an orderly end. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>, lines: string[]): Promise<void> {
    for await (const line of stream.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())) {
      lines.push(line);
      this.#notify();
    }
  }

  #notify(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}

/** Kills whatever still runs. */
export async function killChildren(): Promise<void> {
  await Promise.all(started.map((child) => child.kill()));
}

/** Files that a process may have open whose {@linkcode ChildOptions.openFiles} are so many. */
export function openFilesLimit(wanted: number): number {
  const { stdout } = new Deno.Command("/bin/sh", {
    args: ["-c", `${RAISE}; ulimit -S -n`, "sh", `${wanted}`],
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** Forgets the processes of earlier tests. */
export function forgetChildren(): void {
  started.length = 0;
}

/** What the processes of this test said, for the message of its failure. */
export function childrenSaid(): string {
  return started.filter(({ stdout, stderr }) => stdout.length + stderr.length > 0).map((
    { name, pid, stdout, stderr },
  ) => [`--- ${name} (${pid})`, ...stdout.slice(-15), ...stderr.slice(-15).map((line) => `! ${line}`)].join("\n")).join(
    "\n",
  );
}
