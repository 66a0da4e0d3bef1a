/**
 * The links of a v2 session, one after the other, under channels that outlive them.
 *
 * ```
 * attach → online → (a link ends) → interrupted → attach …
 *                                             └→ (expiration time) → over
 * ```
 *
 * @module
 */

import { GATHER_MAX, LINK_START_BYTES } from "./limits.ts";
import type { KeepAlivePlan, KeepAliveSettings } from "../protocol/keep_alive.ts";
import { RESUMED_WATCH_MS } from "../protocol/limits.ts";
import type { LinkEndReason } from "../protocol/reasons.ts";
import type { Settings } from "../protocol/v2/wire/messages.ts";
import { Attention } from "./link/attention.ts";
import { bytesOnWire, LinkBytes } from "./link/day_bytes.ts";
import { FRUITLESS_HINT, FruitlessLinks } from "../net/dial/fruitless_links.ts";
import { LinkDriver } from "./link/driver.ts";
import { LinkFace } from "./link/face.ts";
import { channelReason, isResumable, type LinkEnd } from "./link/end.ts";
import type { ReceiveChunk } from "./link/receive_chunk.ts";
import type { SessionLinksOptions } from "./session_links_options.ts";
import type { SessionCarrier } from "./session.ts";
import type { Transport } from "../net/transport.ts";

/** Silence says nothing. */
const NO_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: -1, probeInterval: -1, probeCount: 0 };

/** Owns the transports of a session. */
export class SessionLinks implements SessionCarrier {
  /** Resolves when no further link can be attached, and the session has ended; never rejects. */
  readonly over: Promise<LinkEnd>;
  readonly ended: Promise<LinkEnd>;

  readonly #options: SessionLinksOptions;
  readonly #over = Promise.withResolvers<LinkEnd>();
  #driver: LinkDriver | undefined;
  #face: LinkFace | undefined;
  readonly #attention: Attention;
  readonly #bytes: LinkBytes;
  #end: LinkEnd | undefined;
  #interruptedAt: number | undefined;
  #cancelExpiry: () => void = () => {};
  #kept: LinkDriver | undefined; // fenced, and open until another has its place
  #fences = 0;
  readonly #fruitless = new FruitlessLinks();
  #linkDown = Promise.withResolvers<LinkEnd>();

