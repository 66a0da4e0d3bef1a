/**
 * A pair of terminals, joined as by a cable: the test plays what is at the far end.
 *
 * @module
 */

import { libc, NONBLOCK } from "../../net/kernel/libc.ts";
import { descriptorDuplex } from "../../net/engines.ts";
import { type LineSettings, USUAL_SETTINGS } from "../../serial/settings.ts";
import { Ioctl, readSettings, TERMIOS_SIZE, writeSettings } from "../../serial/line/termios.ts";

const O_RDWR = 2;
const O_NOCTTY = 0o400;
const TIOCSPTLCK = 0x4004_5431n;
const TIOCGPTN = 0x8004_5430n;

/** Whether there are any here: it takes the system's calls. */
export const hasPty = libc() !== undefined;

/** The far end of a line. */
export class Pty implements Disposable {
  /** The line, for whoever opens it. */
  readonly path: string;
  readonly #fd: number;
  readonly #held: number; // the line stays there though nobody has it open
  readonly #duplex;
  readonly #decoder = new TextDecoder();
  #closed = false;

  constructor() {
    const calls = libc()!;
    this.#fd = calls.open(new TextEncoder().encode("/dev/ptmx\0"), O_RDWR | O_NOCTTY | NONBLOCK, 0);
    const place = new Uint8Array(4);
    calls.ioctl(this.#fd, TIOCSPTLCK, place);
    calls.ioctl(this.#fd, TIOCGPTN, place);
    this.path = `/dev/pts/${new DataView(place.buffer).getInt32(0, true)}`;
    this.#held = calls.open(new TextEncoder().encode(`${this.path}\0`), O_RDWR | O_NOCTTY | NONBLOCK, 0);
    const termios = this.termios(); // without an echo, as a line has none
    writeSettings(termios, { ...USUAL_SETTINGS, baud: 1_200 });
    calls.ioctl(this.#held, Ioctl.TCSETS2, termios);
    this.#duplex = descriptorDuplex(this.#fd);
  }

  /** How the line is set. */
  get settings(): LineSettings {
    return readSettings(this.termios());
  }

  /** The line's structure. */
  termios(): Uint8Array<ArrayBuffer> {
    const termios = new Uint8Array(TERMIOS_SIZE);
    libc()!.ioctl(this.#fd, Ioctl.TCGETS2, termios);
    return termios;
  }

  /** Sends all of it to the line. */
  async write(bytes: Uint8Array | string): Promise<void> {
    const all = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    for (let at = 0; at < all.length;) at += await this.#duplex.write(all.subarray(at));
  }

  /** What comes from the line next. */
  async read(size = 65_536): Promise<Uint8Array> {
    const into = new Uint8Array(size);
    return into.subarray(0, await this.#duplex.read(into) ?? 0);
  }

  /** Text of that many characters. */
  async text(length: number): Promise<string> {
    let text = "";
    while (text.length < length) text += this.#decoder.decode(await this.read(length - text.length));
    return text;
  }

  /** The cable is pulled. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#duplex.close();
    libc()!.close(this.#held);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
