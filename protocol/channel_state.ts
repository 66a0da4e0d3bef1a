/**
 * Which ways of a channel are open: one state, of a channel on either side of a link, and of a pump's connection.
 *
 * "This side" is the one that holds the state. For a pump that is its connection, whose end can come where the profile
 * has no word for it: on v1 a channel is only `open` or `closed`.
 *
 * @module
 */

/**
 * The state, and what follows it:
 *
 * | state        | this side sends | the peer sends | this side ends | the peer ends | either closes, or the link is gone |
 * | ------------ | --------------- | -------------- | -------------- | ------------- | ---------------------------------- |
 * | `open`       | yes             | yes            | `ended`        | `peer-ended`  | `closed`                           |
 * | `ended`      | no              | yes            | `ended`        | `both-ended`  | `closed`                           |
 * | `peer-ended` | yes             | no             | `both-ended`   | `peer-ended`  | `closed`                           |
 * | `both-ended` | no              | no             | `both-ended`   | `both-ended`  | `closed`                           |
 * | `closed`     | no              | no             | `closed`       | `closed`      | `closed`                           |
 *
 * A way ends behind what was sent before. So `both-ended` lasts until that is on its way, and then closes by itself.
 */
export type ChannelState = "open" | "ended" | "peer-ended" | "both-ended" | "closed";

type Transitions = Readonly<Record<ChannelState, ChannelState>>;

const END: Transitions = {
  ...{ open: "ended", ended: "ended" },
  ...{ "peer-ended": "both-ended", "both-ended": "both-ended", closed: "closed" },
};

const PEER_END: Transitions = {
  ...{ open: "peer-ended", ended: "both-ended" },
  ...{ "peer-ended": "peer-ended", "both-ended": "both-ended", closed: "closed" },
};

/** The state once this side has ended. */
export function afterEnd(state: ChannelState): ChannelState {
  return END[state];
}

/** The state once the peer has ended. */
export function afterPeerEnd(state: ChannelState): ChannelState {
  return PEER_END[state];
}

/** Whether this side may still send. */
export function maySend(state: ChannelState): boolean {
  return state === "open" || state === "peer-ended";
}

/** Whether the peer may still send. */
export function mayReceive(state: ChannelState): boolean {
  return state === "open" || state === "ended";
}
