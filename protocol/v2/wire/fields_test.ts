import assert from "node:assert/strict";
import fc from "fast-check";
import { concat } from "../../bytes.ts";
import { decodeText, encodeText, FieldReader, FieldWriter, readUint, writeUint } from "./fields.ts";
import { hex } from "../../../tests/rig/bytes.ts";
import { fieldOf, protocolError, uintOf } from "../_fakes_test.ts";
import { test } from "../../../tests/rig/test.ts";

const KNOWN = [1, 2, 3];

function read(...fields: Uint8Array[]): FieldReader {
  return new FieldReader("HELLO", concat(fields), KNOWN);
}

test("numbers of 1 to 8 bytes come back, and stay within their bytes", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.nat(5),
    fc.maxSafeNat(),
    (size, at, any) => {
      const value = size < 7 ? any % 256 ** size : any;
      const bytes = new Uint8Array(at + size + 3).fill(0xee);
      writeUint(bytes, at, size, value);
      assert.equal(hex(bytes), hex(concat([bytes.slice(0, at).fill(0xee), uintOf(size, value), fill(3)])));
      assert.equal(readUint(bytes, at, size), value);
    },
  ));
});

function fill(size: number): Uint8Array {
  return new Uint8Array(size).fill(0xee);
}

test("a number beyond what can be held exactly is clamped, never rounded to another", () => {
  assert.equal(readUint(new Uint8Array(8).fill(255), 0, 8), Number.MAX_SAFE_INTEGER);
  assert.equal(readUint(uintOf(8, 2 ** 53), 0, 8), Number.MAX_SAFE_INTEGER);
  assert.equal(readUint(uintOf(8, 2 ** 53 - 1), 0, 8), 2 ** 53 - 1);
});

test("texts come back as they were, with every character that UTF-8 has", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
    fc.pre(new TextEncoder().encode(text).length <= 200);
    assert.equal(decodeText(encodeText(text)), text);
  }));
  assert.equal(decodeText(encodeText("\ufeffx")), "\ufeffx");
});

test("a text is cut at a character, and never longer than it may be", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.nat(80), (text, max) => {
    const bytes = encodeText(text, max);
    assert(bytes.length <= max, `${bytes.length} bytes`);
    const back = decodeText(bytes);
    assert(text.startsWith(back), `"${back}" does not begin "${text}"`);
    const next = [...text][[...back].length];
    if (next !== undefined) assert(bytes.length + new TextEncoder().encode(next).length > max, "cut too early");
  }));
});

test("bytes that are not UTF-8 do no harm", () => {
  assert.equal(decodeText(Uint8Array.of(0x61, 0xff, 0xfe, 0x62)), "a\ufffd\ufffdb");
});

test("fields come back by tag, in any order", () => {
  const written = new FieldWriter().uint(3, 4, 70_000).bytes(1, Uint8Array.of(9, 8)).text(2, "gw1").end();
  assert.equal(hex(written), "03 00 04 00 01 11 70 01 00 02 09 08 02 00 03 67 77 31");
  const fields = new FieldReader("HELLO", written, KNOWN);
  assert.equal(fields.uint(3, 4), 70_000);
  assert.equal(hex(fields.bytes(1, 2)), "09 08");
  assert.equal(fields.text(2), "gw1");
});

