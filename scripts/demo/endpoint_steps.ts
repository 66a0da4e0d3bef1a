/**
 * The demo's steps with services that are no TCP servers: a serial console, and a CAN bus.
 *
 * @module
 */

import { hasPty, Pty } from "../../tests/rig/pty.ts";
import { freePort } from "../../tests/rig/ports.ts";
import { pause } from "../../tests/rig/wait.ts";
import { ms } from "./figures.ts";
import type { Route } from "./picture.ts";
import { DemoError } from "./processes.ts";
import type { Stage } from "./stage.ts";

/** Milliseconds that a client waits for an answer. */
const PATIENCE = 5_000;

/** Milliseconds after which a new client of a bus is sent frames for certain. */
const QUIET = 150;

/** A frame with the id 1A4, as socketcand's clients send it. */
const FRAME = "< send 1A4 3 DE AD 07 >";

/** What answers at the other end of a serial line. */
const PROMPT = "gw1-plc> ";
const FIRMWARE = "firmware 2.7, up 41 days";

/** The serial console and the CAN bus, where the machine has terminals to play the first. */
export class Endpoints implements Disposable {
  readonly console: Route;
  readonly bus: Route = {
    client: "CAN tool",
    hostPort: freePort(),
    local: "can:virtual:demo,wire=socketcand",
    shown: "virtual CAN bus",
    service: "can",
  };
  readonly #line = new Pty();

  private constructor() {
    this.console = {
      client: "console",
      hostPort: freePort(),
      local: `serial:${this.#line.path},115200`,
      shown: this.#line.path,
      service: "plc",
    };
    this.#answer().catch(() => {}); // the line was closed
  }

  /** Nothing, with a line that says so, where there are no terminals. */
  static open({ screen }: Stage): Endpoints | undefined {
    if (hasPty) return new Endpoints();
    screen.dim("No terminals of the system's own here: the serial console and the CAN bus are left out.");
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#line.close();
  }

  /** The device at the far end: it echoes what is typed, as consoles do, and answers each line. */
  async #answer(): Promise<void> {
    const decoder = new TextDecoder();
    let typed = "";
    for (;;) {
      const bytes = await this.#line.read();
      if (bytes.length === 0) return;
      typed += decoder.decode(bytes);
      await this.#line.write(decoder.decode(bytes).replaceAll("\r", "\r\n"));
      for (let at = typed.indexOf("\r"); at >= 0; at = typed.indexOf("\r")) {
        const word = typed.slice(0, at).trim();
        typed = typed.slice(at + 1);
        await this.#line.write(`${word === "version" ? `${FIRMWARE}\r\n` : ""}${PROMPT}`);
      }
    }
  }
}

/** Somebody sits at the console of a machine behind the gateway. */
export async function serialConsole({ screen }: Stage, { console }: Endpoints): Promise<void> {
  screen.step("A serial console, as if its cable came to this desk");
  screen.command(`sallyport device join … --service ${console.service}=${console.local}`);
  screen.note(`at the end of that line this demo plays a PLC's console; yours may be /dev/ttyUSB0`);
  screen.command(`telnet 127.0.0.1 ${console.hostPort}`);
  using client = await TextClient.connect(console.hostPort);
  await client.write("\r");
  await client.until(PROMPT);
  await client.write("version\r");
  const answer = await client.until(PROMPT);
  if (!answer.includes(FIRMWARE)) throw new DemoError(`the console answered ${JSON.stringify(answer)}`);
  screen.note(`${PROMPT}version`);
  screen.note(FIRMWARE);
  screen.ok("one user at a time; with control=rfc2217 pyserial sets speed and lines from afar: docs/how-to/serial.md");
}

/** Two tools share a CAN bus behind the gateway. */
export async function canBus({ screen }: Stage, { bus }: Endpoints): Promise<void> {
  screen.step("A CAN bus, for two tools at once");
  screen.command(`sallyport device join … --service ${bus.service}=${bus.local}`);
  screen.note("a bus that is only within the device; yours may be can:can0, or an adapter that speaks slcan");
  using dump = await listenOn(bus.hostPort);
  using send = await listenOn(bus.hostPort);
  await pause(QUIET); // a client of socketcand's is not sent frames at once
  const start = performance.now();
  await send.write(FRAME);
  const frame = (await dump.until(">")).trim();
  if (!/^< frame 1A4 [\d.]+ DEAD07 >$/i.test(frame)) throw new DemoError(`the bus said ${frame}`);
  const took = ms(performance.now() - start);
  screen.note(`one tool:  ${FRAME}`);
  screen.note(`the other: ${frame}`);
  screen.note(`python-can: can.Bus(interface="socketcand", host="127.0.0.1", port=${bus.hostPort}, channel="demo")`);
  screen.ok(`from tool to tool by way of the gateway's bus in ${took}; more wires at one port: docs/how-to/can.md`);
}

/** A tool of socketcand's that takes frames. */
async function listenOn(port: number): Promise<TextClient> {
  const client = await TextClient.connect(port);
  for (const [say, hear] of [["", "< hi >"], ["< open demo >", "< ok >"], ["< rawmode >", "< ok >"]] as const) {
    if (say) await client.write(say);
    await client.until(hear);
  }
  return client;
}

/** A client that reads text. */
class TextClient implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #decoder = new TextDecoder();
  #text = "";

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(port: number): Promise<TextClient> {
    return new TextClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async write(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** What comes, up to `end` and with it. */
  async until(end: string): Promise<string> {
    const late = setTimeout(() => this[Symbol.dispose](), PATIENCE);
    try {
      while (!this.#text.includes(end)) {
        const into = new Uint8Array(4096);
        const count = await this.#conn.read(into);
        if (count === null) throw new DemoError(`the service ended where ${JSON.stringify(end)} was to come`);
        this.#text += this.#decoder.decode(into.subarray(0, count));
      }
    } finally {
      clearTimeout(late);
    }
    const at = this.#text.indexOf(end) + end.length;
    const said = this.#text.slice(0, at);
    this.#text = this.#text.slice(at);
    return said;
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // It was closed for being late.
    }
  }
}
