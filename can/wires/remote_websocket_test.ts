/**
 * The remote interface over a WebSocket, against what python-can-remote 0.3.0 has said and heard.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { BRS, ESI, EXTENDED, FD, KIND_BIT } from "../frame.ts";
import { concat } from "../../protocol/bytes.ts";
import { ascii } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { MAX_OPENING_HEAD, MAX_SOCKET_MESSAGE } from "../limits.ts";
import type { Request } from "../wire.ts";
import { RemoteWebSocketWire } from "./remote_websocket.ts";
import { socketFrame } from "./websocket_frames.ts";
import { acceptOf } from "./websocket_opening.ts";
import {
  anyFrame,
  bytes,
  errorFrame,
  frame,
  fuzz,
  hexOf,
  remoteFrame,
  requests,
  sameAtEverySplit,
  written,
} from "./_wire_fixture_test.ts";

const HEAD = [
  "GET / HTTP/1.1",
  "Host: 127.0.0.1:18906",
  "Accept-Encoding: identity",
  "User-Agent: python-can/4.6.1 (linux)",
  "Upgrade: WebSocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Key: IpHYzcMQQR5+wnN4pmHJNQ==",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Protocol: can.binary+json.v1,can.json.v1",
];
const opening = (head = HEAD) => ascii(head.join("\r\n") + "\r\n\r\n");
const make = () => new RemoteWebSocketWire();
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A client's message, masked. */
function masked(opcode: number, payload: Uint8Array | string, mask = [0x92, 0xd5, 0x63, 0x6e]): Uint8Array {
  const body = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  const whole = socketFrame(opcode, body);
  const head = whole.length - body.length;
  return Uint8Array.from([
    ...[whole[0]!, whole[1]! | 0x80, ...whole.subarray(2, head)],
    ...mask,
    ...body.map((byte, at) => byte ^ mask[at & 3]!),
  ]);
}

const BUS_REQUEST = masked(
  1,
  `{"type": "bus_request", "payload": {"config": {"bitrate": 500000, "can_filters": [{"can_id": 18, "can_mask": 255}]}}}`,
);

/** Requests behind an opening. */
function behind(...messages: Uint8Array[]) {
  return requests(make(), [opening(), BUS_REQUEST, ...messages]).slice(2);
}

const refusal = (request: Request | string | undefined) =>
  typeof request === "object" && request.type === "mistake" ? request.text : request;

test("the opening is answered as RFC 6455 wants it, and nothing is said before bus_request", () => {
  const [answer, open, ...more] = sameAtEverySplit(make, concat([opening(), BUS_REQUEST]));
  assert.ok(typeof answer === "object" && answer.type === "answer");
  assert.match(text(answer.bytes), /^HTTP\/1\.1 101 .*\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n/);
  assert.match(text(answer.bytes), /Sec-WebSocket-Accept: NBryfwFZ\/qfq3zCQOfMq0ZCeJ48=\r\n/);
  assert.match(text(answer.bytes), /Sec-WebSocket-Protocol: can\.binary\+json\.v1\r\n\r\n$/);
  assert.deepEqual(open, {
    type: "open",
    bitrate: 500_000,
    filters: [{ id: 18, mask: 255 }],
    ownFrames: false,
  });
  assert.deepEqual(more, []);
  assert.equal(acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "the example of RFC 6455");
});

test("the form is the better one that was offered, and what is no WebSocket is told so", () => {
  const said = (head: string[]) => {
    const [request] = requests(make(), [opening(head)]);
    assert.ok(typeof request === "object" && (request.type === "answer" || request.type === "end"));
    return text(request.bytes);
  };
  assert.match(said([...HEAD.slice(0, -1), "Sec-WebSocket-Protocol: can.json.v1"]), /Protocol: can\.json\.v1\r\n/);
  assert.doesNotMatch(said(HEAD.slice(0, -1)), /Protocol: /);
  assert.match(said(HEAD.filter((line) => !line.startsWith("Upgrade"))), /^HTTP\/1\.1 404 .*python-can/s);
  assert.match(said(HEAD.map((line) => line.replace("Version: 13", "Version: 8"))), /^HTTP\/1\.1 426 /);
  assert.match(said(HEAD.map((line) => line.replace("==", ""))), /^HTTP\/1\.1 400 /);
  assert.match(String(requests(make(), [ascii(`GET /${"x".repeat(MAX_OPENING_HEAD)}`)])[0]), /head of more than/);
});

