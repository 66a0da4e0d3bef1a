/**
 * Fields of v2 control frames: tag (1 byte), size (2 bytes), value; `v2.md`, "Framing".
 *
 * @module
 */

import { V2_MAX_TEXT } from "../limits.ts";
import { ProtocolError } from "../../errors.ts";

/** Tags from here on may be skipped by a peer that does not know them. */
const FIRST_SKIPPABLE_TAG = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true }); // what is not UTF-8 becomes U+FFFD

const scratch = new Uint8Array(V2_MAX_TEXT);

/** Cuts a text for people to `max` bytes of UTF-8, at a character. */
export function encodeText(text: string, max = V2_MAX_TEXT): Uint8Array {
  const into = max === scratch.length ? scratch : scratch.subarray(0, max);
  return scratch.slice(0, encoder.encodeInto(text, into).written);
}

/** A text for people. */
export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Writes an unsigned number of `size` bytes, big-endian; `value` up to 2^53 - 1. */
export function writeUint(into: Uint8Array, at: number, size: number, value: number): void {
  for (let end = at + size - 1; end >= at; end--) {
    into[end] = value % 256;
    value = Math.floor(value / 256);
  }
}

/** `value` in `size` bytes. */
export function uintOf(size: number, value: number): Uint8Array {
  const bytes = new Uint8Array(size);
  writeUint(bytes, 0, size, value);
  return bytes;
}

/** Reads what {@linkcode writeUint} wrote; what is larger than a number can hold exactly is clamped. */
export function readUint(from: Uint8Array, at: number, size: number): number {
  let value = 0;
  const end = at + size;
  for (; at < end; at++) value = value * 256 + from[at]!;
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** Bytes of fields that are collected without a buffer of their own: a CONNECT has some 50. */
const SCRATCH_SIZE = 1_024;

/** What the next writer collects in; `undefined` while one has it. */
let spare: Uint8Array | undefined = new Uint8Array(SCRATCH_SIZE);

/** Collects fields, and is used up by {@linkcode FieldWriter.end}. */
export class FieldWriter {
  #into = spare ?? new Uint8Array(SCRATCH_SIZE);
  #size = 0;

  /** A writer without fields. */
  constructor() {
    spare = undefined;
  }

  /** Adds a field of bytes. */
  bytes(tag: number, value: Uint8Array): this {
    const at = this.#begin(value.length);
    this.#into.set(value, at);
    return this.#field(tag, value.length);
  }

  /** Adds a field with an unsigned number of `size` bytes. */
  uint(tag: number, size: number, value: number): this {
    const at = this.#begin(size);
    writeUint(this.#into, at, size, value);
    return this.#field(tag, size);
  }

  /** Adds a field with a text. */
  text(tag: number, value: string, max = V2_MAX_TEXT): this {
    const at = this.#begin(Math.min(max, 3 * value.length)); // no character has more bytes
    const into = this.#into;
    const most = Math.min(max, value.length);
    let size = 0;
    for (let code; size < most && (code = value.charCodeAt(size)) < 0x80; size++) into[at + size] = code;
    if (size < most) size = encoder.encodeInto(value, into.subarray(at, at + max)).written;
    return this.#field(tag, size);
  }

  /** The fields, one behind the other. */
  end(): Uint8Array {
    const whole = this.#into.slice(0, this.#size);
    if (this.#into.length === SCRATCH_SIZE) spare = this.#into;
    this.#into = whole;
    return whole;
  }

  /** Makes room for a field. @returns where its value goes. */
  #begin(size: number): number {
    const end = this.#size + 3 + size;
    if (end > this.#into.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#into.subarray(0, this.#size));
      this.#into = larger;
    }
    return this.#size + 3;
  }

  /** Its value stands there. */
  #field(tag: number, size: number): this {
    this.#into[this.#size] = tag;
    writeUint(this.#into, this.#size + 1, 2, size);
    this.#size += 3 + size;
    return this;
  }
}

/** Fields of a payload, by tag. */
export class FieldReader {
  readonly #what: string;
  readonly #payload: Uint8Array;
  // Of each field in turn. There are few, and one of 256 tags is there once.
  readonly #tags: number[] = [];
  readonly #starts: number[] = [];
  readonly #sizes: number[] = [];

  /**
   * Splits `payload`; `what` names its frame in errors.
   *
   * @param known Tags that the frame can have; others below 128 are refused.
   * @throws {ProtocolError} `bad-field`.
   */
  constructor(what: string, payload: Uint8Array, known: readonly number[]) {
    this.#what = what;
    this.#payload = payload;
    for (let at = 0; at < payload.length;) {
      if (payload.length - at < 3) throw this.#bad(`ends inside a field`);
      const tag = payload[at]!;
      const size = readUint(payload, at + 1, 2);
      at += 3;
      if (size > payload.length - at) throw this.#bad(`has a field ${tag} of ${size} bytes and ends before`);
      if (tag < FIRST_SKIPPABLE_TAG && !known.includes(tag)) throw this.#bad(`has the unknown field ${tag}`);
      if (this.has(tag)) throw this.#bad(`has the field ${tag} twice`);
      this.#tags.push(tag);
      this.#starts.push(at);
      this.#sizes.push(size);
      at += size;
    }
  }

  /** Whether there is a field. */
  has(tag: number): boolean {
    return this.#tags.includes(tag);
  }

  /** A field of exactly `size` bytes. */
  bytes(tag: number, size: number): Uint8Array {
    const start = this.#start(tag, size);
    return this.#payload.subarray(start, start + size);
  }

  /** As {@linkcode FieldReader.bytes}, or `undefined` if there is none. */
  optionalBytes(tag: number, size: number): Uint8Array | undefined {
    return this.has(tag) ? this.bytes(tag, size) : undefined;
  }

  /** An unsigned number of `size` bytes. */
  uint(tag: number, size: number): number {
    return readUint(this.#payload, this.#start(tag, size), size);
  }

  /** As {@linkcode FieldReader.uint}, or `undefined` if there is none. */
  optionalUint(tag: number, size: number): number | undefined {
    return this.has(tag) ? this.uint(tag, size) : undefined;
  }

  /** A text of `max` bytes at most; empty if there is none. */
  text(tag: number, max = V2_MAX_TEXT): string {
    const field = this.#tags.indexOf(tag);
    if (field < 0) return "";
    const start = this.#starts[field]!;
    const size = this.#sizes[field]!;
    if (size > max) throw this.#bad(`has a field ${tag} of ${size} bytes, and ${max} is the most`);
    return decodeText(this.#payload.subarray(start, start + size));
  }

  /** Where the value of a field of exactly `size` bytes begins. */
  #start(tag: number, size: number): number {
    const field = this.#tags.indexOf(tag);
    if (field < 0) throw this.#bad(`lacks the field ${tag}`);
    const has = this.#sizes[field]!;
    if (has !== size) throw this.#bad(`has a field ${tag} of ${has} bytes, and it has to have ${size}`);
    return this.#starts[field]!;
  }

  #bad(what: string): ProtocolError {
    return new ProtocolError("bad-field", `${this.#what} ${what}`);
  }
}

/** Refuses a payload of another size. @throws {ProtocolError} `bad-size`. */
export function expectSize(command: string, payload: Uint8Array, size: number): void {
  if (payload.length !== size) {
    throw new ProtocolError("bad-size", `${command} has a payload of ${payload.length} bytes, and has to have ${size}`);
  }
}
