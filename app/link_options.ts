/**
 * The options of links and of connections that a server and a device have alike, each told in the words of its role.
 *
 * @module
 */

import { EXPIRATION_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS, TCP_KEEP_ALIVE_MS } from "../net/limits.ts";
import { writeDuration } from "../base/duration.ts";
import {
  KEEP_ALIVE_MODES,
  type KeepAliveChoice,
  type KeepAliveSettings,
  normalKeepAlive,
  V2_KEEP_ALIVE,
} from "../protocol/keep_alive.ts";
import { optionMistake, type OptionTable, type OptionValues } from "./options.ts";
import {
  FLAG,
  oneOf,
  parseDuration,
  parseDurationOrNever,
  parsePositiveDuration,
  wholeNumber,
  writeTime,
} from "./values.ts";

/** An option that is a time, of `preset` milliseconds if it is not given. */
export function timeOption(help: string, preset: number, parse: (text: string) => number) {
  return { value: "TIME", help, parse, preset: writeDuration(preset) } as const;
}

/** The option `--profile`; `what` has one. */
export function profileOption(what = "") {
  return {
    value: "PROFILE",
    help: `wire profile${what}: v2; or v1, which has neither authentication nor encryption`,
    parse: oneOf("v1", "v2"),
    preset: "v2",
  } as const;
}

/** The option `--plain`. */
export const PLAIN_OPTION = {
  ...FLAG,
  help: "v2: without TLS; keys are still proved, and everything can be read on the way",
} as const;

/** The option `--expiration`. */
export const expirationOption = (help: string) => timeOption(help, EXPIRATION_MS, parseDuration);

/** The option `--stall-timeout`. */
export const stallOption = (help: string) => timeOption(help, STALL_TIMEOUT_MS, parsePositiveDuration);

/** The option `--link-write-timeout`. */
export const linkWriteOption = (help: string) => timeOption(help, LINK_WRITE_TIMEOUT_MS, parseDurationOrNever);

/** The option `--tcp-keep-alive`, for connections with a `peer`. */
export function tcpKeepAliveOption(peer: string) {
  return timeOption(
    `end a ${peer} that has been silent this long and does not answer (a pulled cable), or never`,
    TCP_KEEP_ALIVE_MS,
    parseDurationOrNever,
  );
}

/** Parses a way by its name, or settings: idle timeout, probe interval, probe count. */
export function parseKeepAlive(text: string): KeepAliveChoice {
  const mode = KEEP_ALIVE_MODES.find((name) => name === text);
  if (mode) return mode;
  const [idle, interval, count, ...rest] = text.split(",").map((part) => part.trim());
  if (!idle || !interval || !count || rest.length > 0) {
    throw new SyntaxError(
      `"${text}" is no keep-alive; write ${
        KEEP_ALIVE_MODES.join(", ")
      }, or idle timeout, interval and count, as in 25s,5s,2`,
    );
  }
  return {
    idleTimeout: parseDurationOrNever(idle),
    probeInterval: parseDurationOrNever(interval),
    probeCount: wholeNumber(0, 127)(count),
  };
}

/** The inverse of {@linkcode parseKeepAlive}. */
export function writeKeepAlive(choice: KeepAliveChoice): string {
  if (typeof choice === "string") return choice;
  const { idleTimeout, probeInterval, probeCount } = normalKeepAlive(choice);
  return [writeTime(idleTimeout), writeTime(probeInterval), probeCount].join(",");
}

/** The option `--keep-alive`. */
export const KEEP_ALIVE_OPTION = {
  value: "WAY",
  help: "v2: adaptive (1 s while somebody waits, else 25 s), metered (else 240 s), fast (always 1 s), or " +
    "IDLE,INTERVAL,COUNT",
  parse: parseKeepAlive,
  write: writeKeepAlive,
  preset: "adaptive",
} as const;

