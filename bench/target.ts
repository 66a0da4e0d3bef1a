/**
 * What the bench measures. A new target is one object like these, added to the list in `targets.ts`.
 *
 * @module
 */

/** A way from clients to a service on this host. */
export interface Target {
  /** Its name in tables and for `--only`. */
  readonly name: string;
  /** What is missing on this machine, with what to install; such a target is skipped. */
  needs?(): string | undefined;
  /** Starts it in front of the service at 127.0.0.1:`servicePort`; resolves when clients can connect. */
  start(servicePort: number, context: TargetContext): Promise<RunningTarget>;
  /** Milliseconds from starting the server's process to its first `listening` line, and those of `--version`. */
  startUp?(context: TargetContext): Promise<{ listening: number; version: number }>;
}

/** What a target gets from the bench. */
export interface TargetContext {
  /** A directory for its files, removed at the end. */
  readonly directory: string;
  /** Where the compiled binaries are, if they are to be measured. */
  readonly binaries: string | undefined;
  /** Takes note of something that a reader of the results should know, and of how often it was seen. */
  note(text: string, count?: number): void;
}

/** A target at work. */
export interface RunningTarget {
  /** Where clients connect, on 127.0.0.1. */
  readonly hostPort: number;
  /** Its processes; their descendants count as well. */
  readonly pids: readonly number[];
  /** Why it is no longer at work, if so. */
  failure?(): string | undefined;
  /** Ends it. */
  stop(): Promise<void>;
}
