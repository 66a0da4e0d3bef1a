/**
 * Lists in pages: so many at a time, and a cursor to go on with.
 *
 * @module
 */

import { ADMIN_PAGE, MAX_ADMIN_PAGE } from "../limits.ts";
import type { Clock } from "../../base/clock.ts";
import { inSlices, type Steps } from "../../base/slices.ts";
import { closed, nullable, type TSchema, Type } from "./schema.ts";

/** What every list can be asked; `pattern` is what its cursors are like. */
export function pageQuery(pattern: string) {
  return {
    limit: Type.Optional(Type.Integer({
      minimum: 1,
      maximum: MAX_ADMIN_PAGE,
      default: ADMIN_PAGE,
      description: "The most entries in the answer.",
    })),
    cursor: Type.Optional(Type.String({
      maxLength: 200,
      pattern,
      description: "Where to go on: the `cursor` of the page before.",
    })),
  };
}

/** Cursors of a list whose entries have numbers, in their order. */
export const NUMBER_CURSOR = "^[0-9]{1,15}$";

/** The schema of a page. */
export function pageOf<T extends TSchema>(item: T, description: string) {
  return closed({
    items: Type.Array(item),
    cursor: nullable(Type.String(), "For the next page; null at the end."),
  }, description);
}

/** A page. */
export interface Page<T> {
  items: T[];
  cursor: string | null;
}

/** How a page is made. */
export interface Paging<T, R> {
  /** What is behind the cursor, and may be wanted. */
  readonly from: Iterable<T>;
  readonly limit: number | undefined;
  readonly clock: Clock;
  /** What is said of one; nothing if it is not wanted. */
  describe(item: T): R | undefined;
  /** The cursor behind one. */
  cursor(item: T): string;
}

/** Makes a page, a few milliseconds at a time. */
export function makePage<T, R>(paging: Paging<T, R>): Promise<Page<R>> {
  return inSlices(steps(paging), paging.clock);
}

function* steps<T, R>({ from, limit = ADMIN_PAGE, describe, cursor }: Paging<T, R>): Steps<Page<R>> {
  const items: R[] = [];
  let last: T | undefined;
  for (const item of from) {
    yield;
    const described = describe(item);
    if (described === undefined) continue;
    if (items.length === limit) return { items, cursor: last === undefined ? null : cursor(last) };
    items.push(described);
    last = item;
  }
  return { items, cursor: null };
}
