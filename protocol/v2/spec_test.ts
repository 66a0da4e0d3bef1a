import assert from "node:assert/strict";
import { goodbye, GOODBYE_CODES } from "./wire/goodbye.ts";
import { PROTOCOL_ERROR_CODES } from "../errors.ts";
import type { ChannelEndReason } from "../reasons.ts";
import { NOT_NUMBERED, SKIPPABLE, V2_PREAMBLE, V2Command } from "./wire/commands.ts";
import { V2_VERSIONS } from "./wire/handshake.ts";
import { readResult } from "./wire/messages.ts";
import { hex } from "../../tests/rig/bytes.ts";
import { DeviceRig, protocolError, ServerRig, v2FrameOf } from "./_fakes_test.ts";
import { test } from "../../tests/rig/test.ts";

const text = await Deno.readTextFile(new URL("./v2.md", import.meta.url));

/** The cells of the rows of the table behind a heading; the first row is the table's head. */
function table(heading: string): string[][] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return section.split("\n").filter((line) => line.startsWith("|") && !/^\|[ :|-]+\|$/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
}

const [, ...commands] = table("Commands");

test("the command numbers of the specification are those of the code, and no others", () => {
  const stated = commands.map(([name = "", number = ""]) => [name, Number(number)]);
  assert.equal(stated.length, 16);
  assert.deepEqual(Object.fromEntries(stated), { ...V2Command });
});

test("the bits of a command number say what the specification says of its frame", () => {
  assert.equal(NOT_NUMBERED, 0x40);
  assert.equal(SKIPPABLE, 0x80);
  const numbered = Object.entries(V2Command).filter(([, number]) => (number & NOT_NUMBERED) === 0).map(([name]) =>
    name
  );
  const lasting = ["CONNECT", "CLOSE", "DATA", "LISTEN", "RESULT", "END", "CREDIT", "SETTINGS"];
  assert.deepEqual(numbered, lasting);
});

test("a command that only the other side may send, or that is of the handshake, ends the link", () => {
  for (const [name = "", number, direction = ""] of commands) {
    const handshake = ["HELLO", "CHALLENGE", "AUTH", "WELCOME"].includes(name);
    assert.match(direction, /^(both|device → server|server → device)$/);
    const code = (rig: ServerRig | DeviceRig) =>
      protocolError(() => rig.receive(v2FrameOf(Number(number), 0, new Uint8Array(1))));
    const toServer = code(new ServerRig()) === "wrong-direction";
    const toDevice = code(new DeviceRig()) === "wrong-direction";
    assert.equal(toServer, handshake || direction === "server → device", `${name} to a server`);
    assert.equal(toDevice, handshake || direction === "device → server", `${name} to a device`);
  }
});

test("the reasons of the specification are those of the code", () => {
  const cells = table("Channels").slice(1).flatMap(([a = "", b = "", c = "", d = ""]) => [[a, b], [c, d]] as const);
  const stated = cells.filter(([number]) => number !== "").map(([number, name]) => [Number(number), name] as const);
  assert.equal(stated.length, 15);
  for (const [number, name] of stated) {
    const { reason } = readResult(Uint8Array.of(number, 0, 0, 0, 0));
    assert.equal(reason ?? "connected (RESULT)", name satisfies string as ChannelEndReason);
  }
});

test("the goodbyes of the specification are those of the code, with the same time to come back", () => {
  const [, ...rows] = table("Goodbyes");
  assert.deepEqual(rows.map(([, name]) => name), [...GOODBYE_CODES]);
  for (const [number, name = "", , comeBack = ""] of rows) {
    const at = GOODBYE_CODES.findIndex((code) => code === name);
    assert.equal(Number(number), at + 1);
    const [, count, unit] = /^after (\d+) (s|min)$/.exec(comeBack) ?? [];
    const expected = comeBack === "own pace"
      ? undefined
      : comeBack === "never"
      ? Infinity
      : Number(count) * (unit === "s" ? 1_000 : 60_000);
    assert.equal(goodbye(GOODBYE_CODES[at]!, "").comeBackAfter, expected, name);
  }
});

test("the errors that the specification names are those of the code", () => {
  const section = text.split("\n## What ends a link\n")[1]?.split("\n## ")[0] ?? "";
  const named = [...section.matchAll(/\(`([a-z-]+)`\)/g)].map(([, code]) => code);
  assert.deepEqual(new Set(named), new Set(PROTOCOL_ERROR_CODES.filter((code) => code !== "listen-expected")));
});

test("the preamble and the version are the ones that the specification states", () => {
  assert(text.includes(`\`${hex(V2_PREAMBLE)}\``), "the preamble is another");
  const version = /^Version: (\d+)\./m.exec(text)?.[1];
  assert.deepEqual([...V2_VERSIONS], [Number(version), Number(version)]);
});
