/**
 * What the bench measures. A new target is one object like these, added to the list in `targets.ts`.
 *
 * @module
 */

/** Where processes run. */
export interface Machine {
  /** What to put before a command to run it there. */
  readonly prefix: readonly string[];
  /** Its address for the others. */
  readonly address: string;
}

/** This machine. */
export const HERE: Machine = { prefix: [], address: "127.0.0.1" };

/** A way from clients to a service. */
export interface Target {
  /** Its name in tables and for `--only`. */
  readonly name: string;
  /** What is missing on this machine, with what to install; such a target is skipped. */
  needs?(): string | undefined;
  /** Clients that it takes in the large measure of memory; 0 if it has no part in that. */
  readonly crowd?: number;
  /** The only measures that it is there for; all by default. */
  readonly only?: readonly string[];
  /** Starts it in front of the service at the device's 127.0.0.1:`servicePort`; resolves when clients can connect. */
  start(servicePort: number, context: TargetContext): Promise<RunningTarget>;
  /** Milliseconds from starting the server's process to its first `listening` line, and those of `--version`. */
  startUp?(context: TargetContext): Promise<{ listening: number; version: number }>;
}

/** What a target gets from the bench. */
export interface TargetContext {
  /** A directory for its files, removed at the end. */
  readonly directory: string;
  /** Where the server runs, and the clients. */
  readonly server: Machine;
  /** Where the device runs, and the service. */
  readonly device: Machine;
  /** Where the compiled binaries are, if they are to be measured. */
  readonly binaries: string | undefined;
  /** Takes note of something that a reader of the results should know, and of how often it was seen. */
  note(text: string, count?: number): void;
}

export interface RunningTarget {
  /** The port where clients connect. */
  readonly hostPort: number;
  /** Its address, if that is not 127.0.0.1 of the server's machine. */
  readonly host?: string;
  /** Its processes; their descendants count as well. */
  readonly pids: readonly number[];
  /** What its device has logged so far, line by line. */
  deviceLog?(): string[];
  /** Why it is no longer at work, if so. */
  failure?(): string | undefined;
  /** Ends it. */
  stop(): Promise<void>;
}