test("frames as binary messages are read and written as the original does", () => {
  const golden = [
    ["01 41d5eb22b083f9d8 00000100 04 00 01020304", frame(0x100, [1, 2, 3, 4], 0, 1470925506.0621243)],
    ["01 0000000000000000 00abcdef 08 01 ffffffffffffffff", frame(0xabcdef, new Array(8).fill(255), EXTENDED)],
    ["01 0000000000000000 00000123 08 02", remoteFrame(0x123, 8)],
    ["01 0000000000000000 00000000 00 04", errorFrame],
    [
      "01 0000000000000000 00012345 0c 39 000102030405060708090a0b",
      frame(0x12345, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], EXTENDED | FD | BRS | ESI),
    ],
  ] as const;
  for (const [golden_, frame] of golden) {
    const wire = make();
    requests(wire, [opening(), BUS_REQUEST]);
    assert.equal(hexOf(written(wire, frame).subarray(2)), golden_.replaceAll(" ", ""));
    assert.deepEqual(behind(masked(2, bytes(golden_))), [{ type: "frame", frame: { ...frame, time: 0 } }]);
  }
});

test("a frame on the wire is unmasked as it was seen there", () => {
  const seen = bytes("82 92 d5636e9b d4636e9bd5636e9bd5636e9bc7606e9ad760");
  const [found] = behind(seen);
  assert.deepEqual(found, { type: "frame", frame: frame(0x12, [1, 2, 3]) });
});

test("frames as JSON are read and written as the original does", () => {
  const wire = make();
  requests(wire, [opening([...HEAD.slice(0, -1), "Sec-WebSocket-Protocol: can.json.v1"]), BUS_REQUEST]);
  const message = {
    type: "message",
    payload: {
      timestamp: 1.5,
      arbitration_id: 256,
      is_extended_id: false,
      is_remote_frame: false,
      is_error_frame: false,
      dlc: 4,
      data: [1, 2, 3, 4],
    },
  };
  const out = written(wire, frame(256, [1, 2, 3, 4], 0, 1.5));
  assert.equal(out[0], 0x81);
  assert.deepEqual(JSON.parse(text(out.subarray(4))), message);
  const long = written(wire, frame(0x1fffffff, new Array(64).fill(255), EXTENDED | FD | BRS | ESI, 1470925506.0621243));
  assert.equal(JSON.parse(text(long.subarray(4))).payload.error_state_indicator, true);
  assert.deepEqual(requests(wire, [masked(1, JSON.stringify(message))]), [
    { type: "frame", frame: frame(256, [1, 2, 3, 4]) },
  ]);
  const short = `{"type": "message", "payload": {"arbitration_id": 7}}`;
  assert.deepEqual(
    requests(wire, [masked(1, short)]),
    [{ type: "frame", frame: frame(7, [], EXTENDED) }],
    "as python-can has it",
  );
  const old = `{"type": "message", "payload": {"arbitration_id": 7, "extended_id": false}}`;
  assert.deepEqual(requests(wire, [masked(1, old)]), [{ type: "frame", frame: frame(7) }], "0.1.x");
});

test("periodic frames start and stop", () => {
  const start =
    `{"type": "periodic_start", "payload": {"period": 0.2, "duration": 0.5, "msg": {"arbitration_id": 18, ` +
    `"is_extended_id": false, "is_remote_frame": false, "is_error_frame": false, "is_fd": false, "bitrate_switch": false, "dlc": 1, "data": [1]}}}`;
  assert.deepEqual(behind(masked(1, start), masked(1, `{"type": "periodic_stop", "payload": 18}`)), [
    { type: "periodic-start", key: "18", frame: frame(18, [1]), period: 200, duration: 500 },
    { type: "periodic-stop", key: "18" },
  ]);
});

test("filters may say the kind of id, and own frames may be wanted", () => {
  const config = `{"can_filters": [{"can_id": 5, "can_mask": 7, "extended": true}], "receive_own_messages": true}`;
  const request = masked(1, `{"type": "bus_request", "payload": {"config": ${config}}}`);
  assert.deepEqual(requests(make(), [opening(), request])[1], {
    type: "open",
    filters: [{ id: (5 | KIND_BIT) >>> 0, mask: (7 | KIND_BIT) >>> 0 }],
    ownFrames: true,
  });
});

test("what this side says is what the original says, cut to what a control frame holds", () => {
  const wire = make();
  requests(wire, [opening(), BUS_REQUEST]);
  const info = wire.opened("Virtual bus channel unittest");
  assert.deepEqual(JSON.parse(text(info.subarray(2))), {
    type: "bus_response",
    payload: { channel_info: "Virtual bus channel unittest" },
  });
  assert.equal(hexOf(make().refused("no such channel").bytes), "881103f36e6f2073756368206368616e6e656c");
  assert.equal(make().refused("ä".repeat(200)).bytes.length, 2 + 2 + 122);
  assert.deepEqual(JSON.parse(text(wire.troubled("This is an error", false).bytes.subarray(2))), {
    type: "error",
    payload: "This is an error",
  });
  assert.equal(wire.troubled("down", false).end, false);
  assert.equal(wire.troubled("gone", true).end, true);
  assert.equal(wire.lastWords().length, 0, "there is one CLOSE");
});

