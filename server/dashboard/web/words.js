// @ts-check
/**
 * Words for states and events.
 *
 * @module
 */

import { bytes, millis, span } from "./format.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {import("./live.js").Happened} Happened */

/** What is first, in the order of states. */
const STATES = ["interrupted", "online", "offline", "expired", "disabled"];

/** A device's state in a word: why it may not come, else how its link is. @param {Device} device */
export function stateOf({ state, link }) {
  return state === "active" ? link : state;
}

/** Where a state stands among others. @param {string} state */
export function rankOf(state) {
  return STATES.indexOf(state);
}

/** Groups of events, as they are asked for. @type {Record<string, readonly string[]>} */
export const GROUPS = {
  "all": [],
  "refusals": ["refused"],
  "links": ["link-up", "link-interrupted", "link-resumed", "link-down", "mode", "enrolled"],
  "host ports": ["listening", "host-open", "host-failed", "host-closed", "service-opened", "service-closed"],
  "limits": ["limit-reached"],
  "clients": ["client-end"],
};

/** Whether somebody came without a word, as health checks do: nobody was turned away. @param {Happened} event */
export function isMute({ type, reason }) {
  return type === "refused" && reason === "mute";
}

/** An event in a few words. @param {Happened} event */
export function wordsOf(event) {
  const fact = (/** @type {string} */ name) => String(event[name] ?? "");
  const count = (/** @type {string} */ name) => Number(event[name] ?? 0);
  switch (event.type) {
    case "listening":
      return `listens at ${fact("address")} (${fact("profile")}, ${fact("security")})`;
    case "link-up":
      return `linked from ${fact("remote")}`;
    case "link-interrupted":
      return `link lost: ${because(event)}; ${clients(count("clients"))} for ${span(count("expiration"))} at most`;
    case "link-resumed":
      return event["moved"]
        ? `moved to a new link from ${fact("remote")}`
        : `back after ${millis(count("interrupted"))}, ${bytes(count("replayed"))} sent again`;
    case "link-down":
      // Revoked, disabled or expired: the server's own words say which.
      return `gone: ${event["reason"] === "revoked" && event["detail"] ? fact("detail") : because(event)}`;
    case "host-open":
      return `${fact("localAddress")} is open at ${fact("hostAddress")}`;
    case "host-failed":
      return `${fact("localAddress")} cannot be opened at ${fact("hostAddress")}: ${fact("error")}`;
    case "host-closed":
      return `${fact("localAddress")} is closed at ${fact("hostAddress")}`;
    case "service-opened":
      return `${fact("localAddress")} is opened until ${new Date(fact("until")).toLocaleString("sv")}${by(event)}`;
    case "service-closed":
      return `${fact("localAddress")} is closed${by(event)}`;
    case "client-end":
      return `client ${fact("client")} of ${fact("localAddress")} ended: ${because(event)}; ` +
        `${bytes(count("bytesUp"))} up, ${bytes(count("bytesDown"))} down in ${span(count("duration"))}`;
    case "refused":
      return `${isMute(event) ? "nothing from" : "refused"} ${fact("remote")}` +
        `${event["proved"] === false ? ", whose key is not proved" : ""}: ${fact("why")}`;
    case "limit-reached":
      return `limit reached, ${fact("limit")}: ${fact("used")} of ${fact("most")}; ${fact("refused")} refused`;
    case "mode":
      return `is in mode ${fact("mode")}`;
    case "enrolled":
      return "used its enrolment string";
    case "missed":
      return count("missed") < 0 ? "the server was started anew" : `${count("missed")} events were missed`;
    default:
      return Object.entries(event).filter(([name]) => !["id", "time", "type", "device"].includes(name))
        .map(([name, value]) => `${name} ${String(value)}`).join(", ");
  }
}

/** @param {Happened} event */
function because({ reason, detail, error }) {
  const more = detail ?? error;
  return more === undefined ? String(reason) : `${String(reason)} (${String(more)})`;
}

/** Who did it, and why, if that was said. @param {Happened} event */
function by({ by, reason }) {
  return `${by === undefined ? "" : ` by ${String(by)}`}${reason === undefined ? "" : `: ${String(reason)}`}`;
}

/** @param {number} count */
function clients(count) {
  return count === 0 ? "the session waits" : `${count} ${count === 1 ? "client waits" : "clients wait"}`;
}

/** Whether an event is bad, good, or neither: for the mark before it. @param {Happened} event */
export function moodOf(event) {
  const { type } = event;
  if (isMute(event)) return "plain";
  if (["refused", "host-failed", "missed"].includes(type)) return "bad";
  if (["link-interrupted", "link-down", "host-closed"].includes(type)) return "wary";
  return ["link-up", "link-resumed", "host-open", "enrolled"].includes(type) ? "good" : "plain";
}
