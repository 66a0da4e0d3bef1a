/**
 * Whether the options of the library are what they have to be: a slip is told at the call, with its name and its value,
 * and not by a relay that does something else.
 *
 * @module
 */

import { MAX_QUOTED } from "./limits.ts";
import { PUBLIC_KEY_SIZE, publicKeyFault } from "../protocol/public_key.ts";
import { type Address, isHost } from "../protocol/address.ts";
import { ENGINES } from "../net/engines.ts";
import { KEEP_ALIVE_MODES, type KeepAliveSettings } from "../protocol/keep_alive.ts";
import type { Clock } from "../base/clock.ts";
import { MAX_DURATION_MS } from "../base/limits.ts";
import type { Logger } from "../base/logger.ts";

/**
 * Checks one value; `name` is where it stands, for the message.
 *
 * @throws {TypeError} if it is of another kind than it has to be.
 * @throws {RangeError} if it is a number out of its range.
 */
export type Check = (value: unknown, name: string) => void;

/** A check for every option of `T`; the type demands that none is forgotten. */
export type Checks<T> = { readonly [K in keyof Required<T>]: Check };

/** A value as a message has it: what may be a secret is not in it. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_QUOTED));
  if (typeof value === "number" || typeof value === "boolean" || value === undefined || value === null) {
    return `${value}`;
  }
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`;
}

function wrongKind(value: unknown, name: string, what: string): TypeError {
  return new TypeError(`${name} is ${shown(value)}; it has to be ${what}`);
}

/** May be left out. */
export function optional(check: Check): Check {
  return (value, name) => {
    if (value !== undefined) check(value, name);
  };
}

/** A whole or broken number of milliseconds from `min` on, or, if `never`, any that is negative. */
export function milliseconds(min: number, never = false): Check {
  return (value, name) => {
    const what = `a number of milliseconds from ${min} to ${MAX_DURATION_MS}${never ? ", or -1 for never" : ""}`;
    if (typeof value !== "number") throw wrongKind(value, name, what);
    if (never && value < 0 && Number.isFinite(value)) return;
    if (!(value >= min && value <= MAX_DURATION_MS)) throw new RangeError(`${name} is ${value}; it has to be ${what}`);
  };
}

/** A whole number. */
export function whole(min: number, max: number): Check {
  return (value, name) => {
    const what = `a whole number from ${min} to ${max}`;
    if (typeof value !== "number") throw wrongKind(value, name, what);
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`${name} is ${value}; it has to be ${what}`);
    }
  };
}

/** A number that is one: what is out of range is clamped elsewhere. */
const finite: Check = (value, name) => {
  if (typeof value !== "number") throw wrongKind(value, name, "a number");
  if (!Number.isFinite(value)) throw new RangeError(`${name} is ${value}; it has to be a number, or -1 for never`);
};

/** A point in time. */
export const time: Check = (value, name) => {
  const what = "milliseconds since 1970; left out for never";
  if (typeof value !== "number") throw wrongKind(value, name, what);
  if (Number.isNaN(new Date(value).getTime())) throw new RangeError(`${name} is ${value}; it has to be ${what}`);
};

/** `true` or `false`. */
export const flag: Check = (value, name) => {
  if (typeof value !== "boolean") throw wrongKind(value, name, "true or false");
};

/** A function. */
export const callable: Check = (value, name) => {
  if (typeof value !== "function") throw wrongKind(value, name, "a function");
};

export const text: Check = (value, name) => {
  if (typeof value !== "string") throw wrongKind(value, name, "a text");
};

/** A text that `parse` takes; its `SyntaxError` says why not. */
export function parsed(parse: (text: string) => unknown): Check {
  return (value, name) => {
    text(value, name);
    try {
      parse(value as string);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new TypeError(`${name}: ${error.message}`, { cause: error });
    }
  };
}

/** So many bytes. */
export function bytes(size: number): Check {
  return (value, name) => {
    if (!(value instanceof Uint8Array) || value.length !== size) {
      throw wrongKind(value, name, `a Uint8Array of ${size} bytes`);
    }
  };
}

