/**
 * The client of the built-in service.
 *
 * @module
 */

import { LineConn } from "./conn.ts";
import { DemoError } from "../processes.ts";

/** One connection to the service, through the relay or directly. */
export class LineClient {
  /** What the service said first. */
  readonly greeting: string;
  /** Milliseconds from the dial to the greeting. */
  readonly greetedAfter: number;

  readonly #conn: LineConn;

  private constructor(conn: LineConn, greeting: string, greetedAfter: number) {
    this.#conn = conn;
    this.greeting = greeting;
    this.greetedAfter = greetedAfter;
  }

  /** Connects to a port of 127.0.0.1 and waits for the greeting. */
  static async connect(port: number): Promise<LineClient> {
    const start = performance.now();
    const conn = new LineConn(await Deno.connect({ hostname: "127.0.0.1", port }));
    const greeting = await conn.readLine();
    if (greeting === undefined) {
      conn.close();
      throw new DemoError(`the client on port ${port} was hung up on`);
    }
    return new LineClient(conn, greeting, performance.now() - start);
  }

  /** Sends a text and gets it back. */
  async echo(text: string): Promise<string> {
    await this.#conn.write(`echo ${text}\n`);
    return await this.#line();
  }

  /** Milliseconds of each of `count` echoes of 64 bytes, in ascending order. */
  async times(count: number): Promise<number[]> {
    const text = "x".repeat(64 - "echo \n".length);
    const times: number[] = [];
    for (let n = 0; n < count; n++) {
      const start = performance.now();
      if (await this.echo(text) !== text) throw new DemoError("an echo came back wrong");
      times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
  }

  /** Stores a file. @returns the SHA-256 of what arrived. */
  async put(name: string, bytes: Uint8Array): Promise<string> {
    await this.#conn.write(`put ${name} ${bytes.length}\n`);
    await this.#conn.write(bytes);
    return await this.#line();
  }

  /** Fetches a file. */
  async get(name: string): Promise<Uint8Array<ArrayBuffer>> {
    await this.#conn.write(`get ${name}\n`);
    return await this.#conn.readBytes(Number(await this.#line()));
  }

  /** Says goodbye, and waits until the service has hung up. */
  async quit(): Promise<void> {
    await this.#conn.write("quit\n");
    await this.#conn.readLine();
    this.#conn.close();
  }

  async #line(): Promise<string> {
    const line = await this.#conn.readLine();
    if (line === undefined) throw new DemoError("the service hung up");
    return line;
  }
}
