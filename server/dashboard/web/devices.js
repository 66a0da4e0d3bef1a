// @ts-check
/// <reference lib="dom" />
/**
 * All devices: those that flap first, then those whose sessions wait, and the others.
 *
 * @module
 */

import { actButton } from "./dialog.js";
import { h } from "./dom.js";
import { age, millis, number } from "./format.js";
import { badge, deviceLink } from "./parts.js";
import { enroll } from "./server_acts.js";
import { Table } from "./table.js";
import { rankOf, stateOf } from "./words.js";

/** @typedef {import("./store.js").Device} Device */

/** Losses within an hour from which a device flaps. */
const FLAPS = 3;

/** Those that flap first, by how much; then by state, then by name. @param {Device} device */
export function urgency(device) {
  const flaps = device.losses >= FLAPS ? 1000 - device.losses : 1000;
  return `${flaps} ${rankOf(stateOf(device))} ${device.name}`;
}

/** Whether a device is meant by a search. @param {Device} device @param {string} text in lower case */
export function isMeant({ name, remote, comment, services, tags }, text) {
  return [name, remote ?? "", comment ?? "", ...services.map((service) => service.name), ...tags]
    .some((each) => each.toLowerCase().includes(text));
}

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function devicesView({ store, say }) {
  let state = "all";
  let wanted = "";
  /** @type {Table<Device>} */
  const table = new Table({
    caption: "Devices",
    keyOf: ({ name }) => name,
    none: "No device is like that.",
    sort: 1,
    columns: [
      {
        title: "Device",
        text: ({ name, comment }) => `${name} ${comment ?? ""}`,
        node: ({ name, comment }) =>
          h("span", {}, deviceLink(name), comment === null ? null : h("small", {}, ` ${comment}`)),
        by: ({ name }) => name,
      },
      {
        title: "State",
        text: (device) => `${stateOf(device)}${device.draining ? " drains" : ""}`,
        node: (device) => h("span", {}, badge(stateOf(device)), device.draining && h("small", {}, " drains")),
        by: urgency,
      },
      {
        title: "Since",
        text: ({ since }) => age(since, Date.now()),
        by: ({ since }) => since === null ? 0 : Date.parse(since),
        most: true,
        kind: "time",
      },
      {
        title: "Losses",
        text: ({ losses }) => losses === 0 ? "–" : String(losses),
        node: ({ losses }) =>
          h("span", losses >= FLAPS ? { class: "flaps", title: "flaps" } : {}, losses === 0 ? "–" : String(losses)),
        by: ({ losses }) => losses,
        most: true,
        kind: "number",
      },
      {
        title: "Clients",
        text: ({ clients }) => number(clients),
        by: ({ clients }) => clients,
        most: true,
        kind: "wide number",
      },
      {
        title: "Round trip",
        text: ({ roundTrip, link }) => link === "online" ? millis(roundTrip) : "–",
        by: ({ roundTrip }) => roundTrip ?? -1,
        most: true,
        kind: "wide number",
      },
      { title: "From", text: ({ remote }) => remote ?? "–", kind: "wide" },
      {
        title: "Services",
        text: ({ services }) => services.map(({ name, open }) => open ? name : `(${name})`).join(", ") || "–",
        kind: "wide",
      },
    ],
  });
  const counts = h("p", { class: "count", role: "status" });
  const update = () => {
    const text = wanted.trim().toLowerCase();
    const all = [...store.devices.values()];
    const items = all.filter((device) =>
      (state === "all" || (state === "flapping" ? device.losses >= FLAPS : stateOf(device) === state)) &&
      isMeant(device, text)
    );
    table.show(items);
    const some = items.length === all.length ? number(all.length) : `${number(items.length)} of ${number(all.length)}`;
    const said = `${some} ${all.length === 1 ? "device" : "devices"}${
      store.isWhole ? "" : "; there are more, which are not shown"
    }`;
    if (counts.textContent !== said) counts.textContent = said;
    for (const button of filters.children) {
      const of = button.getAttribute("data-state") ?? "";
      const count = of === "all"
        ? all.length
        : all.filter((device) => of === "flapping" ? device.losses >= FLAPS : stateOf(device) === of).length;
      button.textContent = `${of} ${number(count)}`;
      button.setAttribute("aria-pressed", String(of === state));
    }
  };
  const filters = h(
    "div",
    { class: "filters", role: "group", "aria-label": "State" },
    ...["all", "flapping", "online", "interrupted", "offline", "disabled", "expired"].map((each) =>
      h("button", {
        type: "button",
        "data-state": each,
        class: `filter ${each}`,
        onclick: () => {
          state = each;
          table.first();
          update();
        },
      }, each)
    ),
  );
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Name, address, service, tag",
    autocomplete: "off",
    oninput: () => {
      wanted = search.value;
      table.first();
      update();
    },
  });
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Devices"),
      counts,
      actButton("Enroll", enroll, say),
      h("p", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Search"), search),
    ),
    filters,
    table.element,
    h(
      "p",
      { class: "hint" },
      "Losses: how often a link or a session was lost within the last hour. With three or more, a device flaps.",
    ),
  );
  return { title: "Devices", element, update };
}