test("PING is answered with PONG, and CLOSE with CLOSE of the same status", () => {
  assert.deepEqual(behind(masked(9, "hello")), [{ type: "answer", bytes: socketFrame(10, ascii("hello")) }]);
  const [end, ...more] = behind(masked(8, ""), masked(2, "what follows"));
  assert.deepEqual(end, { type: "end", bytes: bytes("880203e8") });
  assert.deepEqual(more, []);
  assert.deepEqual(behind(masked(8, bytes("03f3 6e6f"))), [{ type: "end", bytes: bytes("880203f3") }]);
});

test("events that are wrong are answered with an error, and count for nothing", () => {
  for (
    const wrong of [
      "[]",
      "{",
      `{"type": 1}`,
      `{"type": "message", "payload": {"arbitration_id": 2048, "is_extended_id": false}}`,
      `{"type": "message", "payload": {"arbitration_id": 1, "data": [256]}}`,
      `{"type": "message", "payload": {"arbitration_id": 1, "data": [1], "dlc": 3}}`,
      `{"type": "periodic_start", "payload": {"period": "soon", "msg": {"arbitration_id": 1}}}`,
      `{"type": "bus_request", "payload": {}}`,
    ]
  ) {
    const [request] = behind(masked(1, wrong));
    assert.equal(typeof request === "object" && request.type, "mistake", wrong);
  }
  assert.equal(refusal(behind(masked(2, bytes("01 00")))[0]), "a binary message of 2 bytes");
  assert.deepEqual(
    behind(masked(2, bytes("02 00")), masked(1, `{"type": "later"}`)),
    [],
    "what a later version may say",
  );
});

test("what no WebSocket client may send ends it with the status that says so", () => {
  const status = (message: Uint8Array) => {
    const wire = make();
    try {
      for (const _ of wire.push(concat([opening(), BUS_REQUEST, message])));
    } catch (error) {
      const { lastWords } = error as { lastWords: Uint8Array };
      return lastWords[2]! << 8 | lastWords[3]!;
    }
    return undefined;
  };
  assert.equal(status(socketFrame(1, ascii("{}"))), 1002, "without a mask");
  assert.equal(status(bytes("01 80 00000000")), 1002, "a fragment");
  assert.equal(status(bytes("80 80 00000000")), 1002, "its rest");
  assert.equal(status(bytes("c1 80 00000000")), 1002, "an extension");
  assert.equal(status(bytes("89 fe 0100 00000000")), 1002, "a long PING");
  assert.equal(status(masked(1, bytes("ff"))), 1007);
  assert.equal(status(bytes("82 ff 0000000000010001 00000000")), 1009);
  assert.equal(status(bytes("82 ff ffffffffffffffff 00000000")), 1009);
  assert.equal(status(masked(1, " ".repeat(MAX_SOCKET_MESSAGE - 2) + "{}")), undefined, "the longest that is taken");
});

test("every frame comes back as it was written, in either form", () => {
  for (const head of [HEAD, [...HEAD.slice(0, -1), "Sec-WebSocket-Protocol: can.json.v1"]]) {
    fc.assert(fc.property(anyFrame(true), (frame) => {
      const wire = make();
      requests(wire, [opening(head), BUS_REQUEST]);
      const out = written(wire, frame);
      const size = out[1] === 126 ? 4 : 2;
      assert.deepEqual(requests(wire, [masked(out[0]! & 15, out.subarray(size))]), [{ type: "frame", frame }]);
    }));
  }
});

test("hostile bytes do nothing but end the client", () => {
  fuzz(make, new Uint8Array());
  fuzz(make, ascii("GET / HTTP/1.1\r\n"), "abc: \r\n");
  fuzz(make, opening());
  fuzz(make, concat([opening(), BUS_REQUEST]));
  fc.assert(fc.property(fc.json(), (json) => void behind(masked(1, json))));
  fc.assert(
    fc.property(
      fc.constantFrom("message", "periodic_start", "periodic_stop", "bus_request"),
      fc.jsonValue(),
      (type, payload) => {
        requests(make(), [opening(), masked(1, JSON.stringify({ type, payload }))]);
        behind(masked(1, JSON.stringify({ type, payload })));
      },
    ),
  );
});
