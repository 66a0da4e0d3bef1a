/**
 * The version of this build.
 *
 * @module
 */

import manifest from "../deno.json" with { type: "json" };

/** As in `deno.json`. */
export const VERSION: string = manifest.version;

/** The program, as it tells its peers. */
export const SOFTWARE = `sallyport ${VERSION}`;
