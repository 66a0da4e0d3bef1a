/**
 * What the daemon that runs says of itself, for a doctor that was not given its options.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { askIfThere } from "../admin/cli/place.ts";
import type { AdminClient } from "../admin/client.ts";
import { DOCTOR_ASK_MS } from "../limits.ts";

/** What came of the question. */
export interface Asked<T> {
  /** What it says; `undefined` if none runs, or it does not say. */
  readonly facts?: T | undefined;
  /** Why it did not say, if one may run. */
  readonly trouble?: string | undefined;
}

/** Asks the daemon whose state is in `folder`, for {@linkcode DOCTOR_ASK_MS} at most. */
export async function askRunning<T>(
  folder: string,
  work: (client: AdminClient) => Promise<T>,
  clock: Clock = systemClock,
): Promise<Asked<T>> {
  const late = Promise.withResolvers<Asked<T>>();
  const cancel = clock.after(DOCTOR_ASK_MS, () => {
    late.resolve({ trouble: `its socket is there, and it did not answer within ${DOCTOR_ASK_MS / 1000} s` });
  });
  const asked = askIfThere({ folder, admin: undefined, tokenFile: undefined }, work).then(
    (facts): Asked<T> => ({ facts }),
    (error: unknown): Asked<T> => ({ trouble: describeError(error) }),
  );
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    cancel();
  }
}
