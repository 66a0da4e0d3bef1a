/**
 * A connection that is read by the line, and by the byte where a file follows.
 *
 * @module
 */

/** Longest line, in bytes. */
const MAX_STDIN_LINE = 4096;

/** Both the built-in service and its client speak through one of these. */
export class LineConn {
  readonly #conn: Deno.TcpConn;
  #buffer = new Uint8Array(64 * 1024);
  #start = 0;
  #end = 0;

  /** Owns `conn` from then on. */
  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  /** The next line without its end, or `undefined` when there is none. */
  async readLine(): Promise<string | undefined> {
    for (let seen = this.#start;;) {
      const at = this.#buffer.subarray(0, this.#end).indexOf(10, seen);
      if (at >= 0) {
        const line = new TextDecoder().decode(this.#buffer.subarray(this.#start, at));
        this.#start = at + 1;
        return line;
      }
      if (this.#end - this.#start > MAX_STDIN_LINE) {
        throw new RangeError(`Cannot read a line of more than ${MAX_STDIN_LINE} bytes`);
      }
      const had = this.#end - this.#start;
      if (!await this.#fill()) return undefined;
      seen = this.#start + had;
    }
  }

  /** Exactly `size` bytes. */
  async readBytes(size: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(size);
    const had = Math.min(size, this.#end - this.#start);
    bytes.set(this.#buffer.subarray(this.#start, this.#start + had));
    this.#start += had;
    for (let at = had; at < size;) {
      const count = await this.#conn.read(bytes.subarray(at));
      if (count === null) {
        throw new Deno.errors.UnexpectedEof(`Cannot read ${size} bytes: the connection ended at ${at}`);
      }
      at += count;
    }
    return bytes;
  }

  /** Sends a text, or bytes, to the last byte. */
  async write(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Closes the connection. */
  close(): void {
    this.#conn.close();
  }

  async #fill(): Promise<boolean> {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    const count = await this.#conn.read(this.#buffer.subarray(this.#end));
    this.#end += count ?? 0;
    return count !== null;
  }
}