  /** Without a link yet. */
  constructor(options: SessionLinksOptions) {
    this.#options = options;
    const { session, clock, keepAlive, leavesProbes = false } = options;
    this.#attention = new Attention({
      time: clock,
      adapts: session.options.adapts ?? false,
      leaves: leavesProbes,
      inUse: () => session.channelCount > 0,
    }, keepAlive);
    this.#bytes = new LinkBytes((bytes, carried) => options.onBytes?.(bytes, carried));
    this.over = this.#over.promise;
    this.ended = this.over.then((end) => this.#driver?.ended.then(() => end) ?? end);
  }

  /** Whether a link is up. */
  get online(): boolean {
    return this.#face !== undefined && this.#end === undefined;
  }

  /** Whether the session is over. */
  get done(): boolean {
    return this.#end !== undefined;
  }

  /** Since when no link is up, on the clock; `undefined` while one is. */
  get interruptedAt(): number | undefined {
    return this.done ? undefined : this.#interruptedAt;
  }

  /** Resolves when the link that is up has ended, or another takes its place; never rejects. */
  get linkDown(): Promise<LinkEnd> {
    return this.#linkDown.promise;
  }

  /** How many links in a row have carried nothing. */
  get fruitless(): number {
    return this.#fruitless.count;
  }

  /** How often a link was fenced: who began to resume says with it that nobody else has since. */
  get fences(): number {
    return this.#fences;
  }

  /** The connection of the link that is up, or was last. */
  get transport(): Transport {
    return this.#driver!.transport;
  }

  get chunk(): ReceiveChunk {
    return this.#driver!.chunk;
  }

  /** Milliseconds that the session outlives a link; 0: not at all. */
  get expiration(): number {
    return this.#options.expiration;
  }

  /** The longest silence accepted from the peer, now. */
  get keepAlive(): KeepAliveSettings {
    return this.#attention.own;
  }

  /** The longest silence that the peer accepts now, as it said. */
  get peerKeepAlive(): KeepAliveSettings | undefined {
    return this.#attention.peer;
  }

  /** Says to the peer what is in force on this side, and `more`. */
  introduce(more: Settings = {}): void {
    this.say({ ...this.#attention.said, ...more });
  }

  /** Changes the longest silence accepted from the peer, and says so. */
  setKeepAlive(plan: KeepAlivePlan, more: Settings = {}): void {
    this.#attention.plan = plan;
    this.#setKeepAlive();
    this.introduce(more);
  }

  /** Says to the peer what its keep-alive is to be. */
  wantKeepAlive(plan: KeepAlivePlan): void {
    this.say(this.wanted(plan));
  }

  /** The words for that. */
  wanted(plan: KeepAlivePlan): Settings {
    return this.#attention.wanted(plan);
  }

  /** Says something to the peer. */
  say(settings: Settings): void {
    if (this.done) return;
    this.#options.session.sendSettings(settings);
    this.rouse(); // until it is acknowledged
  }

  /** The peer said what is in force with it, or that somebody waits there. */
  hear({ keepAlive, idleKeepAlive, attention }: Settings): void {
    const before = this.#attention.yields;
    if (keepAlive) this.#attention.peerPlan = { waiting: keepAlive, idle: idleKeepAlive ?? keepAlive };
    if (this.#attention.yields !== before) this.#setKeepAlive();
    if (attention !== undefined) {
      this.#attention.attend(attention);
      this.rouse();
    }
  }

  /** Somebody waits for this session, and a dead link has to be found soon; a channel that is open says so for itself. */
  rouse(): void {
    if (!this.#bytes.inUse) this.count();
    if (this.#attention.rouse()) this.#setKeepAlive();
  }

  /** Looks at what the link has cost; it is told of now and then without. */
  count(): void {
    const driver = this.#driver;
    if (!driver) return;
    const { session } = this.#options;
    this.#bytes.look(bytesOnWire(driver.carried, driver.transport.kind === "tcp"), session.channelCount > 0);
  }

  /** Somebody looks at this session for `ms` milliseconds from now on: both sides probe as for a client. */
  attend(ms: number): void {
    const known = this.#attention.attend(ms);
    this.rouse();
    if (!known && this.#options.session.options.adapts) this.say({ attention: Math.round(ms) });
  }

  /** Bytes that wait to be written to the link that is up. */
  get pending(): number {
    return this.#face ? this.#driver!.pending : 0;
  }

  hold(): void {
    this.#driver?.hold();
  }

  unhold(): void {
    this.#driver?.unhold();
  }

  flushed(): Promise<void> {
    return this.#driver?.flushed() ?? Promise.resolve();
  }

  /**
   * A link is up, whose peer has received all before `position`; `rest` is what was read of it.
   *
   * @returns the bytes that were sent again.
   * @throws {ProtocolError} `bad-position`; the link is not attached then.
   */
  attach(transport: Transport, rest: Uint8Array, position = 0): number {
    const { session, clock, writeTimeout } = this.#options;
    const driver = new LinkDriver({
      transport,
      clock,
      writeTimeout,
      busyCopyMax: GATHER_MAX,
      chunkBudget: session.options.budget,
    });
    const replayed = session.attach({ output: driver, nagle: !transport.noDelay }, position);
    this.letGo();
    if (this.#driver) { // others may have been waiting, and a path that failed may fail again
      this.#attention.attend(RESUMED_WATCH_MS);
      this.#attention.rouse();
    }
    this.#fruitless.begin(session, clock.now());
    const face: LinkFace = new LinkFace(session, this.#fruitless.enough ? () => this.#onHeard(driver) : undefined);
    this.count(); // of the one before
    this.#bytes.begin(LINK_START_BYTES);
    this.#driver = driver;
    this.#face = face;
    this.#interruptedAt = undefined;
    this.#cancelExpiry();
    this.#linkDown = Promise.withResolvers<LinkEnd>();
    driver.ended.then((end) => this.#onEnded(face, end));
    driver.start(face, rest, {
      settings: this.#settings,
      probe: () => {
        session.ping();
        return true;
      },
      answers: () => true,
      patient: false,
      yields: this.#attention.yields,
      looked: () => this.count(),
      calmer: () => this.#attention.relax() ? { settings: this.#settings, yields: this.#attention.yields } : undefined,
    });
    return replayed;
  }

  /**
   * From here on nothing is applied that the link brings which is up: another is to take its place. With `keep` its
   * connection stays open until {@linkcode SessionLinks.attach} or {@linkcode SessionLinks.letGo}: the peer, who has not
   * heard of the other yet, would take its end for an interruption.
   *
   * @returns the position up to which was received.
   */
  fence(keep = false): number {
    const { session } = this.#options;
    this.#fences++;
    const face = this.#face;
    if (face) {
      this.#face = undefined;
      face.end();
      this.#kept = this.#driver!;
      this.#kept.setKeepAlive({ idleTimeout: -1, probeInterval: -1, probeCount: 0 }); // nobody answers there any more
      if (!keep) this.letGo();
      this.#interrupted({ reason: "replaced", detail: undefined });
    }
    return session.received;
  }

  /** Closes the connection of a link that was fenced and kept. Idempotent. */
  letGo(): void {
    this.#kept?.close("replaced");
    this.#kept = undefined;
  }

  /** Ends the session in order, once what was sent has been taken. */
  async finish(reason: LinkEndReason): Promise<void> {
    const face = this.#face;
    if (face) await this.#driver!.finish(reason);
    this.#finish({ reason, detail: undefined });
  }

  /** Ends the session at once. Idempotent. */
  close(reason: LinkEndReason, detail?: string): void {
    if (this.#face) this.#driver!.close(reason, detail);
    this.#finish({ reason, detail });
  }

  /** Ends the link that is up, as `dropped`: the session waits for another, or is over where it waits for none. */
  drop(): void {
    if (this.#face) this.#driver!.close("dropped");
  }

  /** Ends the session, but its peer has a moment to hear what was sent. Idempotent. */
  dismiss(reason: LinkEndReason, detail?: string): void {
    if (this.done) return;
    if (this.#face) this.#driver!.dismiss(reason, detail);
    this.#finish({ reason, detail });
  }

  /** Something came on a link after several that carried nothing. @returns whether it is as others from now on. */
  #onHeard(driver: LinkDriver): boolean {
    if (!this.#fruitless.look(this.#options.session)) return false;
    driver.setKeepAlive(this.keepAlive, this.#attention.yields);
    return true;
  }

  /** What is in force on the link that is up. */
  get #settings(): KeepAliveSettings {
    return this.#fruitless.patient(this.keepAlive);
  }

  #setKeepAlive(): void {
    if (this.#face) this.#driver!.setKeepAlive(this.#settings, this.#attention.yields); // not one that is fenced
  }

  #onEnded(face: LinkFace, end: LinkEnd): void {
    if (face !== this.#face) return; // another has taken its place
    this.#face = undefined;
    this.count();
    if (this.done) return;
    if (this.expiration > 0 && isResumable(end.reason)) this.#interrupted(end);
    else this.#finish(end);
  }

  #interrupted(end: LinkEnd): void {
    const { clock } = this.#options;
    this.#interruptedAt = clock.now();
    if (this.#fruitless.end(this.#options.session, clock.now())) this.#options.onFruitless?.(FRUITLESS_HINT);
    this.#cancelExpiry();
    this.#cancelExpiry = clock.after(this.expiration, () => {
      this.#finish({ reason: "expired", detail: end.detail ? `${end.reason}: ${end.detail}` : end.reason });
    });
    this.#options.onInterrupted(end);
    this.#linkDown.resolve(end);
  }

  #finish(end: LinkEnd): void {
    if (this.#end) return;
    const { session } = this.#options;
    this.#end = { ...end, clients: session.channelCount };
    this.#cancelExpiry();
    this.letGo();
    session.end(channelReason(end.reason));
    this.#linkDown.resolve(this.#end);
    this.#over.resolve(this.#end);
  }
}
