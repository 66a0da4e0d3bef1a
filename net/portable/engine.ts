/**
 * The portable engine: the runtime's own sockets, wherever the runtime runs.
 *
 * @module
 */

import type { Address } from "../../protocol/address.ts";
import type { ConnectOptions, Engine, ListeningSocket, Socket } from "../socket.ts";
import { portableTls } from "./tls.ts";
import { closeConn, PortableSocket, toAddress } from "./tcp_socket.ts";
import { bindUdp, connectUdp } from "./udp_socket.ts";
import { PortableUnixListener, PortableUnixSocket } from "./unix_socket.ts";

class PortableListener implements ListeningSocket {
  readonly address: Address;
  readonly #listener: Deno.TcpListener;

  constructor(listener: Deno.TcpListener) {
    this.#listener = listener;
    this.address = toAddress(listener.addr);
  }

  async accept(): Promise<Socket> {
    return new PortableSocket(await this.#listener.accept());
  }

  close(): void {
    closeConn(this.#listener);
  }
}

/** See the module. */
export const portableEngine: Engine = {
  name: "portable",
  isTunable: false,
  reachesAbstract: false,
  get tls() {
    return tls;
  },
  listen: ({ host: hostname, port }) => new PortableListener(Deno.listen({ hostname, port })),
  turns: () => undefined,
  turnTotals: () => undefined,
  connect: async ({ host: hostname, port }: Address, { signal, uplink }: ConnectOptions) => {
    if (uplink !== undefined) throw new TypeError(`the runtime's sockets cannot be bound to ${uplink}`);
    return new PortableSocket(await Deno.connect({ hostname, port, signal }));
  },
  bindUdp,
  connectUdp,
  listenUnix: (path) => new PortableUnixListener(Deno.listen({ transport: "unix", path }), path),
  connectUnix: async (path) => {
    if (path.startsWith("@")) {
      throw new Deno.errors.NotSupported(
        "abstract sockets take the native engine: Linux with glibc, and the permission ffi",
      );
    }
    return new PortableUnixSocket(await Deno.connect({ transport: "unix", path }));
  },
};

const tls = portableTls(portableEngine);
