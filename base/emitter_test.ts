import assert from "node:assert/strict";
import { Emitter } from "./emitter.ts";
import { RecordingLogger } from "../tests/rig/logger.ts";
import { test } from "../tests/rig/test.ts";

test("subscribers are told in the order of their coming, until they leave", () => {
  const emitter = new Emitter<number>(new RecordingLogger());
  const told: string[] = [];
  const leave = emitter.subscribe((event) => told.push(`a${event}`));
  emitter.subscribe((event) => told.push(`b${event}`));
  emitter.emit(1);
  leave();
  leave();
  emitter.emit(2);
  assert.deepEqual(told, ["a1", "b1", "b2"]);
});

test("a subscriber that throws is logged, and the others are told", () => {
  const logger = new RecordingLogger();
  const emitter = new Emitter<number>(logger);
  const told: number[] = [];
  emitter.subscribe(() => {
    throw new Error("bad day");
  });
  emitter.subscribe((event) => told.push(event));
  emitter.emit(1);
  assert.deepEqual(told, [1]);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0]!, /^error .*bad day/);
});

test("a subscriber may leave while it is told", () => {
  const emitter = new Emitter<number>(new RecordingLogger());
  const told: string[] = [];
  const leave = emitter.subscribe((event) => {
    told.push(`a${event}`);
    leave();
  });
  emitter.subscribe((event) => told.push(`b${event}`));
  emitter.emit(1);
  emitter.emit(2);
  assert.deepEqual(told, ["a1", "b1", "b2"]);
});
