/**
 * A device that does what the wire's description says, and no more.
 *
 * @module
 */

import { CLOSE, CONNECT, DATA, describeFrame, type Header, LISTEN, NaiveLink, readConnectPayload } from "./link.ts";
import { type DeviceQuirks, LUA_DEVICE } from "./quirks.ts";

/** Dials a server and serves its CONNECTs, for the life of one link. */
export class NaiveDevice implements AsyncDisposable {
  /** What the server did that the description forbids. */
  readonly violations: string[] = [];
  /** Resolves when the link has ended and every service is closed. */
  readonly ended: Promise<void>;

  readonly #quirks: DeviceQuirks;
  readonly #link: NaiveLink;
  readonly #services = new Map<number, Deno.TcpConn>();
  /** Ids whose last word was the server's CLOSE, and those that were never opened: no DATA may come for them. */
  readonly #closedByServer = new Set(Array.from({ length: 256 }, (_, id) => id));
  readonly #readers = new Set<Promise<void>>();

  private constructor(link: NaiveLink, quirks: DeviceQuirks) {
    this.#link = link;
    this.#quirks = quirks;
    this.ended = this.#run();
  }

  /** Dials, and sends LISTEN. */
  static async start(serverPort: number, quirks: Partial<DeviceQuirks> = {}): Promise<NaiveDevice> {
    const all = { ...LUA_DEVICE, ...quirks };
    const link = await NaiveLink.dial(serverPort, all.split);
    const listen = Uint8Array.of(0, 0, LISTEN, 0);
    if (all.splitListen) await link.sendRaw(...Array.from(listen, (byte) => Uint8Array.of(byte)));
    else await link.sendRaw(listen);
    return new NaiveDevice(link, all);
  }

  /** Services that are connected. */
  get open(): number {
    return this.#services.size;
  }

  async stop(): Promise<void> {
    this.#link.close();
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    for (;;) {
      const header = await this.#link.readHeader();
      if (header === null || !await this.#take(header)) break;
    }
    this.#link.close();
    for (const conn of this.#services.values()) conn.close();
    this.#services.clear();
    await Promise.all(this.#readers);
    await this.#link.flushed();
  }

  /** Handles a frame. Returns false if the link ended in the middle of it. */
  async #take(header: Header): Promise<boolean> {
    const { command, id, size } = header;
    const known = command === CONNECT || command === CLOSE || command === DATA;
    const wrong = !known || (command === CLOSE ? size > 0 : size === 0);
    if (wrong) this.violations.push(describeFrame(header));
    if (!known && !this.#quirks.skipUnknown) return true;
    const payload = await this.#link.readBytes(size);
    if (payload === null) return false;
    if (wrong) return true;
    if (command === CONNECT) await this.#connect(id, payload);
    else if (command === DATA) await this.#data(id, payload, header);
    else this.#close(id);
    return true;
  }

  async #connect(id: number, payload: Uint8Array): Promise<void> {
    const old = this.#services.get(id);
    if (old) {
      this.violations.push(`CONNECT ${id} while it is open`);
      old.close();
    }
    this.#closedByServer.delete(id);
    const { host, port } = readConnectPayload(payload);
    let conn: Deno.TcpConn;
    try {
      conn = await Deno.connect({ hostname: host, port });
    } catch {
      this.#services.delete(id);
      await this.#link.send(CLOSE, id);
      return;
    }
    this.#services.set(id, conn);
    const reader = this.#readService(id, conn);
    this.#readers.add(reader);
    reader.finally(() => this.#readers.delete(reader));
  }

  async #data(id: number, payload: Uint8Array, header: Header): Promise<void> {
    if (this.#closedByServer.has(id)) {
      this.violations.push(`${describeFrame(header)} without a CONNECT, or after CLOSE`);
    }
    const conn = this.#services.get(id);
    if (!conn) {
      if (this.#quirks.closeUnknown) await this.#link.send(CLOSE, id);
      return;
    }
    try {
      let left = payload;
      while (left.length > 0) left = left.subarray(await conn.write(left));
    } catch {
      // The service is gone; its reader says so.
    }
  }

  #close(id: number): void {
    this.#closedByServer.add(id);
    const conn = this.#services.get(id);
    if (!conn) return;
    this.#services.delete(id);
    conn.close();
    if (this.#quirks.echoClose) this.#link.send(CLOSE, id);
  }

  async #readService(id: number, conn: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(this.#quirks.maxData);
    try {
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        if (this.#services.get(id) !== conn) return;
        await this.#link.send(DATA, id, buffer.subarray(0, count));
      }
    } catch {
      // Reset, or closed by this side: an end like any other.
    }
    if (this.#services.get(id) !== conn) return;
    this.#services.delete(id);
    conn.close();
    await this.#link.send(CLOSE, id);
  }
}
