/**
 * The options of `canserver`.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Command } from "commander";
import { addOptions, optionValues } from "../app/options.ts";
import { TomlTable } from "../app/toml/table.ts";
import { test } from "../tests/rig/test.ts";
import { CAN_OPTIONS, canConfig, describeCan } from "./config.ts";

function configOf(...args: string[]) {
  const command = new Command().exitOverride();
  addOptions(command, CAN_OPTIONS, false);
  command.parse(args, { from: "user" });
  return canConfig(optionValues(CAN_OPTIONS, command, undefined));
}

test("without options it is can0 at the port of python-can's remote interface, as the original has it", () => {
  const { bus, host, port } = configOf();
  assert.deepEqual([bus.place, host, port], [{ kind: "socketcan", channel: "can0" }, "0.0.0.0", 54_701]);
});

test("interface and channel name the bus, and the rest says how it is offered", () => {
  assert.deepEqual(
    configOf("--interface", "slcan", "--channel", "/dev/ttyACM0", "--bitrate", "250000", "--port", "54702").bus,
    {
      place: { kind: "slcan", channel: "/dev/ttyACM0", baud: 115_200 },
      ...{ bitrate: 250_000, wire: "auto", listenOnly: false, maxClients: 64, fd: false },
    },
  );
  const virtual = configOf("--interface", "virtual", "--channel", "lab", "--listen-only", "--fd", "--wire", "slcan");
  assert.deepEqual([virtual.bus.place.kind, virtual.bus.listenOnly, virtual.bus.fd, virtual.bus.wire], [
    "virtual",
    true,
    true,
    "slcan",
  ]);
  assert.equal(configOf("--interface", "slcan", "--channel", "tcp:10.0.0.7:2000").bus.place.kind, "slcan-tcp");
  assert.equal(configOf("--host", "[::1]").host, "::1");
});

test("a file has the same words", () => {
  const command = new Command();
  addOptions(command, CAN_OPTIONS, false);
  const file = TomlTable.parse(
    "can.toml",
    'interface = "virtual"\nchannel = "lab"\nport = "1234"\nlisten-only = true\n',
  );
  const config = canConfig(optionValues(CAN_OPTIONS, command, file));
  assert.deepEqual(describeCan(config), ["bus lab", "clients at 0.0.0.0:1234", "listen-only"]);
});

test("what cannot be meant is told with what would do", () => {
  const cases: [string[], RegExp][] = [
    [["--interface", "kvaser"], /none of socketcan, slcan, virtual; adapters of other kinds/],
    [["--interface", "socket-can"], /did you mean socketcan/],
    [["--interface", "slcan"], /--channel is missing.*ttyACM0/],
    [["--channel", "slcan:/dev/ttyACM0"], /write --interface slcan --channel \/dev\/ttyACM0/],
    [["--channel", "virtual:lab"], /write --interface virtual --channel lab/],
    [["--channel", "can0,500000"], /has a comma/],
    [["--bitrate", "fast"], /bitrate "fast" is not a whole number/],
    [["--interface", "virtual", "--bitrate", "500000"], /has no bitrate/],
    [["--baud", "9600"], /baud is for slcan/],
    [["--port", "70000"], /whole number from 0 to 65535/],
    [["--host", "here:1"], /no address of this machine/],
    [["--wire", "kayak"], /none of auto, remote/],
    [["--max-clients", "0"], /whole number from 1 to 1024/],
  ];
  for (const [args, message] of cases) assert.throws(() => configOf(...args), message);
});
