/**
 * The addresses of names. A look-up holds one of the few threads that the runtime has for all that waits, files included,
 * until the name servers answer or the system gives them up: so few are under way, and names that may not be answered
 * leave room for those that are.
 *
 * @module
 */

import {
  LOOKUP_SHARED_MS,
  MAX_DOUBTFUL_LOOKUPS,
  MAX_LOOKUPS,
  MAX_LOOKUPS_PER_NAME,
  MAX_NAMES_ANSWERED,
} from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { errorCode } from "../../base/errors.ts";

/** A name has no address, or nobody says which. */
export class NameError extends Error {
  /** What looking for the addresses of `name` came to. */
  constructor(name: string, why: string, options?: ErrorOptions) {
    super(`cannot find the address of ${name}: ${why}`, options);
    this.name = "NameError";
  }
}

/** Finds the addresses of a name, the best first, without a deadline. */
export type Resolve = (name: string) => Promise<string[]>;

interface Lookup {
  readonly since: number;
  readonly clock: Clock;
  readonly found: Promise<string[]>;
}

interface Name {
  readonly name: string;
  /** Those under way, the oldest first. */
  readonly lookups: Lookup[];
  /** Who waits for the first of them to begin. */
  waiting: PromiseWithResolvers<string[]> | undefined;
}

/** Bounds look-ups, and shares one between those who ask for the same name at a time. */
export class Lookups {
  readonly #resolve: Resolve;
  readonly #names = new Map<string, Name>();
  readonly #waiting = new Map<Name, Clock>();
  /** Names that were found when they were asked for last, the latest at the end. */
  readonly #answered = new Set<string>();

  /** Nobody has asked yet. */
  constructor(resolve: Resolve) {
    this.#resolve = resolve;
  }

  /**
   * The addresses of a name, the best first; one at least. It may take as long as the system likes: whoever has a deadline
   * does not wait for it.
   *
   * @throws {NameError} if it has none.
   */
  find(host: string, clock: Clock): Promise<string[]> {
    const text = host.toLowerCase();
    const name = this.#names.get(text) ?? { name: text, lookups: [], waiting: undefined };
    this.#names.set(text, name);
    const youngest = name.lookups.at(-1);
    if (youngest && !isOld(youngest)) return youngest.found;
    if (this.#mayBegin(name)) return this.#begin(name, clock);
    if (youngest) return youngest.found;
    this.#waiting.set(name, clock);
    name.waiting ??= Promise.withResolvers();
    return name.waiting.promise;
  }

  #mayBegin({ name, lookups }: Name): boolean {
    if (lookups.length >= MAX_LOOKUPS_PER_NAME) return false;
    let [all, doubtful] = [0, 0];
    for (const other of this.#names.values()) {
      all += other.lookups.length;
      const isDoubtful = !this.#answered.has(other.name);
      for (const lookup of other.lookups) if (isDoubtful || isOld(lookup)) doubtful++;
    }
    if (all >= MAX_LOOKUPS) return false;
    return this.#answered.has(name) && lookups.length === 0 || doubtful < MAX_DOUBTFUL_LOOKUPS;
  }

  #begin(name: Name, clock: Clock): Promise<string[]> {
    const found = this.#resolve(name.name).then((addresses) => {
      const [...each] = new Set(addresses);
      if (each.length === 0) throw new NameError(name.name, "it has none");
      return each;
    });
    const lookup: Lookup = { since: clock.now(), clock, found };
    name.lookups.push(lookup);
    found.then(() => this.#ended(name, lookup, true), () => this.#ended(name, lookup, false));
    return found;
  }

  #ended(name: Name, lookup: Lookup, answered: boolean): void {
    name.lookups.splice(name.lookups.indexOf(lookup), 1);
    this.#answered.delete(name.name);
    if (answered) this.#answered.add(name.name);
    for (const oldest of this.#answered) {
      if (this.#answered.size <= MAX_NAMES_ANSWERED) break;
      this.#answered.delete(oldest);
    }
    if (name.lookups.length === 0 && !name.waiting) this.#names.delete(name.name);
    for (const [next, clock] of this.#waiting) {
      if (!this.#mayBegin(next)) continue;
      const { waiting } = next;
      this.#waiting.delete(next);
      next.waiting = undefined;
      this.#begin(next, clock).then(waiting!.resolve, waiting!.reject);
    }
  }
}

function isOld({ since, clock }: Lookup): boolean {
  return clock.now() - since >= LOOKUP_SHARED_MS;
}

const lookups = new Lookups(resolve);

/** See {@linkcode Lookups.find}; those of the whole process. */
export function lookup(name: string, clock: Clock): Promise<string[]> {
  return lookups.find(name, clock);
}

/** As the system finds them, hosts file included; `Deno.resolveDns` asks name servers alone. */
async function resolve(name: string): Promise<string[]> {
  if (WARNS_OF_ITSELF.test(Deno.version.deno)) {
    const { default: process } = await import("node:process");
    Object.assign(process, { noDeprecation: true });
  }
  const dns = await import("node:dns/promises"); // not loaded where no name is used
  try {
    const found = await dns.lookup(name, { all: true, verbatim: true });
    return found.map(({ address }) => address);
  } catch (cause) {
    const code = errorCode(cause);
    throw new NameError(name, REASONS[code ?? ""] ?? code ?? String(cause), { cause });
  }
}

/** Runtimes that warn of a module of their own when they load `node:dns`. */
const WARNS_OF_ITSELF = /^2\.[0-8]\./;

const REASONS: Readonly<Record<string, string>> = {
  ENOTFOUND: "nobody knows this name",
  EAI_AGAIN: "the name servers do not answer",
};
