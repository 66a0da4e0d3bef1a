/**
 * What of the frames on the link is shown: the first ones of each step, and what the others came to.
 *
 * @module
 */

import type { SeenFrame } from "./frame_reader.ts";
import type { Screen } from "../screen.ts";
import type { Direction } from "../../../tests/rig/cable.ts";

const ROUTES: Record<Direction, string> = { "to server": "device → server", "to device": "server → device" };

/** Characters of a payload that are shown. */
const PREVIEW = 22;

/** Bytes of a frame that are shown. */
const HEX_BYTES = 7;

/** Shows some frames, counts the others. */
export class FrameLog {
  readonly #screen: Screen;
  #left = 0;
  #data = 0;
  #bytes = 0;
  #others = 0;

  /** Shows them on `screen`. */
  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** Begins a step, of which the first `count` frames are shown. */
  show(count: number): void {
    this.#left = count;
    this.#data = 0;
    this.#bytes = 0;
    this.#others = 0;
  }

  /** Says what the frames that were not shown came to. */
  summarise(): void {
    this.#left = 0;
    if (this.#data === 0) return;
    const others = this.#others === 0 ? "" : `, and ${this.#others} of other kinds`;
    const frames = `${this.#data.toLocaleString("en")} DATA frames with ${formatBytes(this.#bytes)}`;
    this.#screen.dim(`${" ".repeat(17)}… then ${frames}${others}`);
    this.show(0);
  }

  /** A frame went by. */
  add(direction: Direction, frame: SeenFrame): void {
    if (this.#left === 0) {
      if (frame.command === "DATA") this.#data++;
      else this.#others++;
      this.#bytes += frame.size;
      return;
    }
    this.#left--;
    this.#screen.frame(ROUTES[direction], frame.command, describe(frame), hex(frame));
  }
}

function describe({ command, id, detail, size, head }: SeenFrame): string {
  if (command === "LISTEN") return "I am a device";
  const who = `client ${id}`;
  if (command === "DATA") return `${who}, ${size.toLocaleString("en")} B ${preview(head.subarray(4), size)}`.trimEnd();
  return `${who} ${detail}`.trimEnd();
}

/** The payload as text, if it looks like some. */
function preview(payload: Uint8Array, size: number): string {
  const text = String.fromCharCode(...payload).replace(/\r?\n$/, "");
  if (text === "" || !/^[\x20-\x7e]*$/.test(text)) return "";
  return text.length > PREVIEW || payload.length < size ? `“${text.slice(0, PREVIEW - 1)}…”` : `“${text}”`;
}

function hex({ head, size }: SeenFrame): string {
  const bytes = [...head.subarray(0, HEX_BYTES)].map((byte) => byte.toString(16).padStart(2, "0"));
  return bytes.join(" ") + (size + 4 > HEX_BYTES ? " …" : "");
}

/** `33.6 MB`, `12.1 kB` or `64 B`. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  return bytes >= 1e3 ? `${(bytes / 1e3).toFixed(1)} kB` : `${bytes} B`;
}
