/**
 * What becomes of an option that is another when a daemon reads its configuration anew.
 *
 * @module
 */

/** How it changes. */
export type ReloadWay =
  /** At once, for all that is there. */
  | "at once"
  /** At once, for links and clients to come. */
  | "for links and clients to come"
  /** Over a new link, which is dialled at once while the one that is up goes on. */
  | "over a new link"
  /** When the daemon is started the next time. */
  | "at the next start";

/** How each option of a role changes. */
export type ReloadTable<Name extends string> = Readonly<Record<Name, ReloadWay>>;

/** The options of a table that change in a way. */
export function changingBy<Name extends string>(table: ReloadTable<Name>, way: ReloadWay): ReadonlySet<string> {
  return new Set(Object.entries(table).filter(([, each]) => each === way).map(([name]) => name));
}
