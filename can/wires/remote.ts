/**
 * python-can's remote interface over plain TCP, versions 4 and 5: a stream of events, each an id and a payload whose length
 * follows from it. Numbers are big-endian.
 *
 * @module
 */

import { type CanFilter, type CanFrame, ERROR, EXTENDED, FD, frameFault, KIND_BIT, NO_DATA, REMOTE } from "../frame.ts";
import { Gather } from "../gather.ts";
import { MAX_CAN_DATA, MAX_REMOTE_TEXT } from "../limits.ts";
import { cutText } from "../text.ts";
import { type PeriodicRequest, type Request, type Said, SILENCE, type Wire, WireError } from "../wire.ts";

const BUS_REQUEST = 1;
const BUS_RESPONSE = 2;
const CAN_MESSAGE = 3;
const TRANSMIT_SUCCESS = 4;
const TRANSMIT_FAIL = 5;
const REMOTE_EXCEPTION = 6;
const PERIODIC_START = 7;
const PERIODIC_STOP = 8;
const PERIODIC_UPDATE = 9;
const FILTER_CONFIG = 10;
const CONNECTION_CLOSED = 255;

/** Events that a client may send, with their size, the id included; that of filters counts those behind its head, too. */
const SIZES: Readonly<Record<number, number>> = {
  [BUS_REQUEST]: 6,
  [CAN_MESSAGE]: 23,
  [TRANSMIT_SUCCESS]: 1,
  [TRANSMIT_FAIL]: 1,
  [PERIODIC_START]: 23,
  [PERIODIC_STOP]: 5,
  [PERIODIC_UPDATE]: 23,
  [FILTER_CONFIG]: 2,
  [CONNECTION_CLOSED]: 1,
};

const FRAME_SIZE = 23;
const KNOWN_FLAGS = EXTENDED | REMOTE | ERROR;

/** One client of version 4 or 5, which its first event says. */
export class RemoteWire implements Wire {
  readonly maxFrame = FRAME_SIZE;
  readonly opensSoon = true;
  readonly #event = new Gather(64);
  #version = 4;
  #bitrate: number | undefined;
  #state: "new" | "requested" | "open" = "new";

  get name() {
    return this.#version === 5 ? "remote-v5" as const : "remote-v4" as const;
  }

  greeting(): Uint8Array {
    return SILENCE;
  }

  *push(chunk: Uint8Array): Generator<Request, void, void> {
    const event = this.#event;
    for (let at = 0; at < chunk.length || event.length > 0;) {
      at = event.fill(chunk, at, 1);
      const id = event.view[0]!;
      let size = SIZES[id];
      if (size === undefined) throw new WireError(`there is no event ${id}`);
      at = event.fill(chunk, at, size);
      if (id === FILTER_CONFIG && event.length >= size) {
        size += 8 * event.view[1]!;
        at = event.fill(chunk, at, size);
      }
      if (event.length < size) return;
      const isTransmitter = this.#state === "new" && id === PERIODIC_START; // version 4: a client that only sends
      if (isTransmitter) this.#state = "open";
      const request = this.#request(id, event.view);
      event.clear();
      if (isTransmitter) yield { type: "open" };
      if (request) yield request;
    }
  }

  #request(id: number, event: Uint8Array): Request | undefined {
    const view = new DataView(event.buffer, event.byteOffset, event.length);
    if (this.#state === "new") return this.#first(id, view);
    if (this.#state === "requested") {
      if (id !== FILTER_CONFIG) throw new WireError(`event ${id} stands where the filters belong`);
      this.#state = "open";
      const filters = readFilters(view);
      return { type: "open", filters, ...(this.#bitrate !== undefined && { bitrate: this.#bitrate }) };
    }
    switch (id) {
      case CAN_MESSAGE:
        return this.#checked(readFrame(view), (frame) => ({ type: "frame", frame }));
      case PERIODIC_START:
        return this.#periodic(view);
      case PERIODIC_UPDATE:
        return this.#checked(
          readFrame(view),
          (frame) => ({ type: "periodic-start", key: keyOf(frame.id), frame, period: 0, duration: 0 }),
        );
      case PERIODIC_STOP:
        return { type: "periodic-stop", key: keyOf(view.getUint32(1)) };
      case FILTER_CONFIG:
        return { type: "filters", filters: readFilters(view) };
      case TRANSMIT_SUCCESS:
      case TRANSMIT_FAIL:
        return undefined;
      case CONNECTION_CLOSED:
        return { type: "end", bytes: SILENCE };
      default:
        throw new WireError(`event ${id} stands behind the opening`);
    }
  }

  #first(id: number, view: DataView): undefined {
    if (id !== BUS_REQUEST) throw new WireError(`event ${id} stands where the opening belongs`);
    this.#version = view.getUint8(1);
    if (this.#version !== 4 && this.#version !== 5) {
      throw new WireError(`version ${this.#version} of the remote interface; there are 4 and 5`);
    }
    const bitrate = view.getInt32(2);
    if (bitrate > 0) this.#bitrate = bitrate;
    this.#state = "requested";
    return undefined;
  }

