/**
 * Variables of the environment that look like ours and are not: a slip there is as silent as one in a comment.
 *
 * @module
 */

import { envName } from "./options.ts";
import { printable } from "./printable.ts";
import { closest } from "../base/closest.ts";

/** The options of either role, whose variables may stand in the environment of both. */
export const OPTION_NAMES: readonly string[] = [
  ...[
    "admin",
    "allow",
    "admin-token-file",
    "audit",
    "ca",
    "config",
    "connect-timeout",
    "devices",
    "engine",
    "expiration",
    "forward",
    "half-close-timeout",
  ],
  ...["handshake-rate", "idle-timeout", "keep-alive", "max-devices", "max-links", "max-memory", "max-sockets"],
  ...["link-write-timeout", "listen", "log-format", "log-level", "metrics", "metrics-per-device", "mode"],
  ...["pki", "plain", "probe-count"],
  ...[
    "probe-interval",
    "profile",
    "proxy",
    "proxy-from",
    "require-binding",
    "server",
    "server-key",
    "service",
    "sni",
    "stall-timeout",
    "state",
    "tcp-keep-alive",
    "tls-cert",
  ],
  ...["tls-key", "via", "warn-bytes-a-day", "webhook", "webhook-events", "webhook-grace", "webhook-secret-file"],
];

const PREFIX = envName("");

/** What is no option, and ours: the string to join with, what hooks are told, and what tests and compiling use. */
const OTHERS = [
  ...["JOIN", "CLIENTS", "DETAIL", "DEVICE", "DURATION_MS", "EVENT", "EXPIRATION_MS", "GOODBYE", "INTERRUPTED_MS"],
  ...["LISTENER", "LOCAL", "REASON", "REMOTE", "REPLAYED_BYTES", "RETRY_IN_MS", "TIME", "BINARIES", "COMPILER"],
].map((name) => `SALLYPORT_${name}`);

/**
 * A line for each variable that begins with `SALLYPORT_` and means nothing, with what may have been meant.
 *
 * @param more Options beside {@linkcode OPTION_NAMES} that are known.
 * @param names What is set; by default this process's environment, as far as it may be looked at.
 */
export function strangeVariables(more: Iterable<string> = [], names: readonly string[] = setVariables()): string[] {
  const known = new Set([...OPTION_NAMES, ...more].map(envName));
  const bare = [...known].map((name) => name.slice(PREFIX.length));
  const ours = names.filter((name) => /^SALLYPORT_/i.test(name));
  const strange = ours.filter((name) =>
    !known.has(name) && !OTHERS.includes(name) && !name.startsWith("SALLYPORT_TEST_") && !isOfKubernetes(name, ours)
  );
  return strange.sort().map((name) => {
    const like = closest(name.slice(PREFIX.length).toUpperCase(), bare); // without what all have in common
    const hint = like ? `did you mean ${PREFIX}${like}?` : "the options are in --help, SALLYPORT_LISTEN for --listen";
    return `the environment has ${printable(name)}, which means nothing here; ${hint}`;
  });
}

/** Whether a variable is one of those that Kubernetes sets in every container for a service of such a name. */
function isOfKubernetes(name: string, all: readonly string[]): boolean {
  const service = /^(.+?)_(?:SERVICE_(?:HOST|PORT)|PORT)(?:_|$)/.exec(name)?.[1];
  return service !== undefined && all.includes(`${service}_SERVICE_HOST`) && all.includes(`${service}_SERVICE_PORT`);
}

function setVariables(): string[] {
  try {
    return Object.keys(Deno.env.toObject());
  } catch {
    return []; // it may not be looked at, or one of them is no text
  }
}
