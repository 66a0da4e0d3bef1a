/**
 * Every way in which two engines of this machine speak with each other: plain or in TLS, the same or not. No tests here.
 *
 * @module
 */

import { portableEngine } from "./portable/engine.ts";
import { connectedEnds, engines, LOCAL, never } from "./_engines_fixture_test.ts";
import type { Duplex, Engine, TlsSocket } from "./socket.ts";
import { ServerCertificate } from "./tls/listening.ts";
import type { TlsSecurity } from "./tls/proof.ts";
import { newKey, rawKey } from "./tls/_tls_fixture_test.ts";
import { tcpTransport, tlsTransport, type Transport } from "./transport.ts";
import { systemClock } from "../base/clock.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { RecordingLogger } from "../tests/rig/logger.ts";
import { test, type TestOptions } from "../tests/rig/test.ts";

/** Two ends that speak with each other. */
export interface Pair {
  readonly client: Duplex;
  readonly server: Duplex;
  /** Closes what is not closed yet, and waits until nothing is left. */
  close(): Promise<void>;
}

/** One way. */
export interface Way {
  readonly name: string;
  readonly secure: boolean;
  /** Whose sockets they are. */
  readonly client: Engine;
  readonly server: Engine;
  connect(): Promise<Pair>;
}

const pairings = engines.flatMap((server) => engines.map((client) => ({ client, server })));

/** All of them. */
export const ways: readonly Way[] = pairings.flatMap(({ client, server }): Way[] => {
  const name = client === server ? client.name : `${client.name} to ${server.name}`;
  const certified = (how: "entrance" | "listener") => async () =>
    await securePair(await TestCertificate.make(), client, server, how);
  return [
    { name: `plain, ${name}`, secure: false, client, server, connect: () => plainPair(client, server) },
    { name: `TLS, ${name}`, secure: true, client, server, connect: certified("entrance") },
    ...(server.tls.listen
      ? [{ name: `TLS, ${name} that listens for it`, secure: true, client, server, connect: certified("listener") }]
      : []),
  ];
});

/** A test for each way. */
export function wayTest(name: string, fn: (way: Way) => Promise<void>, options?: TestOptions): void {
  for (const way of ways) test(`${way.name}: ${name}`, () => fn(way), options);
}

async function plainPair(client: Engine, server: Engine): Promise<Pair> {
  const ends = await connectedEnds(server, client);
  return { ...ends, close: () => Promise.resolve(ends[Symbol.dispose]()) };
}

/** A server's certificate, and what a client has to know. */
export class TestCertificate {
  private constructor(readonly certificate: ServerCertificate, readonly security: TlsSecurity) {}

  static async make(): Promise<TestCertificate> {
    const keyPair = await newKey();
    const log = new RecordingLogger();
    const certificate = await ServerCertificate.open(
      { kind: "pinned", keyPair },
      portableEngine.tls,
      new FakeClock(),
      log,
    );
    return new TestCertificate(certificate, { kind: "pinned", serverKey: await rawKey(keyPair) });
  }
}

/** The same in TLS, with what only TLS has. */
export interface SecurePair extends Pair {
  readonly clientTls: TlsSocket;
  readonly serverTls: TlsSocket;
}

/** Two ends whose handshake is done. */
export async function securePair(
  known: TestCertificate,
  client: Engine,
  server: Engine,
  how: "entrance" | "listener" = "entrance",
): Promise<SecurePair> {
  const came = Promise.withResolvers<[Transport, TlsSocket]>();
  came.promise.catch(() => {});
  const door = how === "entrance"
    ? openEntrance(known, server, came.resolve)
    : openListener(known, server, came.resolve);
  const target = { server: door.address, security: known.security, wallClock: Date.now() };
  const dialled = client.tls.sockets.connect(door.address, { signal: never }).then(async (socket) => {
    try {
      return await client.tls.connect(socket, target, () => {});
    } catch (error) {
      socket.close();
      throw error;
    }
  });
  dialled.catch(() => {});
  const [transport, serverTls] = await came.promise;
  try {
    const [clientTls] = await Promise.all([dialled, serverTls.handshake()]);
    return {
      client: clientTls,
      server: transport.duplex,
      clientTls,
      serverTls,
      close: async () => {
        clientTls.cut();
        transport.cut();
        await door.close();
      },
    };
  } catch (error) {
    transport.cut();
    await door.close();
    throw error;
  }
}

type OnCome = (came: [Transport, TlsSocket]) => void;

function openEntrance({ certificate }: TestCertificate, server: Engine, onCome: OnCome) {
  const entrance = server.tls.entrance(certificate, systemClock, new RecordingLogger(), (...came) => onCome(came));
  const listener = server.tls.sockets.listen(LOCAL);
  Promise.resolve(listener.accept()).then((socket) => entrance.enter(tcpTransport(socket)), () => {});
  const close = async () => {
    listener.close();
    entrance.close();
    await entrance.ended();
  };
  return { address: listener.address, close };
}

function openListener({ certificate }: TestCertificate, server: Engine, onCome: OnCome) {
  const listener = server.tls.listen!(LOCAL, certificate.pair);
  Promise.resolve(listener.accept()).then((tls) => onCome([tlsTransport(tls), tls]), () => {});
  return { address: listener.address, close: () => Promise.resolve(listener.close()) };
}
