/**
 * A server that does what the wire's description says, and no more.
 *
 * @module
 */

import { CLOSE, CONNECT, connectPayload, DATA, describeFrame, type Header, NaiveLink } from "./link.ts";
import { JAVA_SERVER, type ServerQuirks } from "./quirks.ts";

/** A service on the device's side. */
export interface NaiveTarget {
  /** Sent to the device as it is. */
  readonly host: string;
  readonly port: number;
}

/** Waits for a device, then opens a port of 127.0.0.1 for each target. */
export class NaiveServer implements AsyncDisposable {
  /** Where the device dials. */
  readonly port: number;
  /** What the device did that the description forbids. */
  readonly violations: string[] = [];
  /** Resolves when the server has left. */
  readonly ended: Promise<void>;

  readonly #quirks: ServerQuirks;
  readonly #targets: readonly NaiveTarget[];
  readonly #doors: Deno.TcpListener;
  readonly #hosts: Deno.TcpListener[] = [];
  readonly #clients = new Map<number, Deno.TcpConn>();
  /** Ids whose last word was the device's CLOSE, and those that were never opened: no DATA may come for them. */
  readonly #closedByDevice = new Set(Array.from({ length: 256 }, (_, id) => id));
  readonly #known = new Set<number>();
  /** Clients that ended their writing side. */
  readonly #finished = new Set<Deno.TcpConn>();
  readonly #work = new Set<Promise<void>>();
  #listening = newListening();
  #link: NaiveLink | undefined;
  #nextId = 1;

  /** Listens for a device at once. */
  constructor(targets: readonly NaiveTarget[], quirks: Partial<ServerQuirks> = {}) {
    this.#targets = targets;
    this.#quirks = { ...JAVA_SERVER, ...quirks };
    this.#doors = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#doors.addr.port;
    this.ended = this.#run();
  }

  /** Where clients connect, in the order of the targets; resolves when the LISTEN of the (next) device has come. */
  get hostPorts(): Promise<number[]> {
    return this.#listening.promise;
  }

  /** Clients that are connected. */
  get open(): number {
    return this.#clients.size;
  }

  /** Leaves. */
  async stop(): Promise<void> {
    this.#closeListener(this.#doors);
    this.#link?.close();
    await this.ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    do {
      let conn: Deno.TcpConn;
      try {
        conn = await this.#doors.accept();
      } catch {
        break; // stopped
      }
      this.#link = new NaiveLink(conn, this.#quirks.split);
      await this.#serve(this.#link);
    } while (!this.#quirks.oneDevice);
    this.#listening.reject(new Error("the server left"));
    this.#closeListener(this.#doors);
  }

  async #serve(link: NaiveLink): Promise<void> {
    const first = this.#quirks.listenInOneSegment ? await link.readSegment() : await link.readBytes(4);
    if (first !== null && first.join() === "0,0,4,0") {
      for (const target of this.#targets) this.#openHost(link, target);
      this.#listening.resolve(this.#hosts.map((host) => host.addr.port));
      for (;;) {
        const header = await link.readHeader();
        if (header === null || !await this.#take(link, header)) break;
      }
    } else if (first !== null) {
      this.violations.push(`the first segment is ${first.join(" ")}`);
    }
    link.close();
    if (this.#hosts.length > 0) this.#listening = newListening();
    for (const host of this.#hosts.splice(0)) this.#closeListener(host);
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    await Promise.all(this.#work);
    await link.flushed();
  }

  #openHost(link: NaiveLink, target: NaiveTarget): void {
    const host = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#hosts.push(host);
    this.#spawn((async () => {
      for (;;) this.#spawn(this.#serveClient(link, target, await host.accept()));
    })());
  }

  /** Handles a frame of the device. Returns false if the link ended in the middle of it. */
  async #take(link: NaiveLink, header: Header): Promise<boolean> {
    const { command, id, size } = header;
    const wasHandedOut = this.#known.has(id);
    const isWrong = command === DATA
      ? size === 0 ? wasHandedOut : this.#closedByDevice.has(id)
      : command !== CLOSE || size > 0;
    if (isWrong) this.violations.push(describeFrame(header));
    const client = this.#clients.get(id);
    if (command === DATA && !wasHandedOut && this.#quirks.answersData) await link.send(CLOSE, id);
    const isLost = command === DATA ? !client : command !== CLOSE;
    if (isLost && !this.#quirks.skipUnknown) return true;
    const payload = await link.readBytes(size);
    if (payload === null) return false;
    if (command === CLOSE) this.#closedByDevice.add(id);
    if (client === undefined) {
      if (command === CLOSE && this.#quirks.answersClose) await link.send(CLOSE, id);
    } else if (command === DATA) {
      try {
        let left: Uint8Array = payload;
        while (left.length > 0) left = left.subarray(await client.write(left));
      } catch {
        // The client is gone; its reader says so.
      }
    } else if (command === CLOSE) {
      this.#clients.delete(id);
      client.close();
      if (this.#quirks.echoClose && !this.#finished.delete(client)) await link.send(CLOSE, id);
    }
    return true;
  }

  async #serveClient(link: NaiveLink, target: NaiveTarget, client: Deno.TcpConn): Promise<void> {
    if (link.closed) return client.close();
    const id = this.#nextId;
    this.#nextId = (id + 1) % this.#quirks.ids;
    this.#clients.get(id)?.close();
    this.#clients.set(id, client);
    const { dataBeforeConnect, closeBeforeConnect, deliversAfterClose } = this.#quirks;
    const buffer = new Uint8Array(this.#quirks.maxData);
    let connected = false;
    const connect = () => {
      if (connected) return;
      connected = true;
      this.#known.add(id);
      this.#closedByDevice.delete(id);
      return link.send(CONNECT, id, connectPayload(target.host, target.port));
    };
    if (!dataBeforeConnect && !closeBeforeConnect) await connect();
    let isReset = false;
    try {
      for (;;) {
        const count = await client.read(buffer);
        if (count === null || this.#clients.get(id) !== client) break;
        if (!dataBeforeConnect) await connect();
        await link.send(DATA, id, buffer.subarray(0, count));
        if (!closeBeforeConnect) await connect();
      }
    } catch {
      isReset = true; // or closed by this side: an end like any other
    }
    if (this.#clients.get(id) !== client) return;
    if (deliversAfterClose && connected && !isReset) {
      this.#finished.add(client);
    } else {
      this.#clients.delete(id);
      client.close();
    }
    await link.send(CLOSE, id);
    await connect();
  }

  #spawn(work: Promise<void>): void {
    const settled = work.catch(() => {}); // a listener that was closed
    this.#work.add(settled);
    settled.then(() => this.#work.delete(settled));
  }

  #closeListener(listener: Deno.TcpListener): void {
    try {
      listener.close();
    } catch {
      // Closed before.
    }
  }
}

function newListening(): PromiseWithResolvers<number[]> {
  const listening = Promise.withResolvers<number[]>();
  listening.promise.catch(() => {}); // not everybody asks
  return listening;
}
