/**
 * The one interface of sockets, behind which an engine sits: the kernel's own (`net/native/`), or the runtime's
 * (`net/portable/`).
 *
 * It is made for the kernel's: what can be done at once is done at once, and only what has to wait is a promise. Nobody
 * who uses it asks which engine it is.
 *
 * @module
 */

import type { Address } from "../protocol/address.ts";
import type { DatagramClock } from "../protocol/channel.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/logger.ts";
import type { CertificatePair } from "./tls/certificate_files.ts";
import type { ServerCertificate } from "./tls/listening.ts";
import type { DatagramCounts } from "./udp/counts.ts";
import type { DatagramHandler, DatagramSocket } from "./udp/socket.ts";
import type { TurnReport, TurnTotals } from "./turn_times.ts";
import type { TlsSecurity } from "./tls/proof.ts";
import type { SocketTransport, Transport } from "./transport.ts";

/** A value that is there, or comes. */
export type Soon<T> = T | Promise<T>;

/** A duplex of bytes. One read and one write may be pending at a time. */
export interface Duplex {
  /** Whether reading it leaves others their turn, however fast its peer sends. @default {false} */
  readonly sharesTurns?: boolean;
  /**
   * Reads into `into`, which has room for a byte at least.
   *
   * @returns the number of bytes, or `null` at the end; at once, if there are any.
   */
  read(into: Uint8Array): Soon<number | null>;
  /** Writes some of `bytes`. @returns how many, at once, if the system takes any now. */
  write(bytes: Uint8Array): Soon<number>;
  /**
   * Writes what the system takes now, and keeps none of it; there where that can be done. What it did not take has to be
   * offered first by whatever is written next.
   *
   * @returns how many bytes, or 0. @throws What the connection failed with.
   */
  writeNow?(bytes: Uint8Array): number;
  /**
   * Calls `fn` once when all that is ready now has had its turn, if there is such a time: then what was gathered meanwhile
   * goes out in one write.
   *
   * @returns whether it will be called; if not, nothing is to be gained by waiting.
   */
  afterPass?(fn: () => void): boolean;
  /** Ends the writing side. */
  closeWrite(): Promise<void>;
  /** Closes both sides in order; a pending read or write fails. Idempotent. */
  close(): void;
}

/** When the system asks a silent peer, and gives it up. */
export interface KeepAlivePace {
  /** Seconds of silence before the first probe (`TCP_KEEPIDLE`). */
  readonly idle: number;
  /** Seconds between two probes (`TCP_KEEPINTVL`). */
  readonly interval: number;
  /** Probes without an answer (`TCP_KEEPCNT`). */
  readonly probes: number;
}

/** What the system has seen of a connection's peer. */
export interface PeerSigns {
  /** Times in a row that it was sent the same again, or asked whether it takes more, and did not answer. */
  readonly unanswered: number;
  /** Milliseconds since anything came from it. */
  readonly silent: number;
}

/** What the system says of a TCP connection at the moment. What it does not say, as it is too old for it, is `undefined`. */
export interface TcpFacts {
  /** The round trip, smoothed, in milliseconds. */
  readonly roundTrip: number;
  /** By how much it varies, in milliseconds. */
  readonly roundTripVariation: number;
  /** Segments that were sent again, since the connection is there. */
  readonly retransmits: number | undefined;
  /** The largest segment that is sent now, in bytes. */
  readonly segment: number;
  /** The largest packet that the path is taken to carry, in bytes. */
  readonly pathMtu: number;
  /** Segments that were sent, and not acknowledged yet. */
  readonly unacknowledged: number;
  /** Bytes a second that were delivered of late. */
  readonly deliveryRate: number | undefined;
}

/** A client's or a service's connection. What its engine cannot do is not done, and told by what a method returns. */
export interface Connection extends Duplex {
  /** Whether the end of what can be read is that of both its sides: nobody is there any more to write to. @default {false} */
  readonly endsWhole?: boolean;
  /** Whether {@linkcode Connection.reset} is one; else it is a close in order, for which the peer had better be told its end. @default {true} */
  readonly resets?: boolean;
  /**
   * Closes it as a failure: the peer's reads and writes fail, and what its system has not acknowledged is lost.
   * Idempotent.
   */
  reset(): void;
  /** Whether its end, if nothing else ends it, is a reset: also that of this process. */
  setResetAtClose(isReset: boolean): void;
  /**
   * Calls `fn` once the system knows that the connection is over both ways, as a peer has reset it, also when nobody reads
   * it: soon, if it is so already. Absent where the engine cannot tell. One at a time.
   */
  whenReset?(fn: () => void): void;
  /** What became of its datagrams, for one that carries datagrams. */
  readonly datagrams?: DatagramCounts | undefined;
  /** It has a channel from now on, whose clock that is; for one that carries datagrams. */
  joined?(clock: DatagramClock | undefined): void;
  /** Bytes that the peer's system has not acknowledged, the end of writing included; 0 where that cannot be had. */
  unacknowledged(): number;
  /** Sets when TCP keep-alive gives a silent peer up, or that it never does. */
  setKeepAlive(pace: KeepAlivePace | undefined): void;
  /** What was set, as the system has it; `undefined` where it cannot be asked. */
  keepAlive(): KeepAlivePace | "off" | undefined;
  /** What the system has seen of the peer; `undefined` where that cannot be had. */
  signs(): PeerSigns | undefined;
}

