/**
 * Hooks whose programs are the test's. No tests here.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import type { Logger } from "../../base/logger.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import type { HookExit, HookProcess } from "./process.ts";
import { HOOK_EVENTS, type HookEvent, type HookNotice, HookRunner } from "./hooks.ts";

/** A program that ends when the test says so. */
export class FakeProcess implements HookProcess {
  readonly signals: string[] = [];
  readonly ended: Promise<HookExit>;
  readonly what: string;
  #end!: (exit: HookExit) => void;

  constructor(readonly command: readonly string[], readonly environment: Record<string, string>) {
    this.ended = new Promise((resolve) => this.#end = resolve);
    this.what = `${environment["SALLYPORT_DEVICE"]} ${environment["SALLYPORT_EVENT"]}`;
  }

  kill(signal: string): void {
    this.signals.push(signal);
  }

  async exit(code = 0, signal: string | null = null): Promise<void> {
    this.#end({ code, signal });
    await turn();
  }
}

/** Lets everything run that is ready to. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** A runner of hooks whose programs and clock are the test's. */
export class Bench {
  readonly clock = new FakeClock();
  readonly started: FakeProcess[] = [];
  readonly warnings: string[] = [];
  readonly runner: HookRunner;
  fails: Error | undefined;

  constructor(events: readonly HookEvent[] = HOOK_EVENTS) {
    const logger: Logger = {
      debug: () => {},
      info: () => assert.fail("a hook is not worth a line that everybody sees"),
      warn: (message, fields = {}) => {
        this.warnings.push(message.replace(/\{(\w+)\}/g, (_, name) => String(fields[name])));
      },
      error: () => assert.fail("a hook is no error of the daemon"),
    };
    this.runner = new HookRunner({
      hooks: Object.fromEntries(events.map((event) => [event, [`/bin/${event}`, "--flag", "secret"]])),
      logger,
      clock: this.clock,
      environment: { PATH: "/bin" },
      spawn: (command, environment) => {
        if (this.fails) throw this.fails;
        const process = new FakeProcess(command, environment);
        this.started.push(process);
        return process;
      },
    });
  }

  async tell(device: string, event: HookEvent, more: Partial<HookNotice> = {}): Promise<void> {
    this.runner.tell({ event, subject: device, ...more, facts: { DEVICE: device, ...more.facts } });
    await turn();
  }

  get order(): string[] {
    return this.started.map(({ what }) => what);
  }
}
