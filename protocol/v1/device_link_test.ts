import assert from "node:assert/strict";
import {
  CROSSED_ID_REST_MS,
  EARLY_HOLD_MS,
  KNOCK_ANSWER_MS,
  MAX_EARLY_BYTES,
  MAX_UNANSWERED_EMPTY_DATA,
  UNCONFIRMED_ID_REST_MS,
} from "./limits.ts";
import type { V1Channel as Channel } from "./channel.ts";
import { V1DeviceLink } from "./device_link.ts";
import { ProtocolError } from "../errors.ts";
import { v1Connect } from "./codec.ts";
import { frameOf, RecordingOutput } from "./_fakes_test.ts";
import { concat } from "../bytes.ts";
import { hex, unhex } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";

const connectFrame = (id: number, host = "a") => v1Connect(id, { host, port: 23 });

class Fixture {
  readonly output = new RecordingOutput();
  readonly told: string[] = [];
  readonly channels: Channel[] = [];
  now = 0;
  readonly link = new V1DeviceLink(this.output, { now: () => this.now }, {
    onOpen: (channel, early) => {
      const n = this.channels.push(channel);
      this.told.push(`${n} open ${channel.id} ${channel.target.host} [${hex(early)}]`);
      channel.receiver = {
        onData: (bytes) => this.told.push(`${n} data ${hex(bytes)}`),
        onEnd: (reason) => this.told.push(`${n} end ${reason}`),
      };
    },
    onGone: (id, target) => this.told.push(`gone ${id} ${target.host}`),
    onBadConnect: (id) => this.told.push(`bad ${id}`),
  });

  receive(bytes: Uint8Array | string, now = 0): void {
    this.now = now;
    this.link.receive(typeof bytes === "string" ? unhex(bytes) : bytes);
  }

  tick(now: number): void {
    this.now = now;
    this.link.tick();
  }

  take(): string[] {
    return this.told.splice(0);
  }
}

test("LISTEN is the first frame of a link", () => {
  const fixture = new Fixture();
  fixture.link.listen();
  assert.deepEqual(fixture.output.take(), ["00 00 04 00"]);
});

test("LISTEN from the other side ends the link", () => {
  assert.throws(
    () => new Fixture().receive("00 00 04 00"),
    (error) => error instanceof ProtocolError && error.code === "wrong-direction",
  );
});

test("CONNECT opens a channel, DATA reaches it, CLOSE ends it and is confirmed", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(1), unhex("00 01 03 01 61 00 00 02 01")]));
  assert.deepEqual(fixture.take(), ["1 open 1 a []", "1 data 61", "1 end client-closed"]);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  assert.equal(fixture.link.channelCount, 0);
});

test("the device closes a channel with one CLOSE, and takes the confirmation as a no-op", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1));
  fixture.channels[0]!.close();
  fixture.channels[0]!.close();
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  fixture.receive("00 00 02 01", 1);
  fixture.receive("00 00 02 01", 2);
  assert.deepEqual(fixture.output.take(), []);
  assert.deepEqual(fixture.take(), ["1 open 1 a []"]);
});

test("CONNECT for an id that is open closes the old channel and opens anew", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(1, "old"), connectFrame(1, "new"), unhex("00 01 03 01 61")]));
  assert.deepEqual(fixture.take(), ["1 open 1 old []", "1 end id-reused", "2 open 1 new []", "2 data 61"]);
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.channelCount, 1);
});

test("the old channel of a reused id cannot close or write to the new one", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(1, "old"), connectFrame(1, "new")]));
  fixture.channels[0]!.close();
  fixture.channels[0]!.send(new Uint8Array(5), 1);
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.channels[1]!.open, true);
});

test("a CONNECT that cannot be read is answered with CLOSE, and ends the channel that had its id", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(1), frameOf(1, 1), frameOf(1, 2, unhex("00 09 61 00 17"))]));
  assert.deepEqual(fixture.take(), ["1 open 1 a []", "1 end id-reused", "bad 1", "bad 2"]);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01", "00 00 02 02"]);
});

test("bytes ahead of their CONNECT are given to it, in order", () => {
  const fixture = new Fixture();
  fixture.receive("00 01 03 01 61", 0);
  fixture.receive("00 01 03 02 7a 00 01 03 01 62", 10);
  assert.deepEqual(fixture.output.take(), []);
  fixture.receive(concat([connectFrame(1), unhex("00 01 03 01 63")]), 20);
  assert.deepEqual(fixture.take(), ["1 open 1 a [61 62]", "1 data 63"]);
  fixture.receive(connectFrame(2), 30);
  assert.deepEqual(fixture.take(), ["2 open 2 a [7a]"]);
  assert.equal(fixture.link.deadline, Infinity);
});