/** A TCP connection. */
export interface Socket extends Connection {
  /** This side's address. */
  readonly localAddress: Address;
  /** The peer's. */
  readonly remoteAddress: Address;
  /** What the system says of it; `undefined` where it cannot be asked, and when it is closed. */
  tcp(): TcpFacts | undefined;
}

/** Who is at the other end of a Unix socket, as it was when the connection was made. */
export interface UnixPeer {
  /** The number of the user. */
  readonly uid: number;
  /** The number of the process. */
  readonly pid: number;
}

/** A connection over a Unix socket: no byte of it is ever on the way, and it has no reset. */
export interface UnixConnection extends Connection {
  /** Who is at its other end; `undefined` where that cannot be had. */
  readonly peer: UnixPeer | undefined;
}

/** A connection in TLS: of those who were accepted, one whose handshake is still to be done. */
export interface TlsSocket extends Duplex {
  /** This side's address. */
  readonly localAddress: Address;
  /** The peer's. */
  readonly remoteAddress: Address;
  /** Whether small writes go out at once (TCP_NODELAY). */
  readonly noDelay: boolean;
  /** Goes through the handshake. @throws {TlsHandshakeError} with one line about why not; it is closed then. */
  handshake(): Promise<void>;
  /** Closes it at once, also when its peer stands still, as far as the engine can. Idempotent. */
  cut(): void;
  /** What no other TLS connection has (RFC 9266, `tls-exporter`); `undefined` where the engine cannot say. */
  exporter(): Uint8Array | undefined;
  /** As {@linkcode Socket.tcp}. */
  tcp(): TcpFacts | undefined;
  /** When the peer's certificate ends, in milliseconds since 1970, once the handshake is done; `undefined` if that is not known. */
  peerEnds(): number | undefined;
}

/** A listening socket. */
export interface ListeningSocket<S = Socket> {
  /** The address really bound; of a Unix socket the host is its path. */
  readonly address: Address;
  /** The next connection; at once, if one waits. @throws For one that failed, and when it is closed. */
  accept(): Soon<S>;
  /** Stops to listen, and frees the port; a pending {@linkcode ListeningSocket.accept} fails. Idempotent. */
  close(): void;
}

/** How a socket listens. */
export interface ListenOptions {
  /** The pace of TCP keep-alive that its connections begin with; `"off"`: they have none. @default {the system's} */
  readonly keepAlive?: KeepAlivePace | "off" | undefined;
  /** Whether the end of its connections, if nothing else ends them, is a reset. @default {false} */
  readonly resets?: boolean;
}

/** How a connection is dialled. */
export interface ConnectOptions {
  /** Gives it up. */
  readonly signal: AbortSignal;
  /** Bytes of TCP in a packet at most, either way, where the engine can see to that. */
  readonly maxSegment?: number | undefined;
  /** One of this machine's addresses to dial from, or an interface; it takes an engine that {@linkcode Engine.isTunable}. */
  readonly uplink?: string | undefined;
}

/** A terminal (pty(7)) that nobody sits at. */
export interface Terminal {
  /** What a program opens to have it as its own. */
  readonly path: string;
  /** What the program sees typed, and what it shows. Its end is that of the program; the end of writing is a Ctrl-D. */
  readonly stream: Duplex;
}

