/**
 * A device's link on the server: its host listeners and its clients.
 *
 * @module
 */

import { MAX_ID_WAIT_MS, RESERVED_IDS, SHORT_ID_WAIT_MS } from "../limits.ts";
import { siteOf } from "../../protocol/address_group.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { V1ServerLink } from "../../protocol/v1/server_link.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import { LinkDriver } from "../../relay/link/driver.ts";
import { type LinkEnd, linkEndLevel } from "../../relay/link/end.ts";
import { Session } from "../../relay/session.ts";
import type { Connection } from "../../net/socket.ts";
import { paceSettings, settingsPace } from "../../net/tcp_keep_alive.ts";
import type { SocketTransport } from "../../net/transport.ts";
import { sleep } from "../../base/clock.ts";
import type { ServedV1Link } from "./link_status.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import { tellClientEnd } from "../ports/client_end.ts";
import type { ServerEvent } from "../events.ts";
import { HeldClients } from "./held_clients.ts";
import { IdShares } from "./id_shares.ts";
import type { KeptPorts } from "../ports/kept_ports.ts";
import type { ClientEntry } from "../ports/client_table.ts";
import type { HostPort, HostPortOwner } from "../ports/host_port.ts";
import { ForwardPorts } from "./forward_ports.ts";
import type { OpenForward } from "./forward_table.ts";
import type { ServerSettings } from "../options.ts";
import { type WaitingClient, WaitingClients } from "./waiting_clients.ts";

/** What a device showed of itself when it was asked. */
export type Presence =
  /** A byte. */
  | "answers"
  /** No byte, but it took some of what waits for it. */
  | "takes"
  /** Nothing that could be seen: a slow client pauses the reading of the link. */
  | "held"
  /** Nothing, and it could not be asked: all client ids are in use. */
  | "unaskable"
  /** Nothing. */
  | "gone";

export interface V1SessionOptions {
  /** The connection to the device; the session closes it. */
  readonly transport: SocketTransport;
  /** The address really bound of the listener that the device came to. */
  readonly listenAddress: string;
  readonly settings: ServerSettings;
  /** The longest silence accepted from the device. */
  readonly keepAlive: KeepAliveSettings;
  /** The ports that port 0 came to before, by forward. */
  readonly keptPorts: KeptPorts;
  /** Where clients may come, at first. */
  readonly forwards: readonly OpenForward[];
  emit(event: ServerEvent): void;
}

/** The life of one link on the server. */
export class V1Session extends Session<LinkDriver> implements HostPortOwner {
  readonly settings: ServerSettings;
  /** Resolves when the link is down and its host ports are free; never rejects. */
  readonly down: Promise<void>;

  readonly #options: V1SessionOptions;
  readonly #link: V1ServerLink;
  readonly #since: number;
  readonly #sinceWall: number;
  readonly #ports: ForwardPorts;
  readonly #shares = new IdShares();
  readonly #waiting: WaitingClients;
  readonly #held: HeldClients;