/** The keep-alive settings of an endpoint, with the defaults of v2, and of v1 where that can be meant. */
export function keepAliveOptions(peer: string, v2: KeepAliveSettings, v1?: KeepAliveSettings) {
  const preset = (text: (settings: KeepAliveSettings) => string) =>
    v1 ? `${text(v2)} on v2, ${text(v1)} on v1` : text(v2);
  return {
    "idle-timeout": {
      value: "TIME",
      help: `silence of the ${peer} before the first keep-alive probe, or never`,
      parse: parseDurationOrNever,
      preset: preset(({ idleTimeout }) => writeDuration(idleTimeout)),
    },
    "probe-interval": {
      value: "TIME",
      help: "silence between probes, and after the last, or never",
      parse: parseDurationOrNever,
      preset: preset(({ probeInterval }) => writeDuration(probeInterval)),
    },
    "probe-count": {
      value: "N",
      help: `probes before the ${peer} is taken for lost, 0 to 127; 0 sends none`,
      parse: wholeNumber(0, 127),
      preset: preset(({ probeCount }) => `${probeCount}`),
    },
  } as const satisfies OptionTable;
}

/** The keep-alive settings that were given, and `presets` for the others. */
export function keepAliveOf(
  values: OptionValues<ReturnType<typeof keepAliveOptions>>,
  presets: KeepAliveSettings,
): KeepAliveSettings {
  return {
    idleTimeout: values["idle-timeout"] ?? presets.idleTimeout,
    probeInterval: values["probe-interval"] ?? presets.probeInterval,
    probeCount: values["probe-count"] ?? presets.probeCount,
  };
}

/**
 * What was given of v2's keep-alive: a way, or settings each by itself, which are always in force.
 *
 * @throws {ConfigError} if both were.
 */
export function keepAliveChoiceOf(
  values: { readonly "keep-alive"?: KeepAliveChoice } & OptionValues<ReturnType<typeof keepAliveOptions>>,
): KeepAliveChoice {
  const { "keep-alive": choice } = values;
  const single = (["idle-timeout", "probe-interval", "probe-count"] as const).find((name) =>
    values[name] !== undefined
  );
  if (single === undefined) return choice ?? "adaptive";
  if (choice === undefined) return keepAliveOf(values, V2_KEEP_ALIVE);
  throw optionMistake(
    values,
    single,
    (part) => `${part} is a part of what keep-alive says as a whole; give one of them`,
  );
}

/** What is to be shown of keep-alive, as it will hold: a way by its name, or each setting. */
export function settledKeepAlive(choice: KeepAliveChoice): Record<string, unknown> {
  if (typeof choice === "string") return { "keep-alive": choice };
  const { idleTimeout, probeInterval, probeCount } = normalKeepAlive(choice);
  return { "idle-timeout": idleTimeout, "probe-interval": probeInterval, "probe-count": probeCount };
}

/** The options that say nothing then: a way says it all, and so do settings. `v1`: whether they are for v1, too. */
export function unsaidKeepAlive(
  choice: KeepAliveChoice | undefined,
  v1: boolean,
): ("keep-alive" | "idle-timeout" | "probe-interval" | "probe-count")[] {
  if (typeof choice !== "string") return ["keep-alive"];
  return v1 ? [] : ["idle-timeout", "probe-interval", "probe-count"];
}

/** Options that are a time, with the names of their settings. */
const TIMES = {
  expiration: "expiration",
  "connect-timeout": "connectTimeout",
  "tcp-keep-alive": "tcpKeepAlive",
  "stall-timeout": "stallTimeout",
  "half-close-timeout": "halfCloseTimeout",
  "link-write-timeout": "linkWriteTimeout",
} as const;

/** The times that were given, in milliseconds; defaults are left to the library. */
export function timesOf(
  values: { readonly [Name in keyof typeof TIMES]?: number },
): { [Name in typeof TIMES[keyof typeof TIMES]]?: number } {
  const given = (Object.keys(TIMES) as (keyof typeof TIMES)[]).flatMap((name) => {
    const value = values[name];
    return value === undefined ? [] : [[TIMES[name], value]];
  });
  return Object.fromEntries(given);
}

/** What to say of keys in a file that are the other role's. */
export function keysOf(role: "server" | "device", ...names: string[]): Record<string, string> {
  const hint = `that is an option of the ${role}; give this file to "sallyport ${role} --config"`;
  return Object.fromEntries(names.map((name) => [name, hint]));
}