/** What sockets are made with. */
export interface Engine {
  /** Which one it is, for people. */
  readonly name: "native" | "portable";
  /** Whether it can set what is TCP's own: the pace of keep-alive, and from where a connection is dialled. */
  readonly isTunable: boolean;
  /** Whether it reaches abstract Unix sockets, `@NAME`. */
  readonly reachesAbstract: boolean;
  /** What speaks TLS. */
  readonly tls: TlsEngine;
  /** Listens at `address`; a name is that of an address of this host. @throws What the system says, with its `code`. */
  listen(address: Address, options?: ListenOptions): ListeningSocket;
  /**
   * Connects to `address`, an IP address, with TCP_NODELAY and TCP keep-alive on.
   *
   * @throws What the system says; the signal's reason when it aborts. Nothing is left open then.
   */
  connect(address: Address, options: ConnectOptions): Promise<Socket>;
  /** What its turns were since this was asked for last; `undefined` where it is not known. */
  turns(): TurnReport | undefined;
  /** What its turns were since it runs; `undefined` where it is not known. */
  turnTotals(): TurnTotals | undefined;
  /**
   * Connects to a Unix socket of this machine: a path, or behind `@` the name of an abstract one.
   *
   * @throws What the system says, with its `code`: `EAGAIN` if too many wait there already. Nothing is left open then.
   */
  connectUnix(path: string): Promise<UnixConnection>;
  /**
   * Listens at a Unix socket that is not there yet. Closing it need not remove it.
   *
   * @throws What the system says, with its `code`.
   */
  listenUnix(path: string): ListeningSocket<UnixConnection>;
  /**
   * Binds a socket of UDP for whoever sends to `address`, an IP address.
   *
   * @throws What the system says, with its `code`.
   */
  bindUdp(address: Address, handler: DatagramHandler): Promise<DatagramSocket>;
  /**
   * Makes a socket of UDP that speaks with `address` alone, an IP address.
   *
   * @throws What the system says, with its `code`.
   */
  connectUdp(address: Address, handler: DatagramHandler): Promise<DatagramSocket>;
  /** Opens a terminal, where that can be done. @throws What the system says. */
  openTerminal?(): Terminal;
  /**
   * Calls `onReadable` again and again as long as there is something to read from a descriptor of the kernel's, an error
   * included; there where the engine waits for the kernel itself.
   *
   * @returns what ends that; the descriptor is to be closed behind it. @throws If the kernel cannot watch it.
   */
  watchReadable?(fd: number, onReadable: () => void): () => void;
}

/** What links in TLS are made with. */
export interface TlsEngine {
  /** The sockets that it speaks TLS on. */
  readonly sockets: Engine;
  /** Whether a connection can be bound to its TLS by what {@linkcode TlsSocket.exporter} gives. */
  readonly binds: boolean;
  /**
   * Says whether a server can be told from others in the way that is asked for.
   *
   * @throws {UnprovableError} if not.
   */
  demandProvable(host: string, security: TlsSecurity): void;
  /**
   * Says whether a listener could use a certificate and its key.
   *
   * @throws {PairError} if not.
   */
  demandUsable(pair: CertificatePair): void;
  /**
   * Takes a dialled connection through its handshake with the server `target`, and demands that it is the one.
   *
   * @param onTls Is given what to cut meanwhile.
   * @throws {ServerIdentityError}, {UnprovableError} and {TlsHandshakeError} with one line for people. The caller closes
   * the connection then.
   */
  connect(socket: Socket, target: TlsTarget, onTls: (tls: Pick<TlsSocket, "cut">) => void): Promise<TlsSocket>;
  /** Descriptors that a connection takes which came by {@linkcode TlsEngine.entrance}. */
  readonly descriptorsPerEntrance: number;
  /**
   * Opens the way into TLS for accepted connections whose next byte is its first.
   *
   * @param certificate What newcomers are given; the owner closes it.
   * @param onConn Is given each before its handshake, with the addresses of what came.
   * @throws What the system says, where it takes a port.
   */
  entrance(
    certificate: ServerCertificate,
    clock: Clock,
    log: Logger,
    onConn: (transport: Transport, tls: TlsSocket) => void,
  ): TlsEntrance;
  /**
   * Listens for TLS from the first byte on, where that takes less than an entrance.
   *
   * @throws As {@linkcode Engine.listen}.
   */
  readonly listen: ((address: Address, certificate: CertificatePair) => ListeningSocket<TlsSocket>) | undefined;
}

/** The way into TLS. */
export interface TlsEntrance {
  /** Takes over a connection. */
  enter(outer: SocketTransport): void;
  /** Lets nobody in any more. Idempotent. */
  close(): void;
  /** Resolves when nothing of it is left, after {@linkcode TlsEntrance.close} and the end of its connections. */
  ended(): Promise<void>;
}

/** Whom a device expects to have dialled. */
export interface TlsTarget {
  /** The server's address. */
  readonly server: Address;
  /** What it has to prove. */
  readonly security: TlsSecurity;
  /** The wall clock, in milliseconds: the dates of certificates are explained by it. */
  readonly wallClock: number;
}