  /** Takes over a connection whose first bytes are `opening`. */
  constructor(options: V1SessionOptions, opening: Uint8Array) {
    const { transport, settings } = options;
    const { clock, linkWriteTimeout, halfCloseTimeout, heldCount } = settings;
    const driver = new LinkDriver({ transport, clock, writeTimeout: linkWriteTimeout });
    super(driver, "client", settings);
    this.#options = options;
    this.#ports = new ForwardPorts(options.forwards, this, options.keptPorts);
    this.settings = settings;
    this.#held = new HeldClients(clock, halfCloseTimeout, heldCount);
    this.#since = clock.now();
    this.#sinceWall = clock.wall();
    this.#link = new V1ServerLink(driver, clock, {
      onListening: () => this.#onListening(),
      onIdFree: () => this.#serveWaiting(),
    });
    this.#waiting = new WaitingClients(clock, (client) => this.#refuse(client, "too-many-channels"));
    this.down = driver.ended.then((end) => this.#onDown(end));
    driver.start(this.#link, opening);
    this.setKeepAlive(options.keepAlive);
  }

  /** Changes the longest silence accepted from the device's system. */
  setKeepAlive(settings: KeepAliveSettings): void {
    this.links.watchPeer(this.#options.transport.duplex, settingsPace(settings));
  }

  /** The link as it is now. */
  get status(): ServedV1Link {
    const { transport, listenAddress } = this.#options;
    const pace = transport.duplex.keepAlive();
    return {
      listen: listenAddress,
      device: this.device,
      since: this.#sinceWall,
      clients: this.#link.channelCount,
      services: this.#ports.services,
      keepAlive: pace && paceSettings(pace),
      tcp: transport.tcp(),
    };
  }

  /** Other forwards are in force. */
  setForwards(forwards: readonly OpenForward[]): void {
    this.#ports.set(forwards);
  }

  /** Where the device dialled from. */
  get device(): string {
    return this.#options.transport.remote;
  }

  emit(event: ServerEvent): void {
    this.#options.emit(event);
  }

  /**
   * Asks the device whether it lives, and says `timeout` milliseconds later at the latest what it showed of itself since.
   * Bytes that wait for it do not put that off: whoever takes none of them, and says nothing, is gone.
   */
  async probe(timeout: number): Promise<Presence> {
    const { clock } = this.settings;
    const driver = this.links;
    const asked = clock.now();
    const { written, pending } = driver;
    const isAsked = this.#link.challenge();
    const shown = new AbortController();
    Promise.race([driver.ended, driver.heardAfter(asked)]).then(() => shown.abort());
    await sleep(clock, timeout, shown.signal);
    if (this.done) return "gone";
    if (driver.heardAt > asked) return "answers";
    if (driver.isHeld) return "held";
    // More went out of what waited when it was asked: it acknowledges what its way is full of, also if all is out by now.
    if (pending + driver.pending > 0) return driver.written > written ? "takes" : "gone";
    return isAsked ? "gone" : "unaskable";
  }

  /** Ends in order: no new clients; the rest as any session does. */
  override shutdown(): Promise<void> {
    this.#ports.close();
    this.#waiting.expireAll();
    return super.shutdown();
  }

  /** Resolves when the link is down, its host ports are free, and its clients are closed. */
  override async ended(): Promise<void> {
    await this.down;
    await super.ended();
  }

  onClient(conn: Connection, address: string, port: HostPort): void {
    if (this.settings.drains.refuses(undefined)) {
      conn.reset();
      return this.#clientEnded(address, port, nothingCarried("draining"), undefined);
    }
    const pass = this.#ports.of(port).gate.enter(address);
    if ("refused" in pass) {
      conn.reset();
      return this.#clientEnded(address, port, nothingCarried(pass.refused), pass.why);
    }
    const from = { service: port, site: siteOf(address) };
    const entered = this.settings.capacity.client(from);
    const refused = "refused" in entered ? entered : undefined;
    const shapedConn = pass.shape(conn);
    const entry = refused ? undefined : this.#show(port, shapedConn, address, () => client);
    const left = () => {
      if (typeof entered === "function") entered();
      pass.leave();
      if (entry) this.settings.clients.delete(entry);
    };
    const client: WaitingClient = { ...from, conn: shapedConn, address, pass, entry, left };
    if (this.done) return this.#refuse(client, "link-lost");
    if (refused) {
      this.#held.giveUp(); // so that there is room for the next one
      return this.#refuse(client, refused.refused, refused.why);
    }
    this.#link.reclaim();
    this.pumps.makeRoom(this.#link.channelCount);
    if (this.#waiting.size === 0 && this.#mayOpen(port) && this.#open(client)) return this.#makeRoom();
    this.#makeRoom(this.#waiting.size + 1);
    const wait = this.#link.unconfirmedIds > this.#waiting.size ? MAX_ID_WAIT_MS : SHORT_ID_WAIT_MS;
    this.#waiting.add(client, wait);
    this.#serveWaiting(); // it may have an id of its own service's, while those ahead wait for one of theirs
  }

  /** A client is shown from now on. */
  #show(port: HostPort, conn: Connection, address: string, client: () => WaitingClient): ClientEntry {
    const place = () => ({ device: undefined, service: port.localAddress, hostAddress: port.address });
    return this.settings.clients.add(address, place, () => {
      this.#waiting.delete(conn);
      this.#refuse(client(), "closed-by-admin");
    });
  }

  onExhausted(): void {
    this.#held.giveUp();
  }

  /** Gives a client a channel, if there is an id. */
  #open(holder: WaitingClient): boolean {
    const { conn, address: client, service: port } = holder;
    const { logger } = this.settings;
    const channel = this.#link.open(this.#ports.of(port).forward.localAddress);
    if (!channel) return false;
    this.#shares.add(holder);
    logger.debug("client {client} connected to {hostAddress}, id {id}", {
      client,
      hostAddress: port.address,
      id: channel.id,
    });
    const pump = this.pumps.add(channel, port);
    pump.onHalfClosed = () => {
      this.#held.add(pump);
      if (this.#waiting.size > 0) this.#makeRoom(this.#waiting.size);
    };
    if (holder.entry) holder.entry.pump = pump;
    pump.attach(conn);
    holder.pass.serve(pump);
    pump.done.then((summary) => {
      this.#held.delete(pump);
      this.#shares.delete(holder);
      holder.left();
      this.#clientEnded(client, port, summary);
    });
    return true;
  }

  #mayOpen(port: HostPort): boolean {
    return this.#shares.mayOpen(port, this.#ports.all, this.#link.freeIds);
  }

  /** Those who wait have what ids there are, first who has fewest already. */
  #serveWaiting(): void {
    while (this.#waiting.size > 0 && this.#link.freeIds > 0) {
      const load = this.#shares.loads(this.#ports.all, this.#link.freeIds);
      const client = this.#waiting.take(load);
      if (!client) return;
      if (!this.#open(client)) return this.#refuse(client, "too-many-channels");
    }
  }

  #refuse({ conn, address, service, left }: WaitingClient, reason: ChannelEndReason, error?: string): void {
    conn.reset();
    left();
    this.#clientEnded(address, service, nothingCarried(reason), error);
  }

  /**
   * Keeps ids at hand, and one for each who waits: the oldest clients that have finished writing are ended, and their ids
   * come free when the device confirms.
   */
  #makeRoom(waiting = 0): void {
    let missing = RESERVED_IDS + waiting - this.#link.freeIds - this.#link.unconfirmedIds;
    for (const pump of this.pumps) {
      if (missing <= 0) return;
      if (!pump.halfClosed) continue;
      pump.end("client-finished");
      missing--;
    }
  }

  #onListening(): void {
    const { listenAddress: listen } = this.#options;
    this.settings.logger.info("link up: device {device} on {listen}", { device: this.device, listen });
    this.emit({ type: "link-up", listen, device: this.device, remote: this.device });
    this.#ports.open();
  }

  #clientEnded(client: string, port: HostPort, summary: ChannelSummary, error?: string): void {
    const { address: hostAddress, localAddress } = port;
    tellClientEnd(this, { client, hostAddress, localAddress, device: undefined, error }, summary);
  }

  /** The driver has told the channels; what came for their clients is still being delivered. */
  async #onDown(end: LinkEnd): Promise<void> {
    this.#waiting.expireAll();
    await this.#ports.close();
    const facts = {
      listen: this.#options.listenAddress,
      device: this.device,
      remote: this.device,
      reason: end.reason,
      detail: end.detail,
      duration: Math.round(this.settings.clock.now() - this.#since),
    };
    const { logger } = this.settings;
    if (!this.#link.listening) {
      const why = end.detail ?? end.reason;
      const reason = end.reason === "protocol-error" ? "stranger" : "cut";
      logger.warn("refused {remote} on {listen}: {why}", { remote: this.device, listen: facts.listen, why });
      this.emit({ type: "refused", listen: facts.listen, remote: this.device, reason, why });
      return;
    }
    logger[linkEndLevel(end.reason)](
      end.detail
        ? "link down: device {device}, {reason} ({detail}), {duration} ms"
        : "link down: device {device}, {reason}, {duration} ms",
      { ...facts, ...this.#link.counters },
    );
    this.emit({ type: "link-down", ...facts });
  }
}
