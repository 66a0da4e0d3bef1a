/**
 * Child processes of the bench: started, listened to line by line, and ended.
 *
 * @module
 */

/** Files that a process may have open: 10,000 clients and what else it needs. */
export const OPEN_FILES = 11_000;

/** Raises the limit of open files to `$1` where that is allowed: the soft limit, or as root both. */
const RAISE = "case $(ulimit -S -n) in unlimited) ;; *) " +
  '[ "$(ulimit -S -n)" -ge "$1" ] || ulimit -S -n "$1" 2>/dev/null || ulimit -n "$1" 2>/dev/null ;; esac';

/** A child's shell: raises the limit, appends stderr to a file if `$2` names one, and becomes the command. */
const SHELL = `${RAISE}; log=$2; shift 2; [ -z "$log" ] || exec 2>>"$log"; exec "$@"`;

/** What a child is started with. */
export interface ChildOptions {
  /** What people know it by, for messages. */
  readonly name: string;
  /** A file for what it writes to stderr, without a reader that would cost time; else its lines join those of stdout. */
  readonly stderrFile?: string;
  /** Environment variables on top of ours. */
  readonly env?: Record<string, string>;
  /** What to put before the command, to run it on another machine. */
  readonly prefix?: readonly string[];
}

const living = new Set<Child>();

/** A running child process. */
export class Child {
  /** What people know it by. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** Resolves when the process has ended and all that it printed is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** What it printed, line by line. */
  readonly lines: string[] = [];
  #process: Deno.ChildProcess;
  #status: Deno.CommandStatus | undefined;
  #news = Promise.withResolvers<void>();

  /** Starts `command` with `args`. */
  constructor(command: string, args: readonly string[], options: ChildOptions) {
    const { stderrFile = "", prefix = [] } = options;
    this.#process = new Deno.Command("/bin/sh", {
      args: ["-c", SHELL, "sh", `${OPEN_FILES}`, stderrFile, ...prefix, command, ...args],
      env: options.env ?? {},
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.name = options.name;
    this.pid = this.#process.pid;
    living.add(this);
    this.ended = Promise.all([
      this.#process.status,
      this.#collect(this.#process.stdout),
      this.#collect(this.#process.stderr),
    ]).then(async ([status]) => {
      await this.closeInput();
      this.#status = status;
      living.delete(this);
      this.#news.resolve();
      return status;
    });
  }

  /** Whether the process is still there. */
  get alive(): boolean {
    return this.#status === undefined;
  }

  /** The first line that matches `pattern`, from line `from` on, once it is printed. */
  async line(pattern: RegExp, ms = 10_000, from = 0): Promise<RegExpExecArray> {
    const until = performance.now() + ms;
    for (let at = from;; at++) {
      while (at >= this.lines.length) {
        if (!this.alive) throw new Error(`${this.name} ended before it printed ${pattern}: ${this.tail()}`);
        await within(this.#news.promise, until - performance.now(), `${this.name} did not print ${pattern} in time`);
      }
      const match = pattern.exec(this.lines[at]!);
      if (match) return match;
    }
  }

  /** The last lines, for messages. */
  tail(): string {
    return this.lines.slice(-5).join(" | ") || "(it printed nothing)";
  }

  /** Ends what the child reads. */
  async closeInput(): Promise<void> {
    await this.#process.stdin.close().catch(() => {}); // closed already
  }

  /** Ends the process with SIGTERM, after 7 s with SIGKILL. @returns whether it ended in time. */
  async stop(): Promise<boolean> {
    this.kill("SIGTERM");
    await this.closeInput();
    try {
      await within(this.ended, 7_000, "");
      return true;
    } catch {
      this.kill("SIGKILL");
      await this.ended;
      return false;
    }
  }

  /** Sends a signal. */
  kill(signal: Deno.Signal): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    for await (const text of stream.pipeThrough(decoder())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#news.resolve();
      this.#news = Promise.withResolvers<void>();
    }
    if (rest !== "") this.lines.push(rest);
  }
}

/** A text decoder whose types fit a stream of bytes. */
function decoder(): ReadableWritablePair<string, Uint8Array> {
  const text = new TextDecoder();
  return new TransformStream<Uint8Array, string>({
    transform: (chunk, controller) => controller.enqueue(text.decode(chunk, { stream: true })),
  });
}

/** Files that a child may have open. */
export function openFiles(): number {
  const { stdout } = new Deno.Command("/bin/sh", {
    args: ["-c", `${RAISE}; ulimit -S -n`, "sh", `${OPEN_FILES}`],
    stderr: "null",
  }).outputSync();
  const text = new TextDecoder().decode(stdout).trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** Ends whatever still runs, at once. */
export function killAll(): void {
  for (const child of living) child.kill("SIGKILL");
}

/** What `promise` gives, or an error with `message` after `ms` milliseconds. */
export async function within<T>(promise: Promise<T>, ms: number, message: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(message)), Math.max(0, ms));
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Time for the processes under test to come to rest. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The path of a program on the PATH or where system programs are, or in `folders`. */
export function findProgram(
  name: string,
  folders = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/sbin", "/usr/local/sbin"],
): string | undefined {
  return folders.filter((folder) => folder !== "").map((folder) => `${folder}/${name}`).find((path) => {
    try {
      const { isFile, mode } = Deno.statSync(path);
      return isFile && ((mode ?? 0o111) & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}

/** A port that was free a moment ago, for programs that cannot pick one and tell. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
