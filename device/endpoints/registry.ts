/**
 * The kinds of endpoints that there are, and what can never be served.
 *
 * @module
 */

import { EngineError } from "../../net/engines.ts";
import type { Engine } from "../../net/socket.ts";
import { canKind } from "./can.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";
import { execKind } from "./exec.ts";
import { serialKind } from "./serial.ts";
import { tcpKind } from "./tcp.ts";
import { udpKind } from "./udp.ts";
import { unixKind } from "./unix.ts";

/** All kinds but TCP, which goes without a word in front. A new one is a line here. */
const KINDS: readonly EndpointKind[] = [
  unixKind,
  execKind,
  canKind,
  serialKind,
  udpKind,
];

/** The kind of an endpoint, by what it begins with. @throws {SyntaxError} for one that is written in another way. */
export function kindOf(text: string): EndpointKind {
  const word = /^([a-z]+):(?!\d+$)/i.exec(text)?.[1];
  if (word === undefined) {
    if (/^(?:[/@~]|\.{1,2}\/)|\.sock$/.test(text)) {
      throw new SyntaxError(`"${text}" looks like a Unix socket; write unix:PATH, as in ${unixKind.example}`);
    }
    return tcpKind;
  }
  const kind = KINDS.find(({ name }) => name === word);
  if (!kind && /^[^:]*:[^\w:]/.test(text) && !/^tcp/i.test(word)) {
    throw new SyntaxError(`"${text}" is no endpoint; write HOST:PORT, or one of ${EXAMPLES}`);
  }
  return kind ?? tcpKind;
}

/** One of each kind as people write it, for messages. */
export const EXAMPLES = KINDS.map(({ example }) => example).join(", ");

/**
 * Parses an endpoint with its options: `HOST:PORT`, `unix:PATH` and the others.
 *
 * @throws {SyntaxError} with what was wrong and what would do.
 */
export function parseEndpoint(text: string): Endpoint {
  const kind = kindOf(text);
  return kind.parse(kind === tcpKind ? text : text.slice(kind.name.length + 1));
}

/** Whether `part` of a list still belongs to the endpoint before it, which is of `kind`. */
export function isOption(part: string, kind: EndpointKind): boolean {
  if (kind === tcpKind) return false;
  return !/[=:]/.test(part) || kind.keys.some((key) => part.startsWith(`${key}=`));
}

/** A service of either profile, as far as it matters here. */
export interface Servable {
  /** Its name, */
  readonly name?: string | undefined;
  /** or on v1 how it was written. */
  readonly text?: string | undefined;
  /** What stands behind it, if that is no address alone. */
  readonly endpoint?: string | undefined;
}

/** What a service takes that is not to be had with `engine`, in one line with what would do; `undefined`: nothing. */
export function lackOf({ endpoint }: Servable, engine: Engine): string | undefined {
  return endpoint === undefined ? undefined : parseEndpoint(endpoint).lacks?.(engine);
}

/**
 * Demands that services can be served with `engine`.
 *
 * @param mistake Makes the error out of the first that cannot, and why.
 * @throws {EngineError} or what `mistake` makes.
 */
export function demandServable(
  services: readonly Servable[],
  engine: Engine,
  mistake: (message: string) => Error = (message) => new EngineError(`the service ${message}`),
): void {
  for (const service of services) {
    const lacks = lackOf(service, engine);
    if (lacks !== undefined) throw mistake(`${service.name ?? service.text}: ${lacks}`);
  }
}
