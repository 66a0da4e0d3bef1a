// @ts-check
/// <reference lib="dom" />
/**
 * The time line of a device's session: when it was linked, interrupted and away.
 *
 * @module
 */

import { h, svg } from "./dom.js";
import { clock, millis, span } from "./format.js";

/** @typedef {import("./live.js").Happened} Happened */
/** @typedef {{ from: number, to: number, state: string }} Stretch */

const [WIDTH, HEIGHT] = [1000, 34];
/** Interruptions that are shown: the last ones. */
const ROWS = 10;

/** What a device's state is from an event on. @type {Record<string, string>} */
const AFTER = {
  "link-up": "online",
  "link-resumed": "online",
  "link-interrupted": "interrupted",
  "link-down": "offline",
};

/** What it was before it, if nothing else is known. @type {Record<string, string>} */
const BEFORE = {
  "link-up": "offline",
  "link-resumed": "interrupted",
  "link-interrupted": "online",
  "link-down": "online",
};

/**
 * How the state of a device went, from events of it, oldest first.
 *
 * @param {readonly Happened[]} events
 * @param {number} from
 * @param {number} to
 * @param {string} now its state now: it holds for all of the time if nothing happened
 * @returns {Stretch[]}
 */
export function stretches(events, from, to, now) {
  const turns = events.filter(({ type }) => type in AFTER);
  const first = turns[0];
  /** @type {Stretch[]} */
  const found = [];
  let [state, since] = [first ? BEFORE[first.type] ?? "offline" : now, from];
  for (const { type, time } of turns) {
    const at = Date.parse(time);
    const next = AFTER[type] ?? state;
    if (at > from && at > since) found.push({ from: since, to: Math.min(at, to), state });
    state = next;
    since = Math.max(at, from);
  }
  if (to > since) found.push({ from: since, to, state });
  return found;
}

/**
 * A time line, and its interruptions as a table.
 *
 * @param {readonly Happened[]} events of the device, oldest first
 * @param {number} begin what is known begins then
 * @param {number} now
 * @param {string} state
 */
export function timeline(events, begin, now, state) {
  const from = Math.max(begin, now - 24 * 3600_000);
  const parts = stretches(events, from, now, state);
  const x = (/** @type {number} */ time) => WIDTH * (time - from) / Math.max(1, now - from);
  const bars = parts.map(({ from, to, state }) =>
    svg(
      "rect",
      {
        class: `stretch ${state}`,
        x: x(from),
        y: state === "online" ? 4 : 0,
        width: Math.max(2, x(to) - x(from)),
        height: state === "online" ? 26 : HEIGHT,
      },
      svg("title", {}, `${state} for ${span(to - from)}`),
    )
  );
  const interrupted = events.filter(({ type }) => type === "link-interrupted" || type === "link-down").reverse();
  const total = parts.filter(({ state }) => state !== "online").reduce((sum, { from, to }) => sum + to - from, 0);
  const count = interrupted.length;
  const lost = count === 0 ? "not lost" : count === 1 ? "lost once" : `lost ${count} times`;
  const words = `${lost} in ${span(now - from)}, without a link for ${span(total)}`;
  return h(
    "div",
    {},
    svg("svg", {
      class: "timeline",
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: "none",
      role: "img",
      "aria-label": `Time line: ${words}.`,
    }, ...bars),
    h(
      "p",
      { class: "ends" },
      h("span", {}, clock(new Date(from).toISOString(), now)),
      h("span", {}, words),
      h("span", {}, "now"),
    ),
    interrupted.length === 0 ? null : h(
      "div",
      { class: "scroll" },
      h(
        "table",
        {},
        h("caption", { class: "unseen" }, "Interruptions"),
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ...["Lost", "Why", "For", "Sent again"].map((name, at) =>
              h("th", { scope: "col", class: at === 3 && "number" }, name)
            ),
          ),
        ),
        h("tbody", {}, ...interrupted.slice(0, ROWS).map((event) => rowOf(event, events, now))),
      ),
    ),
  );
}

/** @param {Happened} event @param {readonly Happened[]} events @param {number} now */
function rowOf(event, events, now) {
  const next = events.slice(events.indexOf(event) + 1).find(({ type }) => type in AFTER);
  const isBack = next?.type === "link-resumed" || next?.type === "link-up";
  const length = next ? Date.parse(next.time) - Date.parse(event.time) : now - Date.parse(event.time);
  const detail = event["detail"] === undefined ? "" : ` (${String(event["detail"])})`;
  return h(
    "tr",
    {},
    h("th", { scope: "row", class: "time" }, clock(event.time, now)),
    h("td", {}, `${String(event["reason"])}${detail}`),
    h(
      "td",
      { class: "time" },
      isBack ? millis(length) : next ? `${span(length)}, then it expired` : `${span(length)}, still`,
    ),
    h(
      "td",
      { class: "number" },
      next?.type === "link-resumed" ? `${Number(next["replayed"] ?? 0).toLocaleString("en")} B` : "–",
    ),
  );
}
