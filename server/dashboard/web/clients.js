// @ts-check
/// <reference lib="dom" />
/**
 * Clients: connections at host ports.
 *
 * @module
 */

import { closeClient } from "./acts.js";
import { list } from "./api.js";
import { actButton } from "./dialog.js";
import { h, whenLetGo, write } from "./dom.js";
import { age, bytes, number } from "./format.js";
import { deviceLink, often } from "./parts.js";
import { Table } from "./table.js";

/** @typedef {import("../../admin/schemas.ts").Client} Client */

/** The most that a browser holds. */
const MOST = 5_000;
const LOOK_MS = 5_000;

/** A table of clients; with `device`, of those of one. @param {string | undefined} device @param {(text: string) => void} say @param {() => void} again */
export function clientTable(device, say, again) {
  /** @type {import("./table.js").Column<Client>[]} */
  const columns = [
    { title: "Client", text: ({ address }) => address },
    {
      title: "Service",
      text: (client) =>
        client.device === null || device !== undefined ? client.service : `${client.device}/${client.service}`,
      node: (client) =>
        client.device === null || device !== undefined
          ? h("span", {}, client.service)
          : h("span", {}, deviceLink(client.device), `/${client.service}`),
    },
    { title: "At", text: ({ hostAddress }) => hostAddress, kind: "wide" },
    { title: "State", text: ({ state }) => state, kind: "wide" },
    {
      title: "For",
      text: ({ since }) => age(since, Date.now()),
      by: ({ since }) => -Date.parse(since),
      most: true,
      kind: "time",
    },
    { title: "Up", text: ({ bytesUp }) => bytes(bytesUp), by: ({ bytesUp }) => bytesUp, most: true, kind: "number" },
    {
      title: "Down",
      text: ({ bytesDown }) => bytes(bytesDown),
      by: ({ bytesDown }) => bytesDown,
      most: true,
      kind: "number",
    },
    {
      title: "Acts",
      text: () => "Close",
      node: (client) =>
        actButton("Close", () => closeClient(client), (said) => {
          say(said);
          again();
        }),
      kind: "act",
    },
  ];
  /** @type {Table<Client>} */
  const table = new Table({ caption: "Clients", columns, keyOf: ({ id }) => String(id), none: "No clients." });
  return table;
}

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function clientsView({ say }) {
  const counts = h("p", { class: "count", role: "status" });
  const wrong = h("p", { class: "wrong" });
  /** @type {Client[] | undefined} */
  let items;
  let isWhole = true;
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Address, device, service",
    autocomplete: "off",
    oninput: () => {
      table.first();
      update();
    },
  });
  const read = async () => {
    ({ items, isWhole } = await list("v1/clients", {}, MOST));
    whenLetGo(update, update);
  };
  const table = clientTable(undefined, say, () => void read().catch(() => {}));
  const update = () => {
    if (!items) return;
    const text = search.value.trim().toLowerCase();
    const shown = items.filter(({ address, device, service, hostAddress }) =>
      [address, `${device ?? ""}/${service}`, hostAddress].some((each) => each.toLowerCase().includes(text))
    );
    table.show(shown);
    const said = `${number(shown.length)}${isWhole ? "" : "; there are more, which are not shown"}`;
    if (counts.textContent !== said) counts.textContent = said;
  };
  const close = often(read, LOOK_MS, (error) => write(wrong, error));
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Clients"),
      counts,
      h("p", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Search"), search),
    ),
    wrong,
    table.element,
  );
  return { title: "Clients", element, update, close };
}
