/**
 * How serial lines are written.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { formatSerialEndpoint, parseSerialEndpoint } from "./endpoint.ts";
import { formatSettings, USUAL_SETTINGS } from "./settings.ts";

test("a path alone is a line at 115200 8n1, for one client, as bytes", () => {
  assert.deepEqual(parseSerialEndpoint("/dev/ttyUSB0"), {
    path: "/dev/ttyUSB0",
    line: USUAL_SETTINGS,
    lock: false,
    share: "none",
    control: "none",
    replug: "keep",
  });
});

test("all that can be said of a line is read, and written again", () => {
  for (
    const text of [
      "serial:/dev/ttyUSB0,115200,8n1",
      "serial:/dev/serial/by-id/usb-FTDI_x-if00,300,7e2,flow=xon,lock,share=read,control=rfc2217,replug=end",
      "serial:/dev/ttyS1,31250,5m1.5,flow=rts",
    ]
  ) assert.equal(formatSerialEndpoint(parseSerialEndpoint(text)), text);
  const { line } = parseSerialEndpoint("/dev/ttyS0,7E1,9600");
  assert.equal(formatSettings(line), "9600 7e1");
  assert.equal(formatSettings({ ...line, flow: "rts" }), "9600 7e1 flow=rts");
});

test("what is wrong is told with what would do", () => {
  for (
    const [text, expected] of [
      ["serial:", /names no serial line; write \/dev\/ttyUSB0,115200,8n1/],
      ["COM3", /names no serial line/],
      ["/dev/", /names no serial line/],
      ["/dev/ttyUSB0,9n1", /"9n1" in .* is no form of characters; write 5 to 8 data bits/],
      ["/dev/ttyUSB0,8n1.5", /with 5 data bits: 1 or 1\.5/],
      ["/dev/ttyUSB0,5n2", /with 5 data bits: 1 or 1\.5/],
      ["/dev/ttyUSB0,10", /the speed "10" .* is not a whole number from 50 to 20000000/],
      ["/dev/ttyUSB0,9600,115200", /says speed twice/],
      ["/dev/ttyUSB0,flow=cts", /write flow=none or flow=rts or flow=xon/],
      ["/dev/ttyUSB0,lock=yes", /lock has no value/],
      ["/dev/ttyUSB0,share", /write share=none or share=read/],
      ["/dev/ttyUSB0,control=telnet", /write control=none or control=rfc2217/],
      ["/dev/ttyUSB0,parity=even", /"parity=even" in .* is not known; write/],
    ] as const
  ) assert.throws(() => parseSerialEndpoint(text), { name: "SyntaxError", message: expected }, text);
});
