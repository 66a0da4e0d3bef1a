import assert from "node:assert/strict";
import { FIRST_PROBE_MS, MAX_HOST_LENGTH, MAX_OPENING } from "../limits.ts";
import { V1Command } from "./commands.ts";
import { v1Close, v1Connect, v1Listen, writeV1Header } from "./codec.ts";
import * as limits from "./limits.ts";
import { PROTOCOL_ERROR_CODES } from "../errors.ts";
import { CHANNEL_END_REASONS, LINK_END_REASONS } from "../reasons.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

test("the command numbers are those of seed 003", () => {
  assert.deepEqual({ ...V1Command }, { CONNECT: 1, CLOSE: 2, DATA: 3, LISTEN: 4 });
});

test("every named limit of v1 has the value that the specification states", () => {
  const v1 = Object.entries(limits).filter(([name]) => /^(V1|MAX_EARLY|EARLY|UNCONFIRMED|CROSSED)/.test(name));
  assert.deepEqual({ ...Object.fromEntries(v1), FIRST_PROBE_MS, MAX_HOST_LENGTH, MAX_OPENING }, {
    V1_HEADER_SIZE: 4,
    V1_MAX_PAYLOAD: 65_535,
    V1_MAX_CHANNELS: 256,
    V1_MAX_CONNECT_PAYLOAD: 259,
    MAX_EARLY_BYTES: 65_536,
    MAX_EARLY_BYTES_PER_LINK: 1_048_576,
    EARLY_HOLD_MS: 500,
    FIRST_PROBE_MS: 5_000,
    UNCONFIRMED_ID_REST_MS: 30_000,
    CROSSED_ID_REST_MS: 2_000,
    MAX_HOST_LENGTH: 255,
    MAX_OPENING: 8,
  });
});

test("the words for errors and ends are the ones that users see", () => {
  assert.deepEqual([...PROTOCOL_ERROR_CODES], [
    "listen-expected",
    "bad-size",
    "unknown-command",
    "wrong-direction",
    "bad-field",
    "bad-channel",
    "bad-position",
    "credit-exceeded",
    "not-acknowledged",
  ]);
  assert.deepEqual([...CHANNEL_END_REASONS], [
    "client-closed",
    "client-finished",
    "client-reset",
    "service-closed",
    "service-reset",
    "service-refused",
    "service-unreachable",
    "service-down",
    "service-withdrawn",
    "connect-timeout",
    "not-allowed",
    "too-many-clients",
    "client-rate",
    "time-limit",
    "outside-hours",
    "access-closed",
    "draining",
    "server-limit",
    "bad-connect",
    "idle-timeout",
    "stalled",
    "id-reused",
    "too-many-channels",
    "closed-by-admin",
    "link-lost",
    "shutting-down",
  ]);
  assert.deepEqual([...LINK_END_REASONS], [
    "peer-closed",
    "connection-lost",
    "write-timeout",
    "keep-alive-timeout",
    "protocol-error",
    "dropped",
    "replaced",
    "goodbye",
    "expired",
    "not-resumed",
    "revoked",
    "shutting-down",
  ]);
});

test("LISTEN is 00 00 04 00", () => {
  assert.equal(hex(v1Listen()), "00 00 04 00");
});

test("CLOSE carries nothing but its id", () => {
  assert.equal(hex(v1Close(1)), "00 00 02 01");
  assert.equal(hex(v1Close(255)), "00 00 02 ff");
});

test("CONNECT carries the length of the address, the address and the port", () => {
  assert.equal(
    hex(v1Connect(1, { host: "10.41.51.152", port: 23 })),
    "00 10 01 01 00 0c 31 30 2e 34 31 2e 35 31 2e 31 35 32 00 17",
  );
  assert.equal(hex(v1Connect(0, { host: "::1", port: 65_535 })), "00 07 01 00 00 03 3a 3a 31 ff ff");
  assert.equal(
    hex(v1Connect(255, { host: "a".repeat(255), port: 1 })),
    `01 03 01 ff 00 ff ${"61 ".repeat(255)}00 01`,
  );
});

test("CONNECT cannot be written for a host that no device could read", () => {
  assert.throws(() => v1Connect(1, { host: "", port: 1 }), RangeError);
  assert.throws(() => v1Connect(1, { host: "a".repeat(256), port: 1 }), RangeError);
  assert.throws(() => v1Connect(1, { host: "é".repeat(128), port: 1 }), RangeError);
});

test("the header of DATA is written into the headroom and leaves the payload alone", () => {
  const frame = unhex("ff ff ff ff 68 69");
  writeV1Header(frame, 7, 2);
  assert.equal(hex(frame), "00 02 03 07 68 69");
  writeV1Header(frame, 255, 65_535);
  assert.equal(hex(frame), "ff ff 03 ff 68 69");
  writeV1Header(frame, 0, 256);
  assert.equal(hex(frame), "01 00 03 00 68 69");
});
