/**
 * Fields of v2 control frames: tag (1 byte), size (2 bytes), value; `v2.md`, "Framing".
 *
 * @module
 */

import { V2_MAX_TEXT } from "../limits.ts";
import { concat } from "../../bytes.ts";
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
  for (const byte of from.subarray(at, at + size)) value = value * 256 + byte;
  return Math.min(value, Number.MAX_SAFE_INTEGER);
}

/** Collects fields. */
export class FieldWriter {
  readonly #parts: Uint8Array[] = [];

  /** Adds a field of bytes. */
  bytes(tag: number, value: Uint8Array): this {
    const part = new Uint8Array(3 + value.length);
    part[0] = tag;
    writeUint(part, 1, 2, value.length);
    part.set(value, 3);
    this.#parts.push(part);
    return this;
  }

  /** Adds a field with an unsigned number of `size` bytes. */
  uint(tag: number, size: number, value: number): this {
    const bytes = new Uint8Array(size);
    writeUint(bytes, 0, size, value);
    return this.bytes(tag, bytes);
  }

  /** Adds a field with a text. */
  text(tag: number, value: string, max = V2_MAX_TEXT): this {
    return this.bytes(tag, encodeText(value, max));
  }

  /** The fields, one behind the other. */
  end(): Uint8Array {
    return concat(this.#parts);
  }
}

/** Fields of a payload, by tag. */
export class FieldReader {
  readonly #what: string;
  readonly #fields = new Map<number, Uint8Array>();

  /**
   * Splits `payload`; `what` names its frame in errors.
   *
   * @param known Tags that the frame can have; others below 128 are refused.
   * @throws {ProtocolError} `bad-field`.
   */
  constructor(what: string, payload: Uint8Array, known: readonly number[]) {
    this.#what = what;
    for (let at = 0; at < payload.length;) {
      if (payload.length - at < 3) throw this.#bad(`ends inside a field`);
      const tag = payload[at]!;
      const size = readUint(payload, at + 1, 2);
      at += 3;
      if (size > payload.length - at) throw this.#bad(`has a field ${tag} of ${size} bytes and ends before`);
      if (tag < FIRST_SKIPPABLE_TAG && !known.includes(tag)) throw this.#bad(`has the unknown field ${tag}`);
      if (this.#fields.has(tag)) throw this.#bad(`has the field ${tag} twice`);
      this.#fields.set(tag, payload.subarray(at, at + size));
      at += size;
    }
  }

  /** Whether there is a field. */
  has(tag: number): boolean {
    return this.#fields.has(tag);
  }

  /** A field of exactly `size` bytes. */
  bytes(tag: number, size: number): Uint8Array {
    const value = this.#fields.get(tag);
    if (!value) throw this.#bad(`lacks the field ${tag}`);
    if (value.length !== size) {
      throw this.#bad(`has a field ${tag} of ${value.length} bytes, and it has to have ${size}`);
    }
    return value;
  }

  /** As {@linkcode FieldReader.bytes}, or `undefined` if there is none. */
  optionalBytes(tag: number, size: number): Uint8Array | undefined {
    return this.has(tag) ? this.bytes(tag, size) : undefined;
  }

  /** An unsigned number of `size` bytes. */
  uint(tag: number, size: number): number {
    return readUint(this.bytes(tag, size), 0, size);
  }

  /** As {@linkcode FieldReader.uint}, or `undefined` if there is none. */
  optionalUint(tag: number, size: number): number | undefined {
    return this.has(tag) ? this.uint(tag, size) : undefined;
  }

  /** A text of `max` bytes at most; empty if there is none. */
  text(tag: number, max = V2_MAX_TEXT): string {
    const value = this.#fields.get(tag);
    if (!value) return "";
    if (value.length > max) throw this.#bad(`has a field ${tag} of ${value.length} bytes, and ${max} is the most`);
    return decodeText(value);
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
