/**
 * Commands that run on events: bounded in number and time, one after the other for each device, and never in the
 * relay's way.
 *
 * @module
 */

import {
  HOOK_KILL_MS,
  HOOK_LAST_MS,
  HOOK_TIMEOUT_MS,
  LEFT_OUT_LOG_MS,
  MAX_HOOK_VALUE,
  MAX_HOOKS_RUNNING,
  MAX_SLOW_HOOKS,
} from "../limits.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../../base/limits.ts";
import type { Clock } from "../../base/clock.ts";
import { systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { formatDuration } from "../../base/format.ts";
import type { Logger } from "../../base/logger.ts";
import { type HookProcess, inheritedEnvironment, spawnHook } from "./process.ts";
import { HookTurns } from "./turns.ts";

/** Events that can have a command, each `on-` and its name in the file. */
export const HOOK_EVENTS = ["online", "interrupted", "resumed", "lost"] as const;

/** One of {@linkcode HOOK_EVENTS}. */
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** Argument lists, the program first, by event. */
export type Hooks = { readonly [K in HookEvent]?: readonly string[] };

/** Something that a hook may be told. */
export interface HookNotice {
  readonly event: HookEvent;
  /** Whom it happened to: what happens to one is told in order, one hook after the other. */
  readonly subject: string;
  /** What is known, by the name of its environment variable without `SALLYPORT_`. */
  readonly facts: Readonly<Record<string, string | number | undefined>>;
  /** Whether it is about what was before the `online` that waits, although it is told after. */
  readonly late?: boolean;
}

/** What a {@linkcode HookRunner} works with. */
export interface HookRunnerOptions {
  readonly hooks: Hooks;
  /** For hooks that go wrong. */
  readonly logger: Logger;
  readonly clock?: Clock;
  /** Starts a program; throws if it cannot. */
  readonly spawn?: (command: readonly string[], environment: Record<string, string>) => HookProcess;
  /** The environment but for the facts. */
  readonly environment?: Readonly<Record<string, string>>;
}

interface Run {
  readonly notice: HookNotice;
  readonly process: HookProcess;
  readonly since: number;
  ended: boolean; // by us
  cancel: () => void;
}

export class HookRunner {
  readonly #options: Required<Omit<HookRunnerOptions, "hooks">>;
  #hooks: Hooks;
  readonly #running = new Map<string, Run>();
  readonly #turns: HookTurns;
  readonly #idle = Promise.withResolvers<void>();
  #scheduled = false;
  #closing = false;
  #over = false;
  #until: number | undefined;
  #leftOut = 0;
  #cancelLog: (() => void) | undefined;

  /** Nothing runs yet. */
  constructor({ hooks, logger, clock = systemClock, spawn = spawnHook, environment }: HookRunnerOptions) {
    this.#hooks = hooks;
    this.#options = { logger, clock, spawn, environment: environment ?? inheritedEnvironment() };
    this.#turns = new HookTurns(clock);
  }

  /** Runs the hook of an event, if it has one, when its turn comes. */
  tell(notice: HookNotice): void {
    if (!this.#hooks[notice.event] || this.#over) return;
    this.#leaveOut(this.#turns.add(notice));
    this.#schedule();
  }

  /** Runs other commands from now on; what runs goes on. */
  replace(hooks: Hooks): void {
    this.#hooks = hooks;
  }

  /** The daemon ends: from here on hooks have as long as the rest of it. */
  ending(): void {
    this.#until ??= this.#options.clock.now() + SHUTDOWN_TIMEOUT_MS;
  }

  /** Resolves when no hook runs or waits any more; those that take too long are ended. */
  async close(): Promise<void> {
    const { clock } = this.#options;
    this.ending();
    this.#closing = true;
    const cancel = clock.after(Math.max(HOOK_LAST_MS, this.#until! - clock.now()), () => this.#endAll());
    this.#dispatch();
    await this.#idle.promise;
    cancel();
    this.#over = true;
    this.#cancelLog?.();
    this.#logLeftOut();
  }

  /** In a turn of its own, so that what is told late finds its place. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#running.size < MAX_HOOKS_RUNNING) {
      const slow = [...this.#running.keys()].filter((subject) => this.#turns.isSlow(subject)).length;
      const next = this.#turns.take((subject) =>
        !this.#running.has(subject) && (slow < MAX_SLOW_HOOKS || !this.#turns.isSlow(subject))
      );
      if (!next) break;
      this.#start(next);
    }
    if (this.#closing && this.#running.size === 0 && this.#turns.size === 0) this.#idle.resolve();
  }

  #start(notice: HookNotice): void {
    const { logger, clock, spawn, environment } = this.#options;
    const { event, subject } = notice;
    const command = this.#hooks[event];
    if (!command) return; // it was taken out meanwhile
    const hook = `on-${event}`;
    const program = command[0]!;
    let process: HookProcess;
    try {
      process = spawn(command, { ...environment, ...variablesOf(notice) });
    } catch (error) {
      logger.warn("hook {hook} for {subject}: cannot run {program}: {error}", {
        hook,
        subject,
        program,
        error: describeError(error),
      });
      return;
    }
    logger.debug("hook {hook} for {subject} runs {program}", { hook, subject, program });
    const run: Run = { notice, process, since: clock.now(), ended: false, cancel: () => {} };
    this.#running.set(subject, run);
    run.cancel = clock.after(HOOK_TIMEOUT_MS, () => {
      logger.warn(`hook {hook} for {subject} is ended after ${formatDuration(HOOK_TIMEOUT_MS)}: {program}`, {
        hook,
        subject,
        program,
      });
      this.#end(run);
    });
    process.ended.then(({ code, signal }) => {
      if (code !== 0 && !run.ended) {
        const how = signal === null ? "ended with exit code {code}" : "was ended by {signal}";
        logger.warn(`hook {hook} for {subject} ${how}: {program}`, {
          hook,
          subject,
          program,
          code,
          ...(signal !== null && { signal }),
        });
      }
      this.#release(run);
    });
  }

  /** Ends a hook, in order if it lets itself be. */
  #end(run: Run): void {
    run.ended = true;
    run.cancel();
    run.process.kill("SIGTERM");
    run.cancel = this.#options.clock.after(HOOK_KILL_MS, () => {
      run.process.kill("SIGKILL");
      if (this.#closing) this.#release(run); // not even the kernel may be able to end it now
    });
  }

  #endAll(): void {
    this.#over = true;
    this.#leaveOut(this.#turns.clear());
    for (const run of this.#running.values()) this.#end(run);
    this.#dispatch();
  }

  #release(run: Run): void {
    run.cancel();
    if (this.#running.get(run.notice.subject) !== run) return;
    this.#running.delete(run.notice.subject);
    this.#turns.took(run.notice.subject, this.#options.clock.now() - run.since);
    this.#dispatch();
  }

  #leaveOut(count: number): void {
    this.#leftOut += count;
    if (this.#leftOut > 0 && !this.#cancelLog) this.#logLeftOut();
  }

  /** At once, and then no more than once a minute. */
  #logLeftOut(): void {
    this.#cancelLog = undefined;
    if (this.#leftOut === 0) return;
    this.#options.logger.warn("{count} hooks are left out: newer ones took their places, or too many wait", {
      count: this.#leftOut,
    });
    this.#leftOut = 0;
    if (!this.#over) this.#cancelLog = this.#options.clock.after(LEFT_OUT_LOG_MS, () => this.#logLeftOut());
  }
}

/** What a hook finds in its environment about its event. */
function variablesOf({ event, facts }: HookNotice): Record<string, string> {
  const variables: Record<string, string> = { SALLYPORT_EVENT: event };
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) variables[`SALLYPORT_${name}`] = clean(String(value));
  }
  return variables;
}

/** Text that a peer may have said, as a program is told it: one line, and not a long one. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ").slice(0, MAX_HOOK_VALUE).toWellFormed();
}
