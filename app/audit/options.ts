/**
 * The option of a daemon's audit.
 *
 * @module
 */

import { resolve } from "node:path";
import type { OptionSpec } from "../options.ts";
import { parsePath } from "../values.ts";

/** The option `--audit`. */
export const AUDIT_OPTION = {
  value: "FILE",
  help: "audit: who came, was turned away or changed what, as JSON lines; put aside at 16 MiB, opened anew on SIGHUP",
  parse: (text: string): string => resolve(parsePath(text)),
} as const satisfies OptionSpec<string>;
