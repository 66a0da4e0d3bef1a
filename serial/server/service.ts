/**
 * A serial service: one line, its user, and who watches.
 *
 * @module
 */

import { type Clock, systemClock } from "../../base/clock.ts";
import { type Logger, silentLogger } from "../../base/logger.ts";
import type { Connection } from "../../net/socket.ts";
import { parseSerialEndpoint, type SerialEndpoint } from "../endpoint.ts";
import { type LineOpener, SerialError } from "../line/line.ts";
import type { LineCalls } from "../line/line_calls.ts";
import { openTty, whyNoTty } from "../line/tty.ts";
import { formatSettings, type LineSettings } from "../settings.ts";
import { LineClient } from "./client.ts";
import { isAsAsked, LineHub } from "./hub.ts";

/** What a service stands on; all of it has a default. */
export interface SerialServiceOptions {
  /** Where log lines go. @default {silentLogger} */
  readonly logger?: Logger;
  /** Time. @default {systemClock} */
  readonly clock?: Clock;
  /** The system calls. @default those of this machine */
  readonly calls?: LineCalls | undefined;
  /** What opens the line. @default one of the kernel's */
  readonly open?: LineOpener;
  /** Where lock files are. @default {"/run/lock"} */
  readonly lockFolder?: string | undefined;
}

/** How a service stands. */
export interface SerialStatus {
  /** `open`; `gone` and waited for; `closed`, as nobody uses it. */
  readonly state: "open" | "gone" | "closed";
  /** How the line is set, as in `115200 8n1`. */
  readonly settings: string;
  /** Its clients, the user first. */
  readonly clients: readonly SerialClientStatus[];
  /** Bytes that clients lost since the service is there, as they were slow. */
  readonly lost: number;
}

/** A client of a line. */
export interface SerialClientStatus {
  /** Where it comes from. */
  readonly address: string;
  /** Whether it uses the line; otherwise it watches. */
  readonly isUser: boolean;
  /** When it came, in milliseconds since 1970. */
  readonly since: number;
  /** Bytes that it lost, as it was slow. */
  readonly lost: number;
}

/**
 * Opens a service on the line that `spec` names, as {@linkcode parseSerialEndpoint} reads it. The line itself is opened for
 * the first client.
 *
 * @throws {SyntaxError} with what was wrong and what would do. {SerialError} if this machine cannot have any.
 */
export function openSerialService(spec: string | SerialEndpoint, options: SerialServiceOptions = {}): SerialService {
  return new SerialService(typeof spec === "string" ? parseSerialEndpoint(spec) : spec, options);
}

/** One line, and its clients. */
export class SerialService {
  /** What people call the line. */
  readonly name: string;
  readonly #endpoint: SerialEndpoint;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hub: LineHub;
  readonly #clients = new Set<LineClient>();
  #lost = 0; // by those who have gone

  /** See {@linkcode openSerialService}. */
  constructor(endpoint: SerialEndpoint, { logger = silentLogger, clock = systemClock, ...rest }: SerialServiceOptions) {
    const { path, line, lock, share, replug } = endpoint;
    const { calls, open, lockFolder } = rest;
    const lacking = open || calls ? undefined : whyNoTty(path);
    if (lacking !== undefined) throw new SerialError(lacking, { isLacking: true });
    const machine = { clock, lockFolder, ...(calls && { calls }) };
    const name = this.name = path;
    this.#endpoint = endpoint;
    this.#clock = clock;
    this.#log = logger;
    this.#hub = new LineHub({
      name,
      settings: line,
      open: open ?? ((settings: LineSettings) => openTty(path, settings, lock ? "locked" : "shared", machine)),
      isShared: share === "read",
      keeps: replug === "keep",
      clock,
      onOpen: (settings, isBack) => {
        const facts = { name, settings: formatSettings(settings) };
        logger.info(isBack ? "{name} is back, at {settings}" : "{name} is open, at {settings}", facts);
        if (!isBack && !isAsAsked(line, settings)) {
          logger.warn("{name} is at {settings}, and not at {asked}: its driver takes no more of that", {
            ...facts,
            asked: formatSettings(line),
          });
        }
      },
      onGone: (error) => {
        const line = replug === "keep" ? "{name}: {error}; its clients wait for it" : "{name}: {error}";
        logger.warn(line, { name, error });
      },
      onClose: () => logger.info("{name} is closed", { name }),
    });
  }

  /** How it stands. */
  get status(): SerialStatus {
    const { state, settings } = this.#hub;
    const clients = [...this.#clients].map(({ address, isUser, since, lost }) => ({ address, isUser, since, lost }));
    return {
      state,
      settings: formatSettings(settings),
      lost: clients.reduce((sum, { lost }) => sum + lost, this.#lost),
      clients: clients.toSorted((a, b) => Number(b.isUser) - Number(a.isUser)),
    };
  }

  /**
   * Lets a client to the line. Where clients speak telnet, one that cannot have it is told so in a line, and ended.
   *
   * @param address where it comes from, for people.
   * @throws {SerialError} where clients speak no telnet.
   */
  async connect(address: string): Promise<Connection> {
    const { name } = this;
    const isTelnet = this.#endpoint.control === "rfc2217";
    const client = new LineClient({
      hub: this.#hub,
      clock: this.#clock,
      address,
      name,
      isTelnet,
      onEnd: (client, why) => {
        this.#clients.delete(client);
        const { lost } = client;
        this.#lost += lost;
        const line = lost > 0
          ? "client {address} of {name} ended: {why}; {lost} B were lost, as it was slow"
          : undefined;
        this.#log.info(line ?? "client {address} of {name} ended: {why}", { address, name, why, lost });
      },
      onLoss: () => {
        this.#log.warn("client {address} of {name} is slow: the oldest bytes are dropped", { address, name });
      },
    });
    try {
      await client.join();
    } catch (error) {
      if (!(error instanceof SerialError) || !isTelnet) throw error;
      this.#log.info("client {address} is refused: {error}", { address, error: error.message });
      client.dismiss(error.message);
      return client;
    }
    this.#clients.add(client);
    this.#log.info(client.isUser ? "client {address} has {name}" : "client {address} watches {name}", {
      address,
      name,
    });
    return client;
  }

  /** Opens the line and closes it, if nobody has it. @throws {SerialError} with one line for people. */
  probe(): Promise<void> {
    return this.#hub.probe();
  }

  /** Ends all clients, sets the line as it was, and closes it. Idempotent. */
  close(): void {
    this.#hub.close();
  }
}
