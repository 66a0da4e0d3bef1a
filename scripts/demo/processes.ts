/**
 * The processes that the demo starts: what they say is waited for line by line, and none is left in the end.
 *
 * @module
 */

/** Something did not come in time, or a process ended when it should not. */
export class DemoError extends Error {
  override readonly name = "DemoError";
}

/** Matches no line. */
const NEVER = /(?!)/;

/** Time that an orderly end may take before a process is killed. */
const STOP_MS = 6_000;

/** Waits for `promise`, and for `ms` milliseconds at most. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new DemoError(`${what}: nothing within ${ms / 1000} s`)), ms);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The lines of a stream, each of them handed out once. */
export class Lines {
  readonly #lines: string[] = [];
  #last = "";
  #wake = Promise.withResolvers<void>();
  #ended = false;

  /** Reads `stream` to its end; `onLine` hears of each line at once. */
  constructor(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void = () => {}) {
    this.#read(stream, onLine).catch(() => {}).finally(() => {
      this.#ended = true;
      this.#wake.resolve();
    });
  }

  /** The last line so far. */
  get last(): string {
    return this.#last;
  }

  /** The next line that matches; those before it are passed over. `undefined` if the stream ends without one. */
  async next(pattern: RegExp): Promise<RegExpExecArray | undefined> {
    for (;;) {
      for (let line; (line = this.#lines.shift()) !== undefined;) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      if (this.#ended) return undefined;
      await this.#wake.promise;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.#lines.push(line);
        if (line !== "") this.#last = line;
        onLine(line);
      }
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
  }
}

/** A process. */
export class Child {
  /** What it is to the demo. */
  readonly name: string;
  /** What it prints. */
  readonly stdout: Lines;
  /** What it logs. */
  readonly stderr: Lines;

  readonly #process: Deno.ChildProcess;

  /** Wraps a process whose output is piped. */
  constructor(name: string, process: Deno.ChildProcess, onLog?: (line: string) => void) {
    this.name = name;
    this.#process = process;
    this.stdout = new Lines(process.stdout);
    this.stderr = new Lines(process.stderr, onLog);
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Its end. */
  get status(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /** The next line of stdout, or stderr, that matches; an error if it ends before, or takes longer than `ms`. */
  async says(pattern: RegExp, ms: number, lines: Lines = this.stdout): Promise<RegExpExecArray> {
    const match = await within(ms, `waiting for the ${this.name}`, lines.next(pattern));
    if (match) return match;
    const { code } = await this.status;
    throw new DemoError(`the ${this.name} ended with ${code}: ${lastWords(this)}`);
  }

  /** Asks it to end. */
  terminate(signal: Deno.Signal = "SIGTERM"): void {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
  }

  /** Ends it: in order, and if that takes too long, at once. @returns its exit code. */
  async stop(): Promise<number> {
    this.terminate();
    const timer = setTimeout(() => this.terminate("SIGKILL"), STOP_MS);
    const { code } = await this.status;
    clearTimeout(timer);
    return code;
  }
}

/** What a process said last, for people. */
export function lastWords({ stderr, stdout }: Child): string {
  const line = stderr.last || stdout.last || "it said nothing";
  return /^{.*"message":"(.*?)"[,}]/.exec(line)?.[1] ?? line;
}

/** Starts processes, and ends those that are left. */
export class Processes {
  readonly #running = new Set<Child>();
  #closed = false;

  /** Starts one. */
  start(name: string, command: string, args: string[], onLog?: (line: string) => void): Child {
    if (this.#closed) throw new DemoError("the demo was ended");
    const process = new Deno.Command(command, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      clearEnv: true,
      env: cleanEnv(),
    }).spawn();
    const child = new Child(name, process, onLog);
    this.#running.add(child);
    child.status.then(() => this.#running.delete(child));
    return child;
  }

  /** Runs one to its end. @returns its stdout's last line; an error if it fails, or takes longer than `ms`. */
  async run(name: string, command: string, args: string[], ms: number): Promise<string> {
    const child = this.start(name, command, args);
    try {
      const { success, code } = await within(ms, name, child.status);
      await child.stdout.next(NEVER); // until all has been read
      if (!success) {
        await child.stderr.next(NEVER);
        throw new DemoError(`${name} ended with ${code}: ${lastWords(child)}`);
      }
      return child.stdout.last;
    } finally {
      child.terminate();
    }
  }

  /** Ends those that are left, the last one first. */
  async stopAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].reverse().map((child) => child.stop()));
  }
}

/** The environment, without what would configure our processes. */
function cleanEnv(): Record<string, string> {
  return Object.fromEntries(Object.entries(Deno.env.toObject()).filter(([name]) => !name.startsWith("SALLYPORT_")));
}
