/**
 * The listeners of a server, which may be others while it runs.
 *
 * @module
 */

import type { ServerCertificate } from "../net/tls/listening.ts";
import { describeError } from "../base/errors.ts";
import { formatAddress, parseAddress } from "../protocol/address.ts";
import type { ServerEvent } from "./events.ts";
import type { ListenOptions, ServerSettings, V2ListenOptions } from "./options.ts";
import { V1Listener } from "./v1/listener.ts";
import type { DeviceRegistry } from "./v2/device_registry.ts";
import { certificateOf, V2Listener } from "./v2/listener.ts";

/** A listener that can take the place of another. */
export interface PreparedListener {
  /** Takes it. What it fails with is thrown; the one that was there goes on then, unless the address is lost to somebody else. */
  begin(): Promise<void>;
  /** It is not wanted. */
  close(): void;
}

/** Opens and closes them. */
export class Listeners {
  /** In the order of the options. */
  readonly all: (V1Listener | V2Listener)[] = [];

  readonly #settings: ServerSettings;
  readonly #registry: DeviceRegistry | undefined;
  readonly #emit: (event: ServerEvent) => void;
  readonly #gone = new Set<V1Listener | V2Listener>(); // listened at no more, and not ended
  #isClosing = false;

  /** None yet. */
  constructor(
    settings: ServerSettings,
    registry: DeviceRegistry | undefined,
    emit: (event: ServerEvent) => void,
  ) {
    this.#settings = settings;
    this.#registry = registry;
    this.#emit = emit;
  }

  /** One more. @throws {ListenError} or {CertificateError} if it cannot be. */
  async add(options: ListenOptions): Promise<void> {
    if (options.profile === "v1") return this.#put(new V1Listener(options, this.#settings, this.#emit));
    const certificate = await certificateOf(options, this.#settings);
    this.#bind(options, certificate, this.all.length);
  }

  /** One less; links that came to one of v2 stay. */
  remove(listener: V1Listener | V2Listener): void {
    listener.close();
    this.#gone.add(listener);
    listener.ended().then(() => this.#gone.delete(listener));
    this.all.splice(this.all.indexOf(listener), 1);
    this.#settings.listeners.open = this.all.length;
  }

  /** Prepares that one of v2 has other options at its address. @throws {CertificateError} if its certificate cannot be used. */
  async prepareOther(listener: V2Listener, options: V2ListenOptions): Promise<PreparedListener> {
    const certificate = await certificateOf(options, this.#settings);
    const begin = async () => {
      const place = this.all.indexOf(listener);
      const { options: before } = listener;
      const address = parseAddress(listener.address); // also of port 0
      this.remove(listener);
      await listener.released;
      try {
        this.#bind({ ...options, address }, certificate, place);
      } catch (error) {
        await this.#bindAgain({ ...before, address }, place);
        throw error;
      }
    };
    return { begin, close: () => certificate?.close() };
  }

  /** Stops to accept, and ends v1 links in order. */
  async shutdown(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.all.map((listener) => listener.shutdown()));
  }

  /** Ends all. Idempotent. */
  close(): void {
    this.#isClosing = true;
    for (const listener of this.all) listener.close();
  }

  /** Resolves when nothing of them is left. */
  async ended(): Promise<void> {
    await Promise.all([...this.all, ...this.#gone].map((listener) => listener.ended()));
  }

  /** As it was, if that can be. */
  async #bindAgain(options: V2ListenOptions, place: number): Promise<void> {
    try {
      this.#bind(options, await certificateOf(options, this.#settings), place);
    } catch (error) {
      const address = formatAddress(options.address);
      this.#settings.logger.error("listens at {address} no more: {error}", { address, error: describeError(error) });
    }
  }

  /** As the options were checked, there is a registry. */
  #bind(options: V2ListenOptions, certificate: ServerCertificate | undefined, place: number): void {
    this.#put(V2Listener.bind(options, this.#settings, this.#registry!, this.#emit, certificate), place);
  }

  #put(listener: V1Listener | V2Listener, place = this.all.length): void {
    this.all.splice(place, 0, listener);
    this.#settings.listeners.open = this.all.length;
    if (this.#isClosing) listener.close();
  }
}
