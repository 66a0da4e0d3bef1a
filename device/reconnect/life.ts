/**
 * The life of a device: one link after the other, until it is closed.
 *
 * @module
 */

import { LASTING_LINK_MS } from "../limits.ts";
import { formatAddress } from "../../protocol/address.ts";
import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { Endpoint, KeepAliveChoice } from "../../protocol/keep_alive.ts";
import { HandshakeError } from "../../protocol/v2/wire/handshake.ts";
import type { DeviceMode } from "../../protocol/v2/wire/messages.ts";
import { sleep } from "../../base/clock.ts";
import { Emitter } from "../../base/emitter.ts";
import { describeError } from "../../base/errors.ts";
import * as check from "../../relay/option_check.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { checkService } from "../check_options.ts";
import type { DeviceClient } from "../clients.ts";
import type { DeviceConnectionEvent, DeviceConnectionLostEvent, DeviceEvent } from "../events.ts";
import type { DeviceHandle, DeviceState, DeviceStatus } from "../handle.ts";
import type { LinkLife, LinkMaker, MadeLink } from "./link_maker.ts";
import { downOrMoving, type LinkEnds, sleepOrChanged, untilChanged, WayChanged } from "./network_change.ts";
import type { DeviceOptions, DeviceSettings } from "../options.ts";
import type { NamedService } from "../v2/named_service.ts";
import { Retry } from "./retry.ts";
import { connections, losses, withoutServer } from "./server_calls.ts";
import { Tidings } from "./tidings.ts";
import { Ways } from "./ways.ts";
import { Wishes } from "./wishes.ts";
import { V1LinkMaker } from "../v1/link_maker.ts";
import { V2LinkMaker } from "../v2/link_maker.ts";

/** See {@linkcode DeviceHandle}. */
export class Device implements DeviceHandle {
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  #state: DeviceState = "connecting";
  #since: number; // when it came there, by the wall clock
  #sessionSince: number | undefined;

  readonly #settings: DeviceSettings;
  readonly #emitter: Emitter<DeviceEvent>;
  readonly #tidings: Tidings;
  readonly #retry: Retry;
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #maker: LinkMaker;
  #link: LinkLife | undefined;
  #ends: LinkEnds | undefined; // of the last one
  #upSince = 0; // when the link came up, on the clock
  #interrupted = false; // whether it was told that the session waits
  #mayHurry = true; // whether a change of the network ends the wait: not if the server said when to come back
  /** Links, and what goes on without them: sessions that wait, services that still take what came. */
  readonly #leaving = new Set<LinkLife>();
  /** The link whose end {@linkcode Device.#stay} tells. */
  #watched: LinkLife | undefined;
  #attempt = 0;
  #name: string | undefined;
  #goodbye: Goodbye | undefined;
  /** What ended it, if nobody asked for that. */
  #failure: { readonly why: string; readonly error: unknown } | undefined;
  #isCompatible: boolean | undefined;
  /** Whether it brings a token: until a server has taken it, it may be refused for good. */
  readonly #enrolling: boolean;
  readonly #profile: DeviceOptions["profile"];
  readonly #wishes: Wishes;
  /** Changes where it dials. */
  readonly ways: Ways;

