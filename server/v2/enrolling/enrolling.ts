/**
 * How a device that brings a token is put on the list.
 *
 * @module
 */

import { describeError } from "../../../base/errors.ts";
import { goodbye } from "../../../protocol/v2/wire/goodbye.ts";
import { type Authenticated, HandshakeError } from "../../../protocol/v2/wire/handshake.ts";
import type { AuthorizedDevice } from "../../devices/authorized_devices.ts";
import { ServerFull } from "../../door/unwelcome.ts";
import type { ServerEvent } from "../../events.ts";
import type { ServerSettings, V2Options } from "../../options.ts";
import { EnrolmentGate } from "./gate.ts";

/** Redeems tokens of devices that have proved their keys. */
export class Enrolling {
  readonly #options: Pick<V2Options, "devices" | "enrolments">;
  readonly #settings: ServerSettings;
  readonly #emit: (event: ServerEvent) => void;
  readonly #gate = new EnrolmentGate();

  /** Starts with nobody at it. */
  constructor(
    options: Pick<V2Options, "devices" | "enrolments">,
    settings: ServerSettings,
    emit: (event: ServerEvent) => void,
  ) {
    this.#options = options;
    this.#settings = settings;
    this.#emit = emit;
  }

  /**
   * A device may bring a token; that of one which is known already counts while it can be redeemed.
   *
   * @param known Called once it has proved to have the token's string, before anything that takes long.
   * @returns what the token made of it; `undefined` for one that brings none, or needs none.
   * @throws {HandshakeError} with the goodbye to say, if it may not enrol.
   */
  async enrol(peer: Authenticated, remote: string, known: () => void): Promise<AuthorizedDevice | undefined> {
    const { token } = peer;
    if (!token) return undefined;
    const desk = this.#options.enrolments;
    const isKnown = this.#options.devices.byKey(peer.deviceKey) !== undefined;
    try {
      if (isKnown && !await desk?.waits?.(token)) return undefined;
      const hash = await desk?.secretHash(token);
      if (!desk || !hash || !await peer.provesToken(hash)) {
        throw new HandshakeError(goodbye("bad-enrolment", "this enrolment string is unknown here; ask for a new one"));
      }
      const adds = !isKnown && await desk.adds?.(token) !== false;
      const leave = this.#gate.enter(remote.slice(0, remote.lastIndexOf(":")), String(token));
      if (typeof leave === "string") throw new HandshakeError(goodbye("too-busy", leave));
      known();
      const redeem = () => desk.redeem(token, peer.deviceKey);
      const device = await (adds ? this.#withPlace(redeem) : redeem()).finally(leave);
      if ("refused" in device) throw new HandshakeError(goodbye("bad-enrolment", device.refused));
      this.#settings.logger.info("device {device} is enrolled, {key}", { device: device.name, key: device.key });
      this.#emit({ type: "enrolled", device: device.name, key: device.key });
      return device;
    } catch (error) {
      if (error instanceof HandshakeError) throw error;
      const [what = ""] = describeError(error).split("\n"); // without the line and its caret, which are for a terminal
      this.#settings.logger.error("{error}; nobody can enrol", { error: what });
      if (isKnown) return undefined; // it needs no enrolment to come in
      throw new HandshakeError(goodbye("too-busy", "cannot enrol now; the log of the server says why"));
    }
  }

  /** One more device is to be on the list. */
  async #withPlace<T>(add: () => Promise<T>): Promise<T> {
    const place = this.#settings.capacity.device(this.#options.devices.count ?? 0);
    if (typeof place === "string") throw new ServerFull(place);
    return await add().finally(place);
  }
}
