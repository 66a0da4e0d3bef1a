/**
 * Sockets that do not block, made by system calls, and TLS sessions on them. No tests here.
 *
 * @module
 */

import { ALPN } from "../tls/listening.ts";
import { PINNED_NAME, pinnedCertificate } from "../tls/certificate.ts";
import { newKey, rawKey } from "../tls/_tls_fixture_test.ts";
import { TlsContext, type Trust } from "./context.ts";
import { openSsl } from "./library.ts";
import { type ServerNames, TlsSession, WANT_READ, WANT_WRITE } from "./session.ts";
import { TlsError } from "./errors.ts";

const { symbols: calls } = Deno.dlopen("libc.so.6", {
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
});

/** Whether this machine has OpenSSL 3; it is loaded here, outside of any test. */
export const hasOpenSsl = openSsl() !== undefined;

const [AF_UNIX, AF_INET, SOCK_STREAM, SOCK_NONBLOCK] = [1, 2, 1, 0o4000];
const SOL_SOCKET = 1;
export const [POLLIN, POLLOUT] = [1, 4];

/** A descriptor that is closed once. */
export class Descriptor implements Disposable {
  #isOpen = true;
  constructor(readonly fd: number) {
    if (fd < 0) throw new Error("no socket");
  }
  /** Ends the writing half. */
  shutdown(): void {
    calls.shutdown(this.fd, 1);
  }
  close(): void {
    if (this.#isOpen) calls.close(this.fd);
    this.#isOpen = false;
  }
  /** Has the peer see a reset. */
  reset(): void {
    calls.setsockopt(this.fd, SOL_SOCKET, 13, Int32Array.of(1, 0), 8); // SO_LINGER
    this.close();
  }
  /** Sets a buffer of the kernel, in bytes. */
  limit(option: "send" | "receive", bytes: number): void {
    calls.setsockopt(this.fd, SOL_SOCKET, option === "send" ? 7 : 8, Int32Array.of(bytes), 4);
  }
  /** Sends bytes as they are. @returns how many. */
  send(bytes: Uint8Array<ArrayBuffer>): number {
    return calls.send(this.fd, bytes, BigInt(bytes.length), 0x4000);
  }
  /** Receives bytes as they are. */
  receive(size = 65_536): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    return bytes.slice(0, Math.max(0, calls.recv(this.fd, bytes, BigInt(size), 0)));
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

/** Two sockets that are connected, without a network. */
export function socketPair(): [Descriptor, Descriptor] {
  const fds = new Int32Array(2);
  calls.socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
  return [new Descriptor(fds[0]!), new Descriptor(fds[1]!)];
}

function loopback(port: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16);
  new Uint16Array(bytes.buffer)[0] = AF_INET;
  new DataView(bytes.buffer).setUint16(2, port);
  bytes.set([127, 0, 0, 1], 4);
  return bytes;
}

/** A listening socket of this machine. */
export function listen(): Descriptor & { readonly port: number } {
  const socket = new Descriptor(calls.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  const name = new Uint8Array(16);
  calls.bind(socket.fd, loopback(0), 16);
  calls.listen(socket.fd, 128);
  calls.getsockname(socket.fd, name, Uint32Array.of(16));
  return Object.assign(socket, { port: new DataView(name.buffer).getUint16(2) });
}

/** Takes what waits at a listening socket, when it is there. */
export async function accept(listener: Descriptor): Promise<Descriptor> {
  await ready(listener.fd, POLLIN);
  return new Descriptor(calls.accept4(listener.fd, null, null, SOCK_NONBLOCK));
}

/** Begins to connect. */
export function dial(port: number): Descriptor {
  const socket = new Descriptor(calls.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  calls.connect(socket.fd, loopback(port), 16);
  return socket;
}

/** Two sockets that are connected by TCP. */
export async function tcpPair(): Promise<[client: Descriptor, server: Descriptor]> {
  using listener = listen();
  const client = dial(listener.port);
  return [client, await accept(listener)];
}

/** Waits until a socket can be read, or written, or has failed. */
export async function ready(fd: number, events: number): Promise<void> {
  const asked = new Uint8Array(8);
  const view = new DataView(asked.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, events, true);
  await calls.poll(asked, 1n, 10_000);
}

/** A server's context with a fresh key, and the context of a client that pins it. */
export interface Pair extends Disposable {
  readonly server: TlsContext;
  readonly client: TlsContext;
  readonly key: Uint8Array;
}

/** Makes them. */
export async function pinnedPair(): Promise<Pair> {
  const keyPair = await newKey();
  const key = await rawKey(keyPair);
  const server = TlsContext.server(await pinnedCertificate(keyPair), { alpn: ALPN });
  const client = clientContext({ kind: "pinned", keys: [key] });
  return {
    server,
    client,
    key,
    [Symbol.dispose]() {
      server.close();
      client.close();
    },
  };
}

/** A client's context for the profile. */
export function clientContext(trust: Trust): TlsContext {
  return TlsContext.client({ alpn: ALPN, trust });
}

/** What clients of {@linkcode pinnedPair} are told. */
export const PINNED = { serverName: PINNED_NAME, verifyName: undefined };

/** Shakes hands between two sessions of this thread. */
export function shake(one: TlsSession, other: TlsSession): void {
  for (let turn = 0; turn < 100; turn++) {
    const states = [one.handshake(), other.handshake()];
    if (states.every((state) => state === "done")) return;
  }
  throw new Error("the handshake does not end");
}

/** Shakes hands though it may fail. @returns what each side has come to: its protocol, or its error. */
export function outcomes(...sessions: TlsSession[]): (string | undefined | TlsError)[] {
  const ends = new Map<TlsSession, string | undefined | TlsError>();
  for (let turn = 0; turn < 20; turn++) {
    for (const session of sessions) {
      if (ends.has(session)) continue;
      try {
        if (session.handshake() === "done") ends.set(session, session.alpn);
      } catch (error) {
        if (!(error instanceof TlsError)) throw error;
        ends.set(session, error);
      }
    }
  }
  return sessions.map((session) => ends.get(session));
}

/** Two sessions, on sockets without a network unless others are given. */
export class Two implements Disposable {
  readonly client: TlsSession;
  readonly server: TlsSession;
  readonly clientSocket: Descriptor;
  readonly serverSocket: Descriptor;

  constructor(client: TlsContext, server: TlsContext, names: ServerNames = PINNED, sockets = socketPair()) {
    [this.clientSocket, this.serverSocket] = sockets;
    this.client = TlsSession.connect(client, this.clientSocket.fd, names);
    this.server = TlsSession.accept(server, this.serverSocket.fd);
  }

  [Symbol.dispose](): void {
    this.client.free();
    this.server.free();
    this.clientSocket.close();
    this.serverSocket.close();
  }
}

/** Shakes hands with somebody elsewhere. */
export async function shakeAlone(session: TlsSession, fd: number): Promise<void> {
  for (;;) {
    const state = session.handshake();
    if (state === "done") return;
    await ready(fd, state === "want-read" ? POLLIN : POLLOUT);
  }
}

/** Writes all, waiting where it has to. */
export async function writeAll(session: TlsSession, fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const count = session.write(bytes.subarray(at));
    if (count > 0) at += count;
    else await ready(fd, count === WANT_WRITE ? POLLOUT : POLLIN);
  }
}

/** Reads something, or the end as nothing. */
export async function readSome(session: TlsSession, fd: number, size = 65_536): Promise<Uint8Array> {
  const into = new Uint8Array(size);
  for (;;) {
    const count = session.read(into);
    if (count >= 0) return into.subarray(0, count);
    await ready(fd, count === WANT_READ ? POLLIN : POLLOUT);
  }
}
