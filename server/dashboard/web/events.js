// @ts-check
/// <reference lib="dom" />
/**
 * What has happened, newest first.
 *
 * @module
 */

import { h } from "./dom.js";
import { clock } from "./format.js";
import { deviceLink } from "./parts.js";
import { Table } from "./table.js";
import { GROUPS, isMute, moodOf, wordsOf } from "./words.js";

/** @typedef {import("./live.js").Happened} Happened */

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

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function eventsView({ store }) {
  const table = eventTable(true, "Nothing of that has happened.");
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
      (types.length === 0 || types.includes(event.type) && !isMute(event)) &&
      (text === "" || `${String(event["device"] ?? "")} ${event.type} ${wordsOf(event)}`.toLowerCase().includes(text))
    );
    table.show(shown.reverse());
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
    table.element,
    h("p", { class: "hint" }, "The server keeps the last 4,096 events."),
  );
  return { title: "Events", element, update };
}
