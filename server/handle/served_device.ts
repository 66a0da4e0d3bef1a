/**
 * A device on the server, for a program that holds it: valid over reconnects and renames, and also before it comes (seed
 * 002, "The same interface that was used before the connection was lost is still valid").
 *
 * @module
 */

import type { Endpoint, KeepAliveChoice } from "../../protocol/keep_alive.ts";
import type { DeviceMode } from "../../protocol/v2/wire/messages.ts";
import * as check from "../../relay/option_check.ts";
import { ConnectionLostError, IncompatibleError, quietly } from "../../relay/peer_errors.ts";
import type { ConnectionEvent, ConnectionLostEvent } from "../events.ts";
import type { ServedClient } from "../ports/client_table.ts";
import type { V2Session } from "../v2/session.ts";
import { type ConnectOptions, type ConnectSurroundings, connectThrough, type RemoteConnection } from "./connect.ts";
import type { Connections } from "./connections.ts";
import type { ServedDevice } from "./device_status.ts";
import type { KnownDevices } from "./known_devices.ts";

/**
 * A v2 device of a server. Once it is known it is told apart by its key, so it may be renamed; one that is enrolled anew under
 * its name takes its place.
 *
 * Calls that need the device reject with {@linkcode ConnectionLostError} while it has no link, and with
 * {@linkcode IncompatibleError} if it came last with versions that the server does not speak. Everything else works all the same.
 */
export interface DeviceOnServer {
  /** Its name now. */
  readonly name: string;
  /** What is known of it, if it came since the server runs: with its services, clock offset and software. */
  readonly status: ServedDevice | undefined;
  /** Its clients, in the order of their coming. */
  readonly clients: ServedClient[];
  /**
   * Asks it to go to mode `config` or `run`. Resolves when it is asked; {@linkcode DeviceOnServer.status} and events tell when
   * it has gone there.
   */
  setMode(mode: Exclude<DeviceMode, "init">): Promise<void>;
  /**
   * Sets the longest silence accepted: by the server from the device, by the device from the server, or both (seed 002,
   * SetKeepAliveSettings). What is in force is in {@linkcode DeviceOnServer.status}. The server's own can be set also while the
   * device has no link, once it has had one.
   */
  setKeepAliveSettings(settings: KeepAliveChoice, endpoint: Endpoint): Promise<void>;
  /**
   * Has it reach an address that is not among its services, `HOST:PORT`, and opens a host port for that on the server, for a time
   * (seed 003, TCPRemoteConnect). The device's owner says what it may reach (`allow`), nothing by default; what he does not allow
   * is refused when a client comes. All of it is told as events, `service-opened` first.
   *
   * @example `const { hostAddress } = await server.device("gw1").connect("10.0.0.7:23");`
   * @throws {ConnectError} if the device lets the server name no address, or the host port cannot be opened. {SyntaxError} for no
   *   address. {TypeError} or {RangeError} for an option that cannot be.
   */
  connect(address: string, options?: ConnectOptions): Promise<RemoteConnection>;
  /** Ends its link; its session waits for the next one, with its clients. */
  dropLink(): Promise<void>;
  /** Calls `subscriber` for each new connection of it; see `ServerHandle.subscribeConnection`. @returns what ends that. */
  subscribeConnection(subscriber: (event: ConnectionEvent) => void): () => void;
  /** Calls `subscriber` whenever its link is lost; see `ServerHandle.subscribeConnectionLost`. @returns what ends that. */
  subscribeConnectionLost(subscriber: (event: ConnectionLostEvent) => void): () => void;
}

/** What it stands on. */
export interface DeviceSurroundings extends ConnectSurroundings {
  readonly known: KnownDevices;
  readonly connections: Connections;
}

/** See {@linkcode DeviceOnServer}. */
export class DeviceByKey implements DeviceOnServer {
  readonly #around: DeviceSurroundings;
  #name: string;
  #key: string | undefined;

  /** The device that has `name` now, or will. */
  constructor(name: string, around: DeviceSurroundings) {
    this.#name = name;
    this.#around = around;
  }

  get name(): string {
    this.#find();
    return this.#name;
  }

  get status(): ServedDevice | undefined {
    const key = this.#find();
    return key === undefined ? undefined : this.#around.known.describe(key);
  }

  get clients(): ServedClient[] {
    const { name } = this;
    return [...this.#around.settings.clients].filter(({ place }) => place.device === name).map((client) =>
      client.describe()
    );
  }

  setMode(mode: Exclude<DeviceMode, "init">): Promise<void> {
    check.word("config", "run")(mode, "mode");
    return this.#ask((link) => link.askMode(mode));
  }

  setKeepAliveSettings(settings: KeepAliveChoice, endpoint: Endpoint): Promise<void> {
    check.keepAliveChoice(settings, "settings");
    check.endpoint(endpoint, "endpoint");
    const session = this.#session;
    if (endpoint !== "server" || !session) return this.#ask(() => session?.setKeepAlive(settings, endpoint));
    session.setKeepAlive(settings, endpoint);
    return Promise.resolve();
  }

  async connect(address: string, options: ConnectOptions = {}): Promise<RemoteConnection> {
    this.demandLink();
    return await connectThrough(this.#session!, address, options, this.#around);
  }

  dropLink(): Promise<void> {
    return this.#ask((link) => link.links.drop());
  }

  subscribeConnection(subscriber: (event: ConnectionEvent) => void): () => void {
    return this.#around.connections.subscribeMade(this.#following(subscriber), this.name);
  }

  subscribeConnectionLost(subscriber: (event: ConnectionLostEvent) => void): () => void {
    return this.#around.connections.subscribeLost(this.#following(subscriber), this.name);
  }

  /** The same, and this handle knows its device from then on, whatever it is called later. */
  #following<T>(subscriber: (event: T) => void): (event: T) => void {
    return (event) => {
      this.#find();
      subscriber(event);
    };
  }

  get #session() {
    const key = this.#find();
    return key === undefined ? undefined : this.#around.known.session(key);
  }

  /** Its key; also that of another device that has its name by now, if it may not come any more. */
  #find(): string | undefined {
    const { known } = this.#around;
    const name = this.#key === undefined ? undefined : known.nameOf(this.#key);
    if (name === undefined) this.#key = known.keyOf(this.#name);
    else this.#name = name;
    return this.#key;
  }

  /** Does what takes the device. */
  #ask(act: (link: V2Session) => void): Promise<void> {
    return quietly(Promise.resolve().then(() => act(this.demandLink())));
  }

  /** Its link. @throws {ConnectionLostError} or {IncompatibleError} if there is none. */
  demandLink(): V2Session {
    const key = this.#find();
    const link = this.#session?.link;
    if (link?.links.online) return link;
    const incompatible = key === undefined ? undefined : this.#around.known.incompatible(key);
    if (incompatible) throw new IncompatibleError(this.#name, incompatible.versions);
    throw new ConnectionLostError(this.#name);
  }
}