/** The same, of which nothing is to be seen in a message. */
export function secretBytes(size: number): Check {
  return (value, name) => {
    if (value instanceof Uint8Array && value.length === size) return;
    throw new TypeError(`${name} is not a Uint8Array of ${size} bytes`);
  };
}

/** One of some words. */
export function word(...words: readonly (string | number)[]): Check {
  return (value, name) => {
    if (!words.some((each) => each === value)) throw wrongKind(value, name, words.map(shown).join(" or "));
  };
}

/** A list, each of whose values is checked. */
export function list(check: Check): Check {
  return (value, name) => {
    if (!Array.isArray(value)) throw wrongKind(value, name, "a list");
    value.forEach((each, at) => check(each, `${name}[${at}]`));
  };
}

/** An object with these options and no others. */
export function options<T>(checks: Checks<T>): Check {
  return (value, name) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongKind(value, name, "an object");
    for (const key of Object.keys(value)) {
      if (Object.hasOwn(checks, key)) continue;
      throw new TypeError(
        `${name}.${key.slice(0, MAX_QUOTED)} is no option; there are: ${Object.keys(checks).join(", ")}`,
      );
    }
    const given = value as Record<string, unknown>;
    for (const [key, check] of Object.entries<Check>(checks)) check(given[key], `${name}.${key}`);
  };
}

/** An object of whatever class that has these methods. */
export function withMethods(...methods: readonly string[]): Check {
  return (value, name) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) {
      throw wrongKind(value, name, `an object with ${methods.join(", ")}`);
    }
    for (const method of methods) callable((value as Record<string, unknown>)[method], `${name}.${method}`);
  };
}

/** A host without a port. */
export const host: Check = (value, name) => {
  text(value, name);
  if (!isHost(value as string)) throw wrongKind(value, name, "a host name or an IP address, without brackets");
};

/** A host and a port; 0 stands for any free port, where one may listen. */
export function address(lowestPort: 0 | 1): Check {
  return options<Address>({
    host,
    port: whole(lowestPort, 65_535),
  });
}

/** Settings of keep-alive; they are rounded and clamped where they are used. */
export const keepAliveSettings: Check = options<KeepAliveSettings>({
  idleTimeout: finite,
  probeInterval: finite,
  probeCount: finite,
});

/** The same, or a way by its name. */
export const keepAliveChoice: Check = (value, name) => {
  if (typeof value === "string") word(...KEEP_ALIVE_MODES)(value, name);
  else keepAliveSettings(value, name);
};

/** Whose keep-alive it is. */
export const endpoint: Check = word("device", "server", "both");

/** What sockets are made with. */
export const engine: Check = word(...ENGINES);

/** A public key that somebody can prove to have. */
export const publicKey: Check = (value, name) => {
  bytes(PUBLIC_KEY_SIZE)(value, name);
  const fault = publicKeyFault(value as Uint8Array);
  if (fault) throw new RangeError(`${name}: ${fault}`);
};

/** A key pair that can sign. */
export const identity: Check = (value, name) => {
  withMethods("sign")(value, name);
  const given = value as { publicKey?: unknown; keyPair?: unknown };
  publicKey(given.publicKey, `${name}.publicKey`);
  keys(given.keyPair, `${name}.keyPair`);
};

/** A pair of keys as the runtime has them. */
export const keys: Check = (value, name) => {
  const pair = value as { privateKey?: unknown; publicKey?: unknown } | undefined | null;
  if (!(pair?.privateKey instanceof CryptoKey) || !(pair.publicKey instanceof CryptoKey)) {
    throw wrongKind(value, name, "a CryptoKeyPair");
  }
};

/** See {@linkcode Logger}. */
export const logger: Check = withMethods(...["debug", "info", "warn", "error"] satisfies (keyof Logger)[]);

/** See {@linkcode Clock}. */
export const clock: Check = withMethods(...["now", "after"] satisfies (keyof Clock)[]);
