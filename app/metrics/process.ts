/**
 * What a process says of itself: memory, processor, descriptors, since when it runs, what it was made of.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { DESCRIPTOR_LOOK_MS } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { VERSION } from "../../base/version.ts";
import { descriptorLimit } from "../../net/kernel/descriptor_room.ts";
import { anonymousMemory, countDescriptors, countedDescriptors } from "../../net/kernel/process_files.ts";
import type { Engine } from "../../net/socket.ts";
import type { Registry } from "./registry.ts";

/** What belongs to a process. */
export interface ProcessFacts {
  readonly clock: Clock;
  readonly engine: Engine;
  /** When it started, in milliseconds since 1970. */
  readonly since: number;
}

/** Adds them. */
export function addProcessMetrics(registry: Registry, { clock, engine, since }: ProcessFacts): void {
  const build = { version: "open", engine: "open", runtime: "open" } as const;
  registry.sampled("gauge", {
    name: "sallyport_build_info",
    help: "Always 1; what runs is in the labels.",
    labels: build,
  }, () => [[[VERSION, engine.name, Deno.version.deno], 1]]);
  registry.value("gauge", {
    name: "process_start_time_seconds",
    help: "When the process started, in seconds since 1970.",
  }, () => since / 1000);
  registry.value("counter", {
    name: "process_cpu_seconds_total",
    help: "Seconds that processors have worked for the process.",
  }, () => {
    const { user, system } = cpuUsage();
    return (user + system) / 1e6;
  });
  registry.value("gauge", {
    name: "process_resident_memory_bytes",
    help: "Memory that the process has, with files that it maps.",
  }, () => Deno.memoryUsage().rss);
  registry.value("gauge", {
    name: "sallyport_anonymous_memory_bytes",
    help: "The part of it that is no file: what the process took for itself.",
  }, anonymousMemory);
  registry.value("gauge", {
    name: "sallyport_heap_used_bytes",
    help: "Memory of the program's objects.",
  }, () => Deno.memoryUsage().heapUsed);
  const descriptors = new DescriptorLook(clock);
  registry.value(
    "gauge",
    { name: "process_open_fds", help: "Descriptors that are open: sockets and files." },
    () => descriptors.open,
  );
  registry.value("gauge", { name: "process_max_fds", help: "The most there may be." }, descriptorLimit);
  registry.buckets({
    name: "sallyport_engine_turn_seconds",
    help:
      "Turns of the engine's loop, by their length: as long, whoever comes meanwhile waits. The native engine alone.",
  }, () => {
    const totals = engine.turnTotals();
    if (!totals) return undefined;
    return { bounds: totals.bounds.map((ms) => ms / 1000), counts: totals.counts, sum: totals.sum / 1000 };
  });
}

/** How many descriptors are open. Old kernels have no count: there they are counted, once in a while. */
class DescriptorLook {
  readonly #clock: Clock;
  #counted: number | undefined;
  #countedAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get open(): number | undefined {
    const counted = countedDescriptors();
    if (counted !== undefined) return counted;
    if (this.#clock.now() - this.#countedAt >= DESCRIPTOR_LOOK_MS) {
      this.#countedAt = this.#clock.now();
      this.#counted = countDescriptors();
    }
    return this.#counted;
  }
}