  /** Dials from the next turn of the event loop on. */
  constructor(options: DeviceOptions, settings: DeviceSettings) {
    this.#settings = settings;
    this.#since = settings.clock.wall();
    this.#profile = options.profile;
    this.#emitter = new Emitter(settings.logger);
    this.#tidings = new Tidings(settings.logger, settings.clock, this.#emitter);
    this.#retry = new Retry(settings.random);
    this.#wishes = new Wishes(settings.clock, settings.random);
    this.#enrolling = options.profile === "v2" && options.enrolment !== undefined;
    const emit = (event: DeviceEvent) => this.#emitter.emit(event);
    this.#maker = options.profile === "v1"
      ? new V1LinkMaker(options, settings, emit)
      : new V2LinkMaker(options, settings, emit);
    this.ways = new Ways(this.#maker, this.#wishes, () => this.#link);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever does not wait for it sees `closed`
    this.closed = this.#run();
  }

  get state(): DeviceState {
    return this.#state;
  }

  get status(): DeviceStatus {
    const ends = this.#link && this.#ends;
    return {
      profile: this.#profile,
      state: this.state,
      since: this.#since,
      sessionSince: this.#leaving.size > 0 ? this.#sessionSince : undefined,
      local: ends?.local,
      remote: ends?.remote,
      server: this.#server,
      name: this.#name,
      isCompatible: this.#isCompatible,
      goodbye: this.#goodbye,
      outage: this.#tidings.gap,
      ...this.#maker.facts,
    };
  }

  setKeepAliveSettings(settings: KeepAliveChoice, endpoint: Endpoint): Promise<void> {
    check.keepAliveChoice(settings, "settings");
    check.endpoint(endpoint, "endpoint");
    this.#maker.setKeepAlive(settings, endpoint);
    if (endpoint === "device" || this.state === "online") return Promise.resolve();
    return withoutServer(this.#server, this.#isCompatible, this.#goodbye);
  }

  setMode(mode: Exclude<DeviceMode, "init">, drain = 0): void {
    check.word("config", "run")(mode, "mode");
    check.milliseconds(0)(drain, "drain");
    this.#maker.setMode(mode, drain);
  }

  clients(): DeviceClient[] {
    return this.#settings.clients.list();
  }

  get clientsEver(): number {
    return this.#settings.clients.total;
  }

  closeClient(id: number): boolean {
    return this.#settings.clients.end(id, "closed-by-admin");
  }

  reconnect(): void {
    this.#wishes.dialSoon();
    this.#maker.drop();
  }

  putService(service: NamedService): void {
    checkService(service, this.#settings.engine);
    this.#maker.putService(service);
  }

  takeService(name: string): boolean {
    return this.#maker.takeService(name);
  }

  subscribe(subscriber: (event: DeviceEvent) => void): () => void {
    return this.#emitter.subscribe(subscriber);
  }

  subscribeConnection(subscriber: (event: DeviceConnectionEvent) => void): () => void {
    return this.subscribe(connections(subscriber));
  }

  subscribeConnectionLost(subscriber: (event: DeviceConnectionLostEvent) => void): () => void {
    return this.subscribe(losses(subscriber));
  }

  async shutdown(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#leaving].map((link) => link.shutdown()));
    await this.closed;
  }

  close(): void {
    this.#stop.abort();
    for (const link of this.#leaving) link.close("shutting-down");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #enter(state: DeviceState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#since = this.#settings.clock.wall();
  }

  get #server(): string {
    return formatAddress(this.#maker.server);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await undefined; // in a turn of its own, so that whoever subscribes to the handle hears of the first try
    this.#maker.start();
    while (!signal.aborted) {
      const retryIn = await this.#once();
      if (retryIn === undefined) break;
      if (this.state !== "interrupted" && !this.#link) this.#enter("waiting");
      if (retryIn > 0) await this.#wait(retryIn, signal);
    }
    this.#wishes.close();
    await Promise.all([this.#maker.close(), ...[...this.#leaving].map((link) => link.ended())]);
    this.#enter("closed");
    const { why, error } = this.#failure ?? { why: "the device is closed", error: undefined };
    this.#ready.reject(new Error(`Cannot become ready: ${why}`, { cause: error }));
  }

  /** Waits for the next try; a network that is back ends the wait, and the pace begins anew. */
  async #wait(retryIn: number, signal: AbortSignal): Promise<void> {
    const wait = AbortSignal.any([signal, this.#wishes.hurry]);
    if (!this.#mayHurry) return await sleep(this.#settings.clock, retryIn, wait);
    if (!await sleepOrChanged(retryIn, this.#ends?.remote, this.#settings, wait)) return;
    this.#settings.logger.info("the network has changed: dialling {server} at once", { server: this.#server });
    this.#retry.reset();
  }

  /** One dial, and one link if it succeeds. @returns how long to wait for the next, or `undefined` for no next. */
  async #once(): Promise<number | undefined> {
    const { logger } = this.#settings;
    const { signal } = this.#stop;
    const moving = this.#link; // still up: only its network has changed
    if (!moving) this.#enter("connecting");
    const dialled = this.#server;
    this.#emitter.emit({ type: "connecting", server: dialled, attempt: ++this.#attempt });
    this.#wishes.begin();
    let made: MadeLink;
    // A way that is there only now is not tried by packets that have been sent another way.
    const dial = untilChanged(this.#ends?.remote, this.#settings, signal);
    try {
      made = await this.#maker.make(dial.signal, () => {
        dial.stop();
        if (!moving) this.#enter("handshaking");
        this.#emitter.emit({ type: "handshaking", server: dialled });
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof WayChanged) return 0;
      if (!moving) return this.#failed(dialled, error);
      if (moving.interruptedAt !== undefined) {
        this.#tellInterrupted(dialled, moving, { reason: "replaced", detail: "the move to another link failed" }, 0);
        return this.#failed(dialled, error);
      }
      logger.info("cannot move to another link: {error}; the old one goes on", { error: describeError(error) });
      this.#wishes.failed();
      return await this.#stay(dialled, moving, this.#ends);
    } finally {
      dial.stop();
    }
    const { link, local, remote, device, resumed } = made;
    const server = this.#server; // with several, the one that answered
    this.#wishes.done();
    this.#link = link;
    this.#upSince = this.#settings.clock.now();
    this.#ends = { local, remote };
    if (signal.aborted) link.close("shutting-down");
    this.#enter("online");
    this.#name = device;
    this.#goodbye = undefined;
    this.#isCompatible = true;
    // Before anybody hears of it, who may shut down at once.
    if (!resumed) {
      this.#leaving.add(link);
      this.#sessionSince = this.#settings.clock.wall();
    }
    this.#tidings.up(server, made);
    if (!resumed) {
      link.over.then((end) => this.#onOver(server, link, end));
      link.ended().then(() => this.#leaving.delete(link));
    }
    this.#ready.resolve();
    return await this.#stay(server, link, this.#ends);
  }

  /**
   * Waits for the end of a link between `ends`, or for a change of the way between them under a session that can move.
   *
   * @returns how long to wait for the next link, or `undefined` for no next.
   */
  async #stay(server: string, link: LinkLife, ends: LinkEnds | undefined): Promise<number | undefined> {
    const { clock, logger } = this.#settings;
    this.#retry.linkUp();
    this.#watched = link;
    const end = await downOrMoving(link, this.#settings.reconnect ? ends : undefined, this.#settings, this.#wishes);
    if ("moves" in end) {
      this.#watched = undefined;
      this.#interrupted = false;
      link.down.then((end) => {
        // Not if it is let go for the other one, nor if that has its place, nor if it is watched again.
        if (end.reason !== "replaced" && this.#watched === undefined) this.#tellInterrupted(server, link, end, 0);
      });
      logger.info("{why}: dialling {server} anew, while the link goes on", { why: end.moves, server: this.#server });
      return 0;
    }
    this.#link = undefined;
    this.#maker.lost();
    const duration = Math.round(clock.now() - this.#upSince);
    if (duration >= LASTING_LINK_MS || link.served) {
      this.#retry.reset();
      this.#attempt = 0;
    }
    this.#goodbye = link.goodbye;
    this.#mayHurry = link.goodbye?.comeBackAfter === undefined;
    if (link.interruptedAt !== undefined && !this.#stop.signal.aborted && this.#settings.reconnect) {
      const retryIn = this.#retry.soon();
      this.#watched = undefined;
      this.#interrupted = false;
      this.#tellInterrupted(server, link, end, retryIn);
      return retryIn;
    }
    if (link.interruptedAt !== undefined) link.close(end.reason); // there will be no other link
    const retryIn = this.#retryIn(link.goodbye);
    this.#tidings.down(server, end, link, duration, retryIn, this.#name !== undefined);
    return retryIn;
  }

  /** A session waits for another link: told once. */
  #tellInterrupted(server: string, link: LinkLife, end: Pick<LinkEnd, "reason" | "detail">, retryIn: number): void {
    if (this.#interrupted || link.interruptedAt === undefined || this.#stop.signal.aborted) return;
    this.#interrupted = true;
    this.#link = undefined;
    this.#enter("interrupted");
    this.#tidings.interrupted(server, end, Math.round(link.interruptedAt - this.#upSince), retryIn);
  }

  /** A session is over; if it waited for a link, nobody has been told yet. */
  #onOver(server: string, link: LinkLife, end: LinkEnd): void {
    if (this.#watched === link) return;
    this.#tidings.lost(server, end, this.#stop.signal.aborted ? undefined : 0, this.#interrupted);
  }

  /** No link came about. */
  #failed(server: string, error: unknown): number | undefined {
    const word = error instanceof HandshakeError ? error.goodbye : undefined;
    if (word) [this.#goodbye, this.#isCompatible] = [word, word.code !== "incompatible"];
    const waits = [...this.#leaving].some((link) => link.interruptedAt !== undefined);
    const retryIn = waits && !word ? this.#retry.soon() : this.#retryIn(word);
    this.#mayHurry = word?.comeBackAfter === undefined;
    const why = this.#tidings.failed(server, error, retryIn);
    if (retryIn === undefined && !this.#stop.signal.aborted) this.#failure = { why, error };
    return retryIn;
  }

  /** When to dial next, or `undefined` for no next. */
  #retryIn(word: Goodbye | undefined): number | undefined {
    if (this.#stop.signal.aborted || !this.#settings.reconnect) return undefined;
    // Nothing else ends a device: a word that anybody may have said must not cost somebody a journey to it.
    const isRefused = word?.code === "bad-enrolment" && word.comeBackAfter === Infinity;
    return isRefused && this.#enrolling && this.#name === undefined ? undefined : this.#retry.after(word);
  }
}
