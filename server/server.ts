/**
 * The server as a library: `serve(options)` and its handle.
 *
 * @module
 */

import type { Endpoint, KeepAliveChoice } from "../protocol/keep_alive.ts";
import type { DeviceMode } from "../protocol/v2/wire/messages.ts";
import { Emitter } from "../base/emitter.ts";
import { eachInSlices } from "../base/slices.ts";
import * as check from "../relay/option_check.ts";
import type { Opening } from "./access/openings.ts";
import { checkOpenServiceOptions, checkServeOptions } from "./check_options.ts";
import type { ConnectionEvent, ConnectionLostEvent, ListeningEvent, ServerEvent } from "./events.ts";
import { Connections } from "./handle/connections.ts";
import { KnownDevices } from "./handle/known_devices.ts";
import { DeviceByKey, type DeviceOnServer } from "./handle/served_device.ts";
import { renamedIn } from "./devices/differences.ts";
import { DeviceRegistry } from "./v2/device_registry.ts";
import type { Drain, DrainOptions } from "./ports/drains.ts";
import type { ServedClient } from "./ports/client_table.ts";
import type { ServedDevice } from "./handle/device_status.ts";
import type { ServedV1Link } from "./v1/link_status.ts";
import type { V1Listener } from "./v1/listener.ts";
import { RecentRefusals, type TurnedAway } from "./refusals/recent.ts";
import { type Adjustable, type ServeOptions, type ServerSettings, serverSettings } from "./options.ts";
import type { V2Listener } from "./v2/listener.ts";
import { Listeners } from "./listeners.ts";

/** How a service is opened. */
export interface OpenServiceOptions extends Pick<Opening, "from" | "reason" | "by" | "keepClients"> {
  /** Milliseconds for which it is open. */
  readonly for: number;
}

/** A running server. */
export interface ServerHandle extends AsyncDisposable {
  /** Resolves when every listener for devices is bound; rejects with a `ListenError` if one cannot be, or if it is closed before. */
  readonly ready: Promise<void>;
  /** The addresses really bound for devices, in the order of the options. */
  readonly addresses: readonly string[];
  /** The listeners for devices, in the same order. */
  readonly listeners: readonly Pick<ListeningEvent, "address" | "profile" | "security">[];
  /** Resolves when nothing of the server is left. */
  readonly closed: Promise<void>;
  /** The v2 devices that came since the server runs, as they are now; also those that came with other versions. */
  devices(): ServedDevice[];
  /** Every client that is there, in the order of their coming, with the bytes that it has carried so far. */
  clients(): ServedClient[];
  /** A handle for the v2 device of a name, which stays valid over reconnects and renames; also before the device comes. */
  device(name: string): DeviceOnServer;
  /** The links of v1 listeners that have one, as they are now. */
  v1Links(): ServedV1Link[];
  /**
   * Sets the longest silence accepted: by the server from the device, by the device from the server, or both (seed 002). What is
   * in force can be read back with {@linkcode ServerHandle.devices}. On v1 the address of a listener stands for its device, and
   * {@linkcode ServerHandle.v1Links} reads back. For a call that rejects while the device is not there see {@linkcode DeviceOnServer}.
   *
   * @returns whether the device is there to hear of it.
   * @throws {RangeError} on v1 for another endpoint than `server`: each side sets its own there.
   */
  setKeepAliveSettings(device: string, settings: KeepAliveChoice, endpoint: Endpoint): boolean;
  /**
   * Says that somebody looks at a device for `ms` milliseconds from now on, an hour at most: both sides then probe as fast as
   * for a client, so that what is seen of it is true within seconds. @returns whether it is there.
   */
  attend(device: string, ms: number): boolean;
  /**
   * Asks a device to go to mode `config` (its services withdrawn) or `run`.
   *
   * @param drain Milliseconds for which clients may finish first, on the way to `config`, while others are refused. @default {0}
   * @returns whether it is there.
   */
  setMode(device: string, mode: Exclude<DeviceMode, "init">, drain?: number): boolean;
  /**
   * Opens a service that is `closed` by its rules, for a time.
   *
   * @returns what is open then.
   * @throws {TypeError} or {RangeError} with what cannot be: a service that is not there, or is not closed; a time.
   */
  openService(device: string, service: string, options: OpenServiceOptions): Opening;
  /** Closes it again. `by`: who does, for people. @returns whether it was open. */
  closeService(device: string, service: string, by?: string): boolean;
  /** Services that are open for a time. */
  openings(): Opening[];
  /** Devices and clients that were turned away since the server runs, the last first; those who are alike are one entry. */
  refusals(): TurnedAway[];
  /** Ends a client of {@linkcode ServerHandle.clients} at once, as `closed-by-admin`. @returns whether it was there. */
  closeClient(id: number): boolean;
  /** Refuses new clients of a device, or of all; see {@linkcode DrainOptions}. It is forgotten when the server ends. */
  drain(device: string | undefined, options?: DrainOptions): void;
  /** Lets them in again. @returns whether there was such a drain. */
  undrain(device: string | undefined): boolean;
  /** The drain of a device, or of the whole server. */
  drainOf(device: string | undefined): Drain | undefined;
  /** Ends the link of a v2 device; its session waits for the next one, with its clients. @returns whether there was one. */
  dropLink(device: string): boolean;
  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: ServerEvent) => void): () => void;
  /**
   * Calls `subscriber` for each new connection of a device: of a new session, of one that goes on, and of a device that was
   * turned away as it does not fit (seed 002, SubscribeConnection: "regardless of whether the controller is compatible or not").
   *
   * @param device The name of one device, if not for all; on v1 where it comes from.
   * @returns what ends that.
   */
  subscribeConnection(subscriber: (event: ConnectionEvent) => void, device?: string): () => void;
  /**
   * Calls `subscriber` when a link is lost, at once and once: its session may still wait for another, as `link-interrupted`
   * says, and its clients with it (seed 002, SubscribeConnectionLost).
   *
   * @param device The name of one device, if not for all; on v1 where it comes from.
   * @returns what ends that.
   */
  subscribeConnectionLost(subscriber: (event: ConnectionLostEvent) => void, device?: string): () => void;
  /** Ends in order: no new clients, CLOSE for each, what came is delivered; after 5 s at the latest, at once. */
  shutdown(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(): void;
}

