/**
 * `unix:PATH` and `unix:@NAME`: a service at a Unix socket of this machine.
 *
 * @module
 */

import { dialUnix } from "../../net/dial/unix.ts";
import { takesNative } from "../../net/engines.ts";
import { parseUnixPath } from "../../net/unix_path.ts";
import type { Endpoint, EndpointKind } from "./endpoint.ts";

/** Sockets of this machine, of the kind that streams. */
export const unixKind: EndpointKind = {
  name: "unix",
  example: "unix:/run/docker.sock",
  keys: [],
  takesHeader: true,
  isLookedAt: true,
  parse: (text) => {
    const [path = "", ...options] = text.split(",");
    if (options.length > 0) {
      throw new SyntaxError(`"${options[0]}" in "unix:${text}" is nothing here; a path has no comma in it`);
    }
    return unixEndpoint(parseUnixPath(path));
  },
};

function unixEndpoint(path: string): Endpoint {
  return {
    address: `unix:${path}`,
    lacks: ({ reachesAbstract }) =>
      !path.startsWith("@") || reachesAbstract ? undefined : takesNative(`the abstract socket ${path}`, "it"),
    open: ({ engine, clock }) => ({
      connect: (_client, timeout, signal) => dialUnix(path, { engine, clock, timeout, signal }),
      look: async (timeout, signal) => (await dialUnix(path, { engine, clock, timeout, signal })).close(),
      close: () => {},
    }),
  };
}
