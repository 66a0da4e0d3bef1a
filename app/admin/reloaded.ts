/**
 * What an API says of a reload.
 *
 * @module
 */

import { closed, Type } from "./schema.ts";

/** What may be said of a reload. */
export const ReloadedFacts = closed({
  changed: Type.Array(Type.String(), { description: "What changed, a line each." }),
  restart: Type.Array(Type.String(), { description: "What cannot change without a restart, a line each." }),
}, "The configuration was read anew.");