test("any fields come back, however many bytes they have, from writers at work at once", () => {
  const field = fc.oneof(
    fc.record({ kind: fc.constant("text" as const), value: fc.string({ unit: "grapheme", maxLength: 300 }) }),
    fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 1_500 }) }),
    fc.record({ kind: fc.constant("uint" as const), value: fc.nat() }),
  );
  const max = 100;
  fc.assert(fc.property(fc.array(fc.array(field, { maxLength: 6 }), { minLength: 1, maxLength: 3 }), (frames) => {
    const writers = frames.map(() => new FieldWriter());
    for (let tag = 0; tag < 6; tag++) {
      for (const [at, fields] of frames.entries()) {
        const { kind, value } = fields[tag] ?? {};
        if (kind === "text") writers[at]!.text(tag, value!, max);
        if (kind === "bytes") writers[at]!.bytes(tag, value!);
        if (kind === "uint") writers[at]!.uint(tag, 4, value!);
      }
    }
    const ended = writers.map((writer) => writer.end());
    for (const [at, fields] of frames.entries()) {
      const reader = new FieldReader("HELLO", ended[at]!, [0, 1, 2, 3, 4, 5]);
      for (const [tag, { kind, value }] of fields.entries()) {
        if (kind === "text") assert.equal(reader.text(tag), decodeText(encodeText(value, max)));
        if (kind === "bytes") assert.deepEqual(reader.bytes(tag, value.length).slice(), value);
        if (kind === "uint") assert.equal(reader.uint(tag, 4), value);
      }
    }
  }));
});

test("a field that may be missing is read as undefined, and a missing text as empty", () => {
  const fields = read();
  assert.equal(fields.optionalUint(1, 4), undefined);
  assert.equal(fields.optionalBytes(1, 4), undefined);
  assert.equal(fields.text(2), "");
});

test("an unknown tag is refused below 128, and skipped from 128 on", () => {
  for (let tag = 0; tag <= 255; tag++) {
    const expected = KNOWN.includes(tag) || tag >= 128 ? "nothing" : "bad-field";
    assert.equal(protocolError(() => read(fieldOf(tag, Uint8Array.of(1)))), expected, `tag ${tag}`);
  }
  const fields = read(fieldOf(200, new Uint8Array(300)), fieldOf(1, Uint8Array.of(7)));
  assert.equal(fields.uint(1, 1), 7);
});

test("a tag stands once: twice ends the link, also for one that is skipped, and with the same value", () => {
  for (const tag of [1, 2, 3, 128, 255]) {
    assert.equal(protocolError(() => read(fieldOf(tag, uintOf(1, 5)), fieldOf(tag, uintOf(1, 5)))), "bad-field");
  }
});

test("fields that are cut anywhere but between two of them are refused", () => {
  const parts = [fieldOf(1, uintOf(2, 1)), fieldOf(130, new Uint8Array(0)), fieldOf(2, new Uint8Array(5))];
  const whole = concat(parts);
  const boundaries = [0, 5, 8, 16];
  for (let end = 0; end <= whole.length; end++) {
    const expected = boundaries.includes(end) ? "nothing" : "bad-field";
    assert.equal(protocolError(() => read(whole.slice(0, end))), expected, `cut at ${end}`);
  }
});

test("a field of another size than it has to have is refused, and a missing one too", () => {
  for (const size of [0, 3, 5, 255]) {
    const fields = read(fieldOf(1, new Uint8Array(size)));
    for (const reads of [() => fields.bytes(1, 4), () => fields.uint(1, 4), () => fields.optionalUint(1, 4)]) {
      assert.equal(protocolError(reads), "bad-field", `size ${size}`);
    }
    assert.equal(protocolError(() => fields.optionalBytes(1, 4)), "bad-field");
  }
  assert.equal(protocolError(() => read().uint(1, 4)), "bad-field");
});

test("a text of more bytes than it may have is refused", () => {
  assert.equal(read(fieldOf(2, new Uint8Array(200).fill(97))).text(2), "a".repeat(200));
  assert.equal(protocolError(() => read(fieldOf(2, new Uint8Array(201))).text(2)), "bad-field");
  assert.equal(protocolError(() => read(fieldOf(2, new Uint8Array(64))).text(2, 63)), "bad-field");
});

test("whatever bytes come as fields, nothing but a protocol error is thrown", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    protocolError(() => {
      const fields = read(bytes);
      fields.optionalUint(1, 2);
      fields.text(2);
      fields.bytes(3, 1);
    });
  }));
});