test("bytes whose CONNECT does not come are answered with CLOSE when their time is up", () => {
  const fixture = new Fixture();
  fixture.receive("00 01 03 01 61", 100);
  assert.equal(fixture.link.deadline, 100 + EARLY_HOLD_MS);
  fixture.tick(99 + EARLY_HOLD_MS);
  assert.deepEqual(fixture.output.take(), []);
  fixture.tick(100 + EARLY_HOLD_MS);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  assert.equal(fixture.link.deadline, Infinity);
  fixture.receive(connectFrame(1), 2_000);
  assert.deepEqual(fixture.take(), ["1 open 1 a []"]);
});

test("more early bytes than the bound are answered with CLOSE once, and all of them are dropped", () => {
  const fixture = new Fixture();
  fixture.receive(frameOf(3, 1, new Uint8Array(65_535)), 0);
  fixture.receive(frameOf(3, 1, new Uint8Array(MAX_EARLY_BYTES - 65_535)), 0);
  assert.deepEqual(fixture.output.take(), []);
  fixture.receive("00 01 03 01 61", 0);
  fixture.receive("00 01 03 01 62", 1);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  assert.equal(fixture.link.deadline, Infinity);
});

test("a CLOSE ahead of its CONNECT opens nothing, and the CONNECT is answered with CLOSE", () => {
  const fixture = new Fixture();
  fixture.receive("00 00 02 01", 0);
  assert.equal(fixture.link.deadline, EARLY_HOLD_MS);
  fixture.receive(concat([connectFrame(1), connectFrame(2)]), 20);
  assert.deepEqual(fixture.take(), ["gone 1 a", "1 open 2 a []"]);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
  assert.equal(fixture.link.deadline, Infinity);
  fixture.receive("00 00 02 01", 30); // whoever confirms that
  fixture.receive(connectFrame(1), 40);
  assert.deepEqual(fixture.take(), ["2 open 1 a []"]);
  assert.deepEqual(fixture.output.take(), []);
});

test("bytes and a CLOSE ahead of their CONNECT are delivered, and then the end", () => {
  const fixture = new Fixture();
  fixture.receive("00 01 03 01 61 00 00 02 01 00 01 03 01 62", 0);
  fixture.receive(connectFrame(1), 1);
  assert.deepEqual(fixture.take(), ["1 open 1 a [61]", "1 end client-closed"]);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
});

test("a CLOSE whose CONNECT does not come is forgotten when its time is up, and never answered", () => {
  const fixture = new Fixture();
  fixture.receive("00 00 02 01", 100);
  fixture.tick(100 + EARLY_HOLD_MS);
  assert.equal(fixture.link.deadline, Infinity);
  fixture.receive(connectFrame(1), 101 + EARLY_HOLD_MS);
  assert.deepEqual(fixture.take(), ["1 open 1 a []"]);
  assert.deepEqual(fixture.output.take(), []);
});

test("one CLOSE more for a channel that has just ended is not taken for the next client's", () => {
  for (const byServer of [true, false]) {
    const fixture = new Fixture();
    fixture.receive(connectFrame(1), 0);
    if (byServer) fixture.receive("00 00 02 01", 10);
    else {
      fixture.now = 10;
      fixture.channels[0]!.close();
    }
    fixture.receive("00 00 02 01 00 00 02 01", CROSSED_ID_REST_MS);
    fixture.receive(connectFrame(1), CROSSED_ID_REST_MS + 1);
    assert.equal(fixture.take().at(-1), "2 open 1 a []");
    fixture.receive("00 00 02 01", CROSSED_ID_REST_MS + 2);
    fixture.receive("00 00 02 01", CROSSED_ID_REST_MS * 2 + 2); // that one is of the next client
    fixture.receive(connectFrame(1), CROSSED_ID_REST_MS * 2 + 3);
    assert.equal(fixture.take().at(-1), "gone 1 a");
  }
});

test("late DATA after the device's own CLOSE is dropped, and not given to the next channel of that id", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1), 0);
  fixture.now = 10;
  fixture.channels[0]!.close();
  fixture.output.take();
  fixture.receive("00 01 03 01 61", 20);
  assert.equal(fixture.link.deadline, Infinity);
  fixture.receive(connectFrame(1), 30);
  assert.deepEqual(fixture.take(), ["1 open 1 a []", "2 open 1 a []"]);
  assert.deepEqual(fixture.output.take(), []);
  assert.equal(fixture.link.counters.strayData, 1);
});

