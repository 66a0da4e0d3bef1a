/**
 * All metrics of a process, and their text, which is made a slice at a time: as much as its reader takes, and never so
 * much that links wait for it.
 *
 * @module
 */

import { METRICS_CHUNK } from "../limits.ts";
import { Turns } from "../../base/slices.ts";
import type { Clock } from "../../base/clock.ts";
import { type Buckets, Counter, type Family, type FamilyFacts, Histogram, type Sample } from "./family.ts";
import { Readings } from "./readings.ts";
import { endOf, familyLines, type MetricsFormat } from "./text.ts";

/** Where metrics are counted, and read. */
export class Registry {
  readonly #families = new Map<string, Family>();
  readonly #preparations: (() => Promise<void> | void)[] = [];
  #readings: Readings | undefined;
  #turns: Turns | undefined;

  /** All families, in the order of their making. */
  get families(): readonly Family[] {
    return [...this.#families.values()];
  }

  /** Makes a counter. */
  counter(facts: FamilyFacts): Counter {
    return this.#add(new Counter(facts));
  }

  /** Makes a histogram. `bounds`: the upper bounds of its groups, rising. */
  histogram(facts: FamilyFacts, bounds: readonly number[]): Histogram {
    return this.#add(new Histogram(facts, bounds));
  }

  /** Adds numbers that are read when somebody asks. */
  sampled(kind: "counter" | "gauge", facts: FamilyFacts, samples: () => Iterable<Sample>): void {
    this.#add({ kind, facts, samples });
  }

  /** The same, of one number; `undefined` where it is not known. */
  value(kind: "counter" | "gauge", facts: FamilyFacts, read: () => number | undefined): void {
    this.sampled(kind, facts, () => {
      const number = read();
      return number === undefined ? [] : [[[], number]];
    });
  }

  /** Adds a histogram that somebody else counts; `undefined` where it is not known. */
  buckets(facts: FamilyFacts, read: () => Buckets | undefined): void {
    this.#add({ kind: "histogram", facts, samples: () => [], buckets: read });
  }

  /** Calls `fn` before each reading: for what has to be looked for. It never rejects. */
  before(fn: () => Promise<void> | void): void {
    this.#preparations.push(fn);
  }

  /**
   * The text, in pieces of about `METRICS_CHUNK` characters; between them, and in long ones, others have their turn. All who
   * read at once have a slice of a turn together.
   */
  async *text(format: MetricsFormat, clock: Clock): AsyncGenerator<string, void, void> {
    for (const prepare of this.#preparations) await prepare();
    const turns = this.#turns ??= new Turns(clock);
    let text = "";
    let lines = 0;
    for (const family of this.#families.values()) {
      for (const line of familyLines(family, format)) {
        if (lines++ % LINES_A_LOOK === 0) await turns.take();
        text += line;
        if (text.length < METRICS_CHUNK) continue;
        yield text;
        text = "";
        lines = 0;
      }
    }
    yield text + endOf(format);
  }

  /** Those who read, wherever they ask. */
  readings(clock: Clock): Readings {
    return this.#readings ??= new Readings(clock);
  }

  #add<F extends Family>(family: F): F {
    const { name } = family.facts;
    if (this.#families.has(name)) throw new Error(`two metrics are called ${name}`);
    this.#families.set(name, family);
    return family;
  }
}

/** Lines between two looks at the clock: a look costs more than a line. */
const LINES_A_LOOK = 32;
