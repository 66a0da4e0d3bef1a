/**
 * Metrics by family: what each is called, what it means, which labels it has, and what it counts.
 *
 * A label has a closed set of values, so that nobody outside decides how many series there are; or it is `open`, and who
 * gives its values bounds them.
 *
 * @module
 */

/** What is known of a family before it counts anything. */
export interface FamilyFacts {
  /** With the unit behind it, and `_total` behind that of a counter. */
  readonly name: string;
  /** What it means, in one line. */
  readonly help: string;
  /** Its labels, with all values that each may have. */
  readonly labels?: Readonly<Record<string, readonly string[] | "open">>;
}

/** What a family is to those who read it. */
export type FamilyKind = "counter" | "gauge" | "histogram";

/** Values of the labels, in their order, and the number. */
export type Sample = readonly [values: readonly string[], number: number];

/** A histogram as it is: how many fell below or at each bound and above the one before, and above the last. */
export interface Buckets {
  readonly bounds: readonly number[];
  /** One more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** A family of a registry. */
export interface Family {
  readonly facts: FamilyFacts;
  readonly kind: FamilyKind;
  /** Its numbers as they are now. */
  samples(): Iterable<Sample>;
  /** Of a histogram. */
  buckets?(): Buckets | undefined;
}

/** What stands for a value that a label does not have. */
const OTHER = "other";

/** Counts what happens. With closed labels every series is there from the start, at 0. */
export class Counter implements Family {
  readonly kind = "counter";
  readonly facts: FamilyFacts;
  readonly #numbers = new Map<string, number>();
  readonly #values: readonly string[];

  /** Of no label, or of one that is closed. */
  constructor(facts: FamilyFacts) {
    this.facts = facts;
    const [values] = Object.values(facts.labels ?? {});
    this.#values = Array.isArray(values) ? values : [""];
    for (const value of this.#values) this.#numbers.set(value, 0);
  }

  /** Adds to the series of a label's value. */
  add(by = 1, value = ""): void {
    const key = this.#numbers.has(value) ? value : OTHER;
    this.#numbers.set(key, (this.#numbers.get(key) ?? 0) + by);
  }

  *samples(): Iterable<Sample> {
    for (const [value, number] of this.#numbers) yield [value === "" ? [] : [value], number];
  }
}

/** Counts how long, or how large, something was. */
export class Histogram implements Family {
  readonly kind = "histogram";
  readonly facts: FamilyFacts;
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** `bounds`: the upper bounds of its groups, rising. */
  constructor(facts: FamilyFacts, bounds: readonly number[]) {
    this.facts = facts;
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** One more. */
  observe(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    this.#counts[at < 0 ? this.#bounds.length : at]!++;
    this.#sum += value;
  }

  *samples(): Iterable<Sample> {}

  buckets(): Buckets {
    return { bounds: this.#bounds, counts: this.#counts, sum: this.#sum };
  }
}