test("a CONNECT settles the CLOSE before it: bytes ahead of the CONNECT after that are kept", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1), 0);
  fixture.channels[0]!.close();
  fixture.receive(concat([connectFrame(1), unhex("00 00 02 01 00 01 03 01 61"), connectFrame(1)]), 10);
  assert.deepEqual(fixture.take().slice(1), ["2 open 1 a []", "2 end client-closed", "3 open 1 a [61]"]);
});

test("DATA for an id whose CLOSE was never confirmed counts as early again after its rest", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1), 0);
  fixture.channels[0]!.close();
  fixture.receive("00 01 03 01 61", UNCONFIRMED_ID_REST_MS);
  fixture.receive(connectFrame(1), UNCONFIRMED_ID_REST_MS + 1);
  assert.deepEqual(fixture.take(), ["1 open 1 a []", "2 open 1 a [61]"]);
});

test("the end of the link ends every channel without a word on the wire", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(1), connectFrame(2)]));
  fixture.link.end("link-lost");
  assert.deepEqual(fixture.take().slice(2), ["1 end link-lost", "2 end link-lost"]);
  assert.deepEqual(fixture.output.take(), []);
});

test("frames of no meaning are passed over", () => {
  const fixture = new Fixture();
  fixture.receive("00 00 63 01 00 00 03 01 00 00 02 07");
  assert.deepEqual(fixture.output.take(), []);
  assert.deepEqual({ ...fixture.link.counters }, { strayData: 0, strayClose: 1, ignored: 1, channels: 0 });
});

test("a knock is a CLOSE for an id that is not in use, and its answer proves that the server answers knocks", () => {
  const fixture = new Fixture();
  assert.equal(fixture.link.answersKnocks, false);
  fixture.receive("00 00 02 00");
  assert.equal(fixture.link.answersKnocks, false, "nobody knocked");
  assert.equal(fixture.link.knock(), true);
  assert.deepEqual(fixture.output.take(), ["00 00 02 00"]);
  fixture.receive("00 00 02 00");
  assert.equal(fixture.link.answersKnocks, true);
  assert.deepEqual(fixture.output.take(), [], "the answer was answered");
});

test("a CLOSE for another id is no answer to a knock", () => {
  const fixture = new Fixture();
  fixture.link.knock();
  fixture.receive("00 00 02 09");
  assert.equal(fixture.link.answersKnocks, false);
  fixture.receive("00 00 02 00");
  assert.equal(fixture.link.answersKnocks, true);
});

test("a knock uses the id that ended last, which a server hands out last", () => {
  const fixture = new Fixture();
  fixture.receive(concat([connectFrame(3), connectFrame(4), unhex("00 00 02 04 00 00 02 03")]));
  fixture.output.take();
  assert.equal(fixture.link.knock(), true);
  assert.deepEqual(fixture.output.take(), ["00 00 02 03"]);
});

test("no knock hits a client: neither an open id, nor one of many", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(0));
  assert.equal(fixture.link.knock(), false);
  fixture.receive(concat([connectFrame(1), unhex("00 00 02 01")]));
  for (let id = 2; id < 128; id++) fixture.receive(connectFrame(id));
  fixture.output.take();
  assert.equal(fixture.link.channelCount, 127);
  assert.equal(fixture.link.knock(), true);
  fixture.receive(connectFrame(128));
  assert.equal(fixture.link.knock(), false);
  assert.deepEqual(fixture.output.take(), ["00 00 02 01"]);
});

test("no knock while the server's answer could be the confirmation of a CLOSE", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1));
  fixture.channels[0]!.close();
  assert.equal(fixture.link.knock(), false);
  fixture.receive("00 00 02 01", 1);
  assert.equal(fixture.link.answersKnocks, false);
  assert.equal(fixture.link.knock(), true);
});

test("a server that never confirms a CLOSE can be knocked at all the same, after the id's rest", () => {
  const fixture = new Fixture();
  fixture.receive(connectFrame(1), 0);
  fixture.channels[0]!.close();
  fixture.tick(UNCONFIRMED_ID_REST_MS);
  assert.equal(fixture.link.knock(), true);
});