/**
 * Starts a server. Devices dial its listeners; while one is linked, its clients connect to the host addresses.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be.
 *
 * @example A device may link up, and offer its service `ssh` at any free port of this host
 * ```ts
 * import { createIdentity, DeviceList, formatPublicKey, parseGrant, serve } from "@sallyport/sallyport";
 *
 * const identity = await createIdentity(); // the server's; keep it: identityToPem, identityFromPem
 * const device = await createIdentity(); // the device's own; the server knows the public key alone
 * const devices = new DeviceList([
 *   { name: "gw1", key: formatPublicKey(device.publicKey), services: [parseGrant("ssh=127.0.0.1:0")], disabled: false },
 * ]);
 * const server = serve({
 *   listen: [{
 *     profile: "v2",
 *     address: { host: "127.0.0.1", port: 0 },
 *     security: { kind: "pinned", keyPair: identity.keyPair },
 *   }],
 *   v2: { identity, devices },
 * });
 * server.subscribe((event) => event.type === "client-end" && event.reason); // every end has its reason
 * await server.ready;
 * await server.shutdown();
 * ```
 */
export function serve(options: ServeOptions): ServerHandle {
  return startServer(options).handle;
}

/** What a server is made of, for those beside it in this program. */
export interface ServerCore {
  readonly settings: ServerSettings;
  /** v2 devices, if there may be some. */
  readonly registry: DeviceRegistry | undefined;
  readonly listeners: readonly (V1Listener | V2Listener)[];
}

/** The same, with what changes it while it runs. */
export interface ServerControl extends ServerCore {
  /** Takes other values: they hold for links and clients to come. */
  adjust(values: Adjustable): void;
  /** Keep-alive holds for devices that are linked, too, unless the list, an act or the device itself has said otherwise of one. */
  spreadKeepAlive(): Promise<void>;
  /** Its listeners, to be others. */
  readonly places: Listeners;
}

