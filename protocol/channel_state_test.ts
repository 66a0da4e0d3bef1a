import assert from "node:assert/strict";
import fc from "fast-check";
import { afterEnd, afterPeerEnd, type ChannelState, mayReceive, maySend } from "./channel_state.ts";
import { connected, ServerRig, v2FrameOf } from "./v2/_fakes_test.ts";
import { V2Command } from "./v2/wire/commands.ts";
import { test } from "../tests/rig/test.ts";

const STATES: readonly ChannelState[] = ["open", "ended", "peer-ended", "both-ended", "closed"];

test("the table of a channel's states is what the functions do", async () => {
  const source = await Deno.readTextFile(new URL("channel_state.ts", import.meta.url));
  const rows = source.split("\n").filter((line) => line.startsWith(" * | `"));
  const table = rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  assert.deepEqual(
    table,
    STATES.map((state) => [
      ...[state, maySend(state) ? "yes" : "no", mayReceive(state) ? "yes" : "no"],
      ...[afterEnd(state), afterPeerEnd(state), "closed"],
    ]),
  );
});

/** What happens to a channel. */
const EVENTS = {
  end: afterEnd,
  "peer's end": afterPeerEnd,
  close: () => "closed",
  "peer's close": () => "closed",
} as const satisfies Readonly<Record<string, (state: ChannelState) => ChannelState>>;

test("a v2 channel goes through the states of the table, whoever ends which way in which order", () => {
  const events = fc.array(fc.constantFrom(...Object.keys(EVENTS) as (keyof typeof EVENTS)[]), { maxLength: 6 });
  fc.assert(fc.property(events, (events) => {
    const rig = new ServerRig();
    const { channel } = rig.open();
    rig.receive(connected(channel.id, 1_000));
    let state: ChannelState = "open";
    for (const event of events) {
      if (event === "end") channel.end();
      else if (event === "close") channel.close("client-reset");
      else if (event === "peer's end") rig.receive(v2FrameOf(V2Command.END, channel.id));
      else rig.receive(v2FrameOf(V2Command.CLOSE, channel.id, Uint8Array.of(4)));
      state = EVENTS[event](state);
      if (state === "both-ended") state = "closed"; // nothing of it waits
      assert.equal(channel.state, state);
      assert.equal(rig.link.channelCount, state === "closed" ? 0 : 1);
    }
  }));
});