/** Knocks as the owner does, at `now`. @returns what was sent until the answer is due, or past. */
function knockAt(fixture: Fixture, now: number): string[] {
  fixture.tick(now);
  assert.equal(fixture.link.knock(), true);
  fixture.tick(now + KNOCK_ANSWER_MS - 1);
  const sent = fixture.output.take();
  fixture.tick(now + KNOCK_ANSWER_MS);
  return [...sent, ...fixture.output.take()];
}

test("a server that drops a CLOSE is asked by DATA of size 0 for an id that was never used, and after that only so", () => {
  const fixture = new Fixture();
  assert.deepEqual(knockAt(fixture, 0), ["00 00 02 00", "00 00 03 ff"]);
  assert.equal(fixture.link.deadline, Infinity);
  assert.equal(fixture.link.answersKnocks, false);
  fixture.receive("00 00 02 ff", KNOCK_ANSWER_MS + 1);
  assert.equal(fixture.link.answersKnocks, true);
  assert.deepEqual(knockAt(fixture, 60_000), ["00 00 03 ff"]);
  fixture.receive("00 00 02 ff", 70_000);
  assert.deepEqual(fixture.output.take(), [], "the answer was answered");
  assert.deepEqual(fixture.take(), []);
});

test("a server that answers a CLOSE never gets DATA of size 0", () => {
  const fixture = new Fixture();
  fixture.tick(0);
  fixture.link.knock();
  assert.deepEqual(fixture.output.take(), ["00 00 02 00"]);
  fixture.receive("00 00 02 00", 100);
  assert.equal(fixture.link.deadline, Infinity);
  for (let n = 1; n < 5; n++) {
    assert.deepEqual(knockAt(fixture, n * 60_000), ["00 00 02 00"]);
    fixture.receive("00 00 02 00", n * 60_000 + KNOCK_ANSWER_MS + 10);
  }
  assert.equal(fixture.link.answersKnocks, true);
});

test("a server whose path is slow answers the CLOSE after the DATA of size 0: that settles it, too", () => {
  const fixture = new Fixture();
  assert.deepEqual(knockAt(fixture, 0), ["00 00 02 00", "00 00 03 ff"]);
  fixture.receive("00 00 02 00", 8_000);
  assert.equal(fixture.link.answersKnocks, true);
  assert.deepEqual(knockAt(fixture, 60_000), ["00 00 02 00"]);
});

test("a server that answers neither gets DATA of size 0 a few times, and CLOSE from then on", () => {
  const fixture = new Fixture();
  for (let n = 0; n < 5; n++) {
    const second = n < MAX_UNANSWERED_EMPTY_DATA ? ["00 00 03 ff"] : [];
    assert.deepEqual(knockAt(fixture, n * 60_000), ["00 00 02 00", ...second]);
  }
  assert.equal(fixture.link.answersKnocks, false);
});

test("no DATA of size 0 for an id that was used, nor while it could be handed out soon: then silence proves nothing", () => {
  for (const used of [[255], Array.from({ length: 128 }, (_, n) => n + 1)]) {
    const fixture = new Fixture();
    knockAt(fixture, 0);
    fixture.receive("00 00 02 ff", 10_000);
    assert.equal(fixture.link.answersKnocks, true);
    for (const id of used) fixture.receive(concat([connectFrame(id), unhex("00 00 02 00").with(3, id)]), 20_000);
    fixture.output.take();
    assert.equal(fixture.link.answersKnocks, false);
    const last = unhex("00 00 02 00").with(3, used.at(-1)!);
    assert.deepEqual(knockAt(fixture, 60_000), [hex(last)], "it keeps a NAT's mapping");
    fixture.receive(last, 70_000);
    fixture.receive(connectFrame(used.at(-1)!), 70_010);
    assert.equal(fixture.take().at(-1), `gone ${used.at(-1)} a`, "it was no answer");
    assert.equal(fixture.link.answersKnocks, false);

    const other = new Fixture();
    for (const id of used) other.receive(concat([connectFrame(id), unhex("00 00 02 00").with(3, id)]), 0);
    other.output.take();
    assert.deepEqual(knockAt(other, 60_000), [hex(last)]);
  }
});

test("answers to two knocks in a row are both answers, and not a CLOSE of the next client", () => {
  const fixture = new Fixture();
  fixture.link.knock();
  fixture.link.knock();
  fixture.receive("00 00 02 00 00 00 02 00", 100);
  fixture.receive(connectFrame(0), 110);
  assert.deepEqual(fixture.take(), ["1 open 0 a []"]);
});