/** The same as {@linkcode serve}, with what the server is made of. */
export function startServer(options: ServeOptions): { readonly handle: ServerHandle; readonly core: ServerControl } {
  checkServeOptions(options);
  const settings = serverSettings(options);
  const emitter = new Emitter<ServerEvent>(settings.logger);
  const connections = new Connections(settings.logger);
  const refusals = new RecentRefusals(settings.clock);
  const emit = (event: ServerEvent) => {
    settings.capacity.links.take(event);
    refusals.take(event);
    emitter.emit(event);
    connections.tell(event);
  };
  settings.capacity.emit = emit;
  const watching = settings.v2?.devices.subscribe((change) => {
    connections.devicesChanged(change);
    settings.capacity.links.devicesChanged(change);
    settings.drains.devicesChanged(change);
    if (!options.v2?.openings) settings.openings.rename(renamedIn(change)); // else it is up to whoever has them
  });
  const registry = settings.v2 && new DeviceRegistry(settings.v2, settings, emit);
  const known = new KnownDevices(registry, settings);
  const places = new Listeners(settings, registry, emit);
  const listeners = places.all;
  const closed = Promise.withResolvers<void>();
  let closing = false;

  const parts = registry ? [places, registry] : [places];
  const close = () => {
    closing = true;
    watching?.();
    settings.drains.close();
    settings.capacity.close();
    for (const part of parts) part.close();
    bound.catch(() => {}).then(() => Promise.all(parts.map((part) => part.ended()))).then(() => closed.resolve());
  };
  const shutdown = async () => {
    closing = true;
    await Promise.all(parts.map((part) => part.shutdown()));
    close();
    await closed.promise;
  };
  // In a turn of its own, so that whoever subscribes to the handle hears of the first listener.
  const bound = Promise.resolve().then(async () => {
    const demandOpen = () => {
      if (closing) throw new Error("Cannot become ready: the server is closed");
    };
    for (const each of options.listen) {
      demandOpen();
      await places.add(each);
    }
    demandOpen();
  });
  const ready = bound.catch((error: unknown) => {
    close();
    throw error;
  });
  ready.catch(() => {}); // whoever does not wait for it sees `closed`

  const around = {
    known,
    connections,
    settings,
    subscribe: (fn: (event: ServerEvent) => void) => emitter.subscribe(fn),
  };
  const handle: ServerHandle = {
    ready,
    get addresses() {
      return listeners.map((listener) => listener.address);
    },
    get listeners() {
      return listeners;
    },
    closed: closed.promise,
    v1Links: () => listeners.flatMap((listener) => listener.profile === "v1" && listener.link ? [listener.link] : []),
    devices: () => known.all,
    clients: () => [...settings.clients].map((client) => client.describe()),
    device: (name) => new DeviceByKey(name, around),
    setKeepAliveSettings(name, settings, endpoint) {
      check.keepAliveChoice(settings, "settings");
      check.endpoint(endpoint, "endpoint");
      const v1 = listeners.find((listener): listener is V1Listener =>
        listener.profile === "v1" && listener.address === name
      );
      if (v1) {
        if (typeof settings === "string") {
          throw new RangeError(
            `Cannot set a v1 listener's keep-alive to ${settings}: v1 is always alike; give settings`,
          );
        }
        if (endpoint === "server") return v1.setKeepAlive(settings);
        throw new RangeError(
          "Cannot set a v1 device's keep-alive from here: v1 has no word for it; set the server's alone",
        );
      }
      const session = registry?.session(name);
      session?.setKeepAlive(settings, endpoint);
      return session?.link !== undefined;
    },
    attend(name, ms) {
      check.milliseconds(0)(ms, "ms");
      const session = registry?.session(name);
      session?.attend(ms);
      return session?.link !== undefined;
    },
    setMode(name, mode, drain = 0) {
      check.word("config", "run")(mode, "mode");
      check.milliseconds(0)(drain, "drain");
      const ask = (device = name) => registry?.session(device)?.link?.askMode(mode);
      const isThere = registry?.session(name)?.link !== undefined;
      if (settings.drains.isLeavingRun(name)) settings.drains.undo(name);
      if (isThere && mode === "config" && drain > 0) settings.drains.begin(name, { for: drain, then: ask });
      else ask();
      return isThere;
    },
    drain(device, options = {}) {
      if (options.for !== undefined) check.milliseconds(0)(options.for, "options.for");
      settings.drains.begin(device, options);
    },
    undrain: (device) => settings.drains.undo(device),
    drainOf: (device) => settings.drains.of(device),
    openService(device, service, options) {
      checkOpenServiceOptions(options);
      registry?.demandClosed(device, service);
      const { for: ms, ...rest } = options;
      const since = settings.clock.wall();
      const opening = { device, service, since, until: since + ms, ...rest };
      settings.openings.open(opening);
      return opening;
    },
    closeService: (device, service, by) => settings.openings.close(device, service, by),
    openings: () => settings.openings.all,
    refusals: () => refusals.all,
    closeClient(id) {
      const client = settings.clients.get(id);
      client?.end("closed-by-admin");
      return client !== undefined;
    },
    dropLink(name) {
      const links = registry?.session(name)?.link?.links;
      if (!links?.online) return false;
      links.drop();
      return true;
    },
    subscribe: (subscriber) => emitter.subscribe(subscriber),
    subscribeConnection: (subscriber, device) => connections.subscribeMade(subscriber, device),
    subscribeConnectionLost: (subscriber, device) => connections.subscribeLost(subscriber, device),
    shutdown,
    close,
    [Symbol.asyncDispose]: shutdown,
  };
  const adjust = (values: Adjustable) => void Object.assign(settings, values);
  const spreadKeepAlive = () =>
    eachInSlices(registry?.sessions ?? [], settings.clock, (session) => {
      session.followKeepAlive();
    });
  return { handle, core: { settings, registry, listeners, places, adjust, spreadKeepAlive } };
}
