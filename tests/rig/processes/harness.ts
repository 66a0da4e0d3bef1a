/**
 * `Deno.test` for tests with processes: needs, a deadline, and the processes' own words on failure.
 *
 * @module
 */

import { wholly } from "../test.ts";
import { within } from "../wait.ts";
import { childrenSaid, forgetChildren } from "./child.ts";
import { missing, type Need } from "./requirements.ts";

/** Registers a test; it is skipped, by name, where one of `needs` is not met. */
export function processTest(name: string, needs: readonly Need[], fn: () => Promise<void>): void {
  Deno.test({
    name,
    ignore: missing(name, needs).length > 0,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: async () => {
      forgetChildren();
      try {
        await within(wholly(fn), `the end of "${name}"`, 60_000);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`${message}\n${childrenSaid()}`, { cause: error });
      }
    },
  });
}
