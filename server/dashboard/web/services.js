// @ts-check
/// <reference lib="dom" />
/**
 * The services of a device, and what opens and closes them for a time.
 *
 * @module
 */

import { named, post } from "./api.js";
import { actButton } from "./dialog.js";
import { h } from "./dom.js";
import { clock, duration, durationHint, number } from "./format.js";
import { badge } from "./parts.js";
import { Table } from "./table.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {Device["services"][number]} Service */
/** @typedef {import("./acts.js").Act} Act */
/** @typedef {{ service: string, hostAddress: string | null, until: string }} Opened */

/** Who asks, for events and the audit. */
const BY = "the dashboard";

/** What every opening is asked. */
const FIELDS = [
  {
    name: "from",
    label: "From which networks",
    hint: "As in 198.51.100.7, 10.0.0.0/8, with commas between. Empty: all that the rules let in.",
  },
  { name: "reason", label: "Why" },
  { name: "keepClients", label: "When it closes, clients who are there", choices: ["are ended", "may stay"] },
];

/** @param {string} value */
function forHowLong(value) {
  return { name: "for", label: "For how long", value, required: true, hint: durationHint("up to 7d") };
}

/** What was filled in. @param {Record<string, string>} values */
function wish({ for: text = "", from = "", reason = "", keepClients }) {
  const networks = from.split(/[\s,]+/).filter((each) => each !== "");
  return {
    for: duration(text),
    by: BY,
    ...(networks.length > 0 && { from: networks }),
    ...(reason.trim() !== "" && { reason: reason.trim() }),
    ...(keepClients === "may stay" && { keepClients: true }),
  };
}

/** @param {string} what @param {Opened} opened */
function said(what, { hostAddress, until }) {
  const where = hostAddress === null ? "" : ` at ${hostAddress}`;
  return `${what} is open${where} until ${clock(until, Date.now())}.`;
}

/** The act on a service as it is now, if there is one. @param {string} device @param {Service} service @returns {Act | undefined} */
export function actOn(device, { name, closed, opening }) {
  if (opening) {
    return {
      word: "Shut",
      title: `Close ${device}/${name}?`,
      text: opening.keepClients
        ? "Its host port is closed; clients who are there may stay."
        : "Its host port is closed, and its clients are ended.",
      button: "Close it",
      danger: true,
      act: async () => {
        await post(`${named(device)}/shut`, { service: name, by: BY });
        return `${device}/${name} is closed.`;
      },
    };
  }
  if (!closed) return undefined;
  return {
    word: "Open",
    title: `Open ${device}/${name} for a time?`,
    text: `${device}/${name} is closed by its rules. Its host port opens, and is closed again when the time is over.`,
    button: "Open it",
    fields: [forHowLong("1h"), ...FIELDS],
    act: async (values) => {
      const opened = /** @type {Opened} */ (await post(`${named(device)}/open`, { service: name, ...wish(values) }));
      return said(`${device}/${name}`, opened);
    },
  };
}

/** Has a device reach an address of its network. @param {string} device @returns {Act} */
export function reach(device) {
  return {
    word: "Reach an address",
    title: `Reach an address by ${device}?`,
    text: `${device} dials an address of its network for clients of a host port, if its owner allows that address.`,
    button: "Reach it",
    fields: [
      { name: "address", label: "Which address", required: true, hint: "HOST:PORT, as the device dials it." },
      forHowLong("1h"),
      {
        name: "listen",
        label: "Where clients come",
        hint: "HOST:PORT or a range of the server. Empty: any free port of 127.0.0.1.",
      },
      ...FIELDS,
    ],
    act: async ({ address = "", listen = "", ...values }) => {
      const body = { address: address.trim(), ...wish(values), ...(listen.trim() !== "" && { listen: listen.trim() }) };
      return said(address.trim(), /** @type {Opened} */ (await post(`${named(device)}/connect`, body)));
    },
  };
}

/** How a service stands, in words. @param {Service} service */
function stateOf({ open, closed, opening, error }) {
  const now = Date.now();
  if (!opening) return closed ? "by its rules" : error ?? "";
  const { until, from, reason, by } = opening;
  return [
    `until ${clock(until, now)}`,
    ...(from.length === 0 ? [] : [`for ${from.join(", ")}`]),
    ...(by === null ? [] : [`by ${by}`]),
    ...(reason === null ? [] : [reason]),
    ...(open || error === null ? [] : [error]),
  ].join("; ");
}

/** Where clients reach it, or would. @param {Service} service */
function hostOf({ hostAddress, granted }) {
  return hostAddress ?? granted ?? "–";
}

/** Whether it is not as it should be. @param {Service} service */
function isWrong({ error, closed, opening }) {
  return error !== null && (!closed || opening !== null);
}

/**
 * A table of the services of a device.
 *
 * @param {(name: string) => Service | undefined} find as it is when an act is asked for
 * @param {string} device @param {(text: string) => void} done
 */
export function serviceTable(find, device, done) {
  /** @type {import("./table.js").Column<Service>[]} */
  const columns = [
    { title: "Service", text: ({ name }) => name },
    {
      title: "State",
      text: (service) => `${service.open ? "open" : "closed"} ${hostOf(service)} ${stateOf(service)}`,
      node: (service) =>
        h(
          "span",
          {},
          badge(service.open ? "open" : "closed"),
          h("small", { class: "narrow" }, ` at ${hostOf(service)} `),
          h("small", { class: isWrong(service) && "wrong" }, ` ${stateOf(service)}`),
        ),
    },
    { title: "Host address", text: hostOf, kind: "wide" },
    {
      title: "Most clients",
      text: ({ maxClients }) => maxClients === null ? "–" : number(maxClients),
      kind: "wide number",
    },
    {
      title: "Acts",
      text: (service) => actOn(device, service)?.word ?? "",
      node: (service) => {
        const act = actOn(device, service);
        if (!act) return h("span");
        return actButton(act.word, () => actOn(device, find(service.name) ?? service) ?? act, done, service.name);
      },
      kind: "act",
    },
  ];
  /** @type {Table<Service>} */
  const table = new Table({
    caption: "Services",
    columns,
    keyOf: ({ name }) => name,
    none: "It is granted no services.",
  });
  return table;
}