  #periodic(view: DataView): Request {
    const isV5 = this.#version === 5;
    const period = isV5 ? view.getInt32(1) : view.getFloat64(1) * 1000;
    const duration = isV5 ? view.getInt32(5) : 0;
    const frame = readBody(view, view.getUint8(14) !== 0 ? EXTENDED : 0, 0);
    return this.#checked(frame, (frame): PeriodicRequest => ({
      type: "periodic-start",
      key: keyOf(frame.id),
      frame,
      period,
      duration,
    }));
  }

  #checked(frame: CanFrame, request: (frame: CanFrame) => Request): Request {
    const fault = frameFault(frame);
    return fault === undefined ? request(frame) : { type: "mistake", text: fault, bytes: FAIL };
  }

  opened(info: string): Uint8Array {
    return withText(BUS_RESPONSE, info);
  }

  refused(why: string): Said {
    return { bytes: withText(REMOTE_EXCEPTION, why), end: true };
  }

  sent(): Uint8Array {
    return SILENCE; // the original never tells of success, and its clients do not wait for it
  }

  notSent(): Uint8Array {
    return FAIL;
  }

  troubled(why: string): Said {
    return { bytes: withText(REMOTE_EXCEPTION, why), end: true };
  }

  writeFrame({ id, flags, length, data, time }: CanFrame, into: Uint8Array, at: number): number {
    if (flags & FD) return at;
    const view = new DataView(into.buffer, into.byteOffset + at, FRAME_SIZE);
    into[at] = CAN_MESSAGE;
    view.setFloat64(1, time);
    view.setUint32(9, id);
    into[at + 13] = length;
    into[at + 14] = flags & KNOWN_FLAGS;
    into.fill(0, at + 15, at + FRAME_SIZE);
    into.set(data, at + 15);
    return at + FRAME_SIZE;
  }

  lastWords(): Uint8Array {
    return SILENCE;
  }
}

const FAIL = Uint8Array.of(TRANSMIT_FAIL);

function keyOf(id: number): string {
  return `${id}`;
}

function readFrame(view: DataView): CanFrame {
  return readBody(view, view.getUint8(14) & KNOWN_FLAGS, view.getFloat64(1));
}

/** The id, the length and the data, which all events with a frame have in the same places. */
function readBody(view: DataView, flags: number, time: number): CanFrame {
  const length = view.getUint8(13);
  const start = view.byteOffset + 15;
  const size = flags & REMOTE ? 0 : Math.min(length, MAX_CAN_DATA);
  const data = size === 0 ? NO_DATA : new Uint8Array(view.buffer.slice(start, start + size) as ArrayBuffer);
  return { id: view.getUint32(9), flags, length, data, time };
}

function readFilters(view: DataView): CanFilter[] {
  const filters: CanFilter[] = [];
  for (let at = 2; at < view.byteLength; at += 8) {
    const mask = view.getUint32(at + 4);
    const bits = mask & KIND_BIT ? 0xffff_ffff : 0x1fff_ffff;
    filters.push({ id: (view.getUint32(at) & bits) >>> 0, mask: (mask & (0x1fff_ffff | KIND_BIT)) >>> 0 });
  }
  return filters;
}

function withText(id: number, text: string): Uint8Array {
  const bytes = cutText(text, MAX_REMOTE_TEXT);
  const event = new Uint8Array(2 + bytes.length);
  event[0] = id;
  event[1] = bytes.length;
  event.set(bytes, 2);
  return event;
}
