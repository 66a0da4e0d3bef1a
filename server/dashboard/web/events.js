// @ts-check
/// <reference lib="dom" />
/**
 * What has happened, newest first; and who was refused, by reason.
 *
 * @module
 */

import { fill, h } from "./dom.js";
import { clock, number } from "./format.js";
import { deviceLink, part } from "./parts.js";
import { Table } from "./table.js";
import { GROUPS, moodOf, wordsOf } from "./words.js";

/** @typedef {import("./live.js").Happened} Happened */

/** Reasons that are shown. */
const REASONS = 8;

/** A table of events. @param {boolean} withDevice @param {string} none */
export function eventTable(withDevice, none) {
  /** @type {import("./table.js").Column<Happened>[]} */
  const columns = [
    {
      title: "Time",
      text: ({ time }) => clock(time, Date.now()),
      by: ({ time }) => Date.parse(time),
      most: true,
      kind: "time",
    },
    {
      title: "What",
      text: ({ type }) => type,
      node: (event) => h("span", { class: `mood ${moodOf(event)}` }, event.type),
      kind: "wide",
    },
    ...(withDevice
      ? [{
        title: "Device",
        text: (/** @type {Happened} */ { device }) => typeof device === "string" ? device : "–",
        node: (/** @type {Happened} */ { device }) =>
          typeof device === "string" && !device.includes(":")
            ? deviceLink(device)
            : h("span", {}, String(device ?? "–")),
      }]
      : []),
    { title: "More", text: wordsOf },
  ];
  /** @type {Table<Happened>} */
  const table = new Table({ caption: "Events", columns, keyOf: ({ id, type }) => `${id} ${type}`, none });
  return table;
}

/**
 * Who was refused, by reason, most often first; of each how often, and what was said of the last one.
 *
 * @param {readonly Happened[]} events
 * @returns {{ reason: string, count: number, why: string }[]}
 */
export function refusals(events) {
  const refused = events.filter(({ type }) => type === "refused");
  const groups = Map.groupBy(refused, ({ reason }) => String(reason));
  return [...groups].map(([reason, group]) => ({ reason, count: group.length, why: String(group.at(-1)?.["why"]) }))
    .sort((a, b) => b.count - a.count);
}

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function eventsView({ store }) {
  const table = eventTable(true, "Nothing of that has happened.");
  const refused = h("div");
  const kind = h(
    "select",
    { id: "kind", onchange: () => again() },
    ...Object.keys(GROUPS).map((name) => h("option", { value: name }, name)),
  );
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Device, address, reason",
    autocomplete: "off",
    oninput: () => again(),
  });
  const again = () => {
    table.first();
    update();
  };
  const update = () => {
    const types = GROUPS[kind.value] ?? [];
    const text = search.value.trim().toLowerCase();
    const shown = store.events.filter((event) =>
      (types.length === 0 || types.includes(event.type)) &&
      (text === "" || `${String(event["device"] ?? "")} ${event.type} ${wordsOf(event)}`.toLowerCase().includes(text))
    );
    table.show(shown.reverse());
    const reasons = refusals(store.events);
    const all = reasons.reduce((sum, { count }) => sum + count, 0);
    fill(
      refused,
      all === 0 ? null : part(
        `Refused: ${number(all)}`,
        h(
          "ul",
          { class: "reasons" },
          ...reasons.slice(0, REASONS).map(({ reason, count, why }) =>
            h("li", {}, h("b", {}, number(count)), ` ${reason} `, h("small", {}, why))
          ),
          reasons.length > REASONS && h("li", {}, `and ${number(reasons.length - REASONS)} other reasons`),
        ),
      ),
    );
  };
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Events"),
      h("p", { class: "search" }, h("label", { for: "kind", class: "unseen" }, "Which"), kind),
      h("p", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Search"), search),
    ),
    refused,
    table.element,
    h("p", { class: "hint" }, "The server keeps the last 4,096 events."),
  );
  return { title: "Events", element, update };
}
