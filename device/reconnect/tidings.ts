/**
 * What a device says of its link's coming and going: a line for the log and an event for subscribers, each time.
 *
 * @module
 */

import { QUICK_LINK_MS } from "../limits.ts";
import { HandshakeError } from "../../protocol/v2/wire/handshake.ts";
import type { Clock } from "../../base/clock.ts";
import type { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import { formatDuration } from "../../base/format.ts";
import { type LinkEnd, linkEndLevel } from "../../relay/link/end.ts";
import type { Logger } from "../../base/logger.ts";
import type { DeviceEvent } from "../events.ts";
import type { DeviceOutage } from "../handle.ts";
import type { LinkLife, MadeLink } from "./link_maker.ts";
import { Outage } from "./outage.ts";

/** What may be behind a link that is closed at once. */
const QUICKLY_CLOSED =
  "the server hung up at once: is another device linked to that listener, or is it for profile v2, or no v1 server?";

/** Tells. */
export class Tidings {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #emitter: Emitter<DeviceEvent>;
  readonly #outage = new Outage();
  #gap: DeviceOutage | undefined;

  /** To these. */
  constructor(logger: Logger, clock: Clock, emitter: Emitter<DeviceEvent>) {
    this.#logger = logger;
    this.#clock = clock;
    this.#emitter = emitter;
  }

  /** The time without a link, if there is none after one was lost or a try failed. */
  get gap(): DeviceOutage | undefined {
    return this.#gap;
  }

  /** There is a link to `server`, of a new session or of one that goes on. */
  up(server: string, { local, device, resumed }: MadeLink): void {
    const outage = this.#outage.facts(this.#clock.now());
    this.#outage.over();
    this.#gap = undefined;
    const after = outage && outage.tries > 1
      ? ` (after ${outage.tries} tries in ${formatDuration(outage.duration)})`
      : "";
    if (!resumed) {
      this.#logger.info(`link up: server {server}${device ? ", as {device}" : ""}${after}`, { server, local, device });
      return this.#emitter.emit({ type: "online", server, local, device });
    }
    const line = resumed.moved
      ? "link resumed: server {server}, moved"
      : "link resumed: server {server}, after {interrupted} ms";
    this.#logger.info(`${line}, {replayed} B sent again${after}`, { server, local, ...resumed });
    this.#emitter.emit({ type: "resumed", server, local, ...resumed });
  }

  /** The link is down, and its session waits for another; it had lasted for `duration` milliseconds. */
  interrupted(
    server: string,
    { reason, detail }: Pick<LinkEnd, "reason" | "detail">,
    duration: number,
    retryIn: number,
  ): void {
    const facts = { server, reason, detail, retryIn };
    this.#logger.warn(
      `link interrupted: server {server}, {reason}${detail ? " ({detail})" : ""}, {duration} ms; ` +
        `its clients wait; next try in ${formatDuration(retryIn)}`,
      { ...facts, duration },
    );
    this.#noLink(retryIn);
    this.#emitter.emit({ type: "interrupted", ...facts });
  }

  /** The link is down, and its session over with it. `hint` is more about it for the log. */
  down(
    server: string,
    { reason, detail, clients }: LinkEnd,
    { goodbye, served }: LinkLife,
    duration: number,
    retryIn: number | undefined,
    isNamed: boolean,
  ): void {
    const facts = { server, reason, detail, goodbye: goodbye?.code, duration, retryIn, clients };
    const hungUp = !isNamed && reason === "peer-closed" && !served && duration < QUICK_LINK_MS;
    const shown = hungUp ? QUICKLY_CLOSED : detail;
    this.#noLink(retryIn, hungUp ? QUICKLY_CLOSED : undefined);
    this.#logger[linkEndLevel(reason)](
      `link down: server {server}, {reason}${shown ? " ({detail})" : ""}, {duration} ms` +
        (retryIn === undefined ? "" : `; next try in ${formatDuration(retryIn)}`),
      { ...facts, detail: shown },
    );
    this.#emitter.emit({ type: "lost", ...facts });
  }

  /** A session is over that waited for a link; `interrupted`: that was told. */
  lost(
    server: string,
    { reason, detail, clients }: LinkEnd,
    retryIn: number | undefined,
    interrupted: boolean,
  ): void {
    const why = reason === "not-resumed" ? "the server does not know the session any more" : detail;
    this.#logger.warn(`session lost: server {server}, {reason}${why ? " ({detail})" : ""}`, {
      server,
      reason,
      detail: why,
    });
    const facts = { server, reason, detail: why, goodbye: undefined, duration: 0, retryIn, clients };
    const told = interrupted && { interrupted };
    this.#emitter.emit({ type: "lost", ...facts, ...told });
  }

  /**
   * No link came about, `refused` with its code if the server said so. The first time of an outage is logged, and each new
   * reason; then how long it lasts, at growing distances.
   */
  failed(server: string, cause: unknown, retryIn: number | undefined): string {
    const isRefused = cause instanceof HandshakeError && cause.byPeer;
    const refused = isRefused ? cause.goodbye.code : undefined;
    const error = isRefused ? `${refused}: ${cause.message}` : describeError(cause);
    const now = this.#clock.now();
    const news = this.#outage.failed(`${server} ${error}`, now);
    const { tries, duration } = this.#outage.facts(now)!;
    const line = (refused === undefined ? "cannot reach {server}: {error}" : "{server} refused this device: {error}") +
      (retryIn === undefined ? "" : `; next try in ${formatDuration(retryIn)}`);
    const facts = { server, error, retryIn: retryIn ?? 0, tries, duration };
    if (news === "known") this.#logger.debug(line, facts);
    else if (news === "new") this.#logger.warn(line, facts);
    else this.#logger.warn(`still no link, after {tries} tries in ${formatDuration(duration)}: ${line}`, facts);
    this.#noLink(retryIn, error, tries);
    this.#emitter.emit({ type: "dial-failed", server, error, goodbye: refused, retryIn: retryIn ?? 0 });
    return error;
  }

  #noLink(retryIn: number | undefined, error?: string, tries = 0): void {
    const now = this.#clock.wall();
    const nextTry = retryIn === undefined ? undefined : now + retryIn;
    this.#gap = { since: this.#gap?.since ?? now, tries, error, nextTry };
  }
}
