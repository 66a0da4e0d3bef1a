import assert from "node:assert/strict";
import fc from "fast-check";
import { MAX_DURATION_MS } from "../base/limits.ts";
import { closest } from "../base/closest.ts";
import {
  oneOf,
  parseBytes,
  parseDuration,
  parseDurationOrNever,
  parsePositiveDuration,
  parseTime,
  parseTimeOrSpan,
  wholeNumber,
  writeBytes,
  writeTime,
} from "./values.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

Deno.test("durations as people write them", STRICT, () => {
  const table = {
    "10s": 10_000,
    "500ms": 500,
    "2m": 120_000,
    "1h": 3_600_000,
    "1d": 86_400_000,
    "0": 0,
    "0.5s": 500,
  };
  for (const [text, ms] of Object.entries(table)) assert.equal(parseDuration(text), ms, text);
  assert.equal(parseDuration("7d"), MAX_DURATION_MS);
  assert.equal(parseDurationOrNever("never"), -1);
  assert.equal(parseDurationOrNever("1s"), 1_000);
});

Deno.test("what is no duration is refused with what would do", STRICT, () => {
  for (const text of ["", "soon", "-1s", "1 week", "1e3", "s", "10S", "Infinity"]) {
    assert.throws(
      () => parseDuration(text),
      { name: "SyntaxError", message: /write one as in 10s, 500ms or 2m/ },
      text,
    );
  }
  assert.throws(() => parseDuration("8d"), { message: /too long; 7d is the longest/ });
  for (const text of ["0", "0s", "0.1ms"]) assert.throws(() => parsePositiveDuration(text), /above 0/, text);
  assert.throws(() => parseDuration("never"), SyntaxError);
});

Deno.test("a whole number is taken within its bounds, which belong to it, and nowhere else", STRICT, () => {
  fc.assert(fc.property(fc.integer({ min: -200, max: 400 }), (value) => {
    const parse = () => wholeNumber(0, 127)(String(value));
    if (value >= 0 && value <= 127) assert.equal(parse(), value);
    else assert.throws(parse, /is not a whole number from 0 to 127/);
  }));
  for (const text of ["", "1.0", "0x10", "1e1", " 1"]) {
    assert.throws(() => wholeNumber(0, 127)(text), SyntaxError, text);
  }
});

Deno.test("one word of several, as it is written", STRICT, () => {
  assert.equal(oneOf("text", "json")("json"), "json");
  assert.throws(() => oneOf("text", "json")("JSON"), { name: "SyntaxError", message: `"JSON" is none of text, json` });
});

Deno.test("a word with a slip of the pen is recognized, and a stranger is not", STRICT, () => {
  const words = ["listen", "forward", "stall-timeout", "half-close-timeout"];
  assert.equal(closest("forwrad", words), "forward");
  assert.equal(closest("stall-timeuot", words), "stall-timeout");
  assert.equal(closest("lisen", words), "listen");
  assert.equal(closest("xyzzyplugh", words), undefined);
  assert.equal(closest("listen", []), undefined);
});

Deno.test("a date is its beginning in UTC, and a time has to say its zone", STRICT, () => {
  const at = Date.UTC(2027, 0, 31);
  assert.equal(parseTime("2027-01-31"), at);
  assert.equal(parseTime("2027-01-31T12:00:00Z"), at + 12 * 3600_000);
  assert.equal(parseTime("2027-01-31 12:00:00.000+02:00"), at + 10 * 3600_000);
  assert.throws(() => parseTime("2027-01-31T12:00"), /has no zone; write 2027-01-31T12:00Z for UTC/);
  for (const text of ["", "soon", "2027-02-30", "2027-13-01", "31.1.2027", "2027-01-31T25:00:00Z"]) {
    assert.throws(() => parseTime(text), { name: "SyntaxError", message: /is not a date; write one as in/ }, text);
  }
});

Deno.test("an expiry is a date, or a span from now", STRICT, () => {
  assert.equal(parseTimeOrSpan("90d", 1_000), 90 * 86_400_000 + 1_000);
  assert.equal(parseTimeOrSpan("1h", 1_000), 3_601_000);
  assert.equal(parseTimeOrSpan("2027-01-31", 1_000), Date.UTC(2027, 0, 31));
  for (const text of ["", "0d", "0", "never", "-1d"]) {
    assert.throws(() => parseTimeOrSpan(text, 0), /neither a date, as in 2027-01-31, nor a span, as in 90d/, text);
  }
  for (const text of ["90", "1.5", "2027"]) {
    assert.throws(() => parseTimeOrSpan(text, 0), /has no unit; write \S+d for days, \S+h for hours, or a date/, text);
  }
  assert.throws(() => parseTimeOrSpan("2027-02-30", 0), /is not a date/);
});

Deno.test("what is told to be in force is written as it would be read", STRICT, () => {
  for (const text of ["1kB", "500kB", "20MB", "1.5GB", "900MB", "1.234MB"]) {
    assert.equal(writeBytes(parseBytes(text)), text);
  }
  for (const text of ["never", "15s", "1m", "1500ms", "2h"]) assert.equal(writeTime(parseDurationOrNever(text)), text);
});
