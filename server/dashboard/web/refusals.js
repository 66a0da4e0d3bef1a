// @ts-check
/// <reference lib="dom" />
/**
 * Who was turned away, and why: devices, whoever else came to a listener for them, and clients.
 *
 * @module
 */

import { list } from "./api.js";
import { h, whenLetGo, write } from "./dom.js";
import { age, clock, number } from "./format.js";
import { deviceLink, often, soonOnce } from "./parts.js";
import { Table } from "./table.js";

/** @typedef {import("../../refusals/routes.ts").Refused} Refused */

/** The most that a browser holds; a server keeps fewer. */
const MOST = 5_000;
/** Milliseconds between two looks, and from an event to the next one. */
const [LOOK_MS, SOON_MS] = [10_000, 500];

/** What stands behind who showed a key that may be another's. */
const NOT_PROVED = " (not proved)";

/** Whose refusals are asked for. @type {Record<string, string>} */
const WHO = { "all": "", "at listeners for devices": "device", "clients": "client" };

/** Whom somebody wanted to be, or to reach. @param {Refused} refused */
function wanted({ device, service, key, proved }) {
  if (device !== null && service !== null) return `${device}/${service}`;
  return `${device ?? service ?? key ?? "–"}${proved === false ? NOT_PROVED : ""}`;
}

/** The same, with a link and its key. @param {Refused} refused */
function whom(refused) {
  const { device, service, key, proved } = refused;
  if (device === null) return h("small", {}, wanted(refused));
  const shown = key === null ? null : h("small", { class: "below" }, key);
  return h(
    "span",
    {},
    deviceLink(device),
    service === null ? null : `/${service}`,
    proved === false && NOT_PROVED,
    shown,
  );
}

/** Where from. @param {Refused} refused */
function from({ site }) {
  return site ?? "others";
}

/** What was said, without the reason that stands beside it. @param {Refused} refused */
function said({ reason, why }) {
  if (why === null) return "";
  return why.startsWith(`${reason}: `) ? why.slice(reason.length + 2) : why;
}

/** @type {import("./table.js").Column<Refused>[]} */
const COLUMNS = [
  {
    title: "Last",
    text: ({ last, first, count }) => `${age(last, Date.now())} ago ${count > 1 ? clock(first, Date.now()) : ""}`,
    node: ({ last, first, count }) =>
      h(
        "span",
        { title: clock(last, Date.now()) },
        `${age(last, Date.now())} ago`,
        count > 1 && h("small", { class: "below" }, `first ${clock(first, Date.now())}`),
      ),
    by: ({ last }) => Date.parse(last),
    most: true,
    kind: "clock",
  },
  { title: "Count", text: ({ count }) => number(count), by: ({ count }) => count, most: true, kind: "number" },
  {
    title: "Reason",
    text: (refused) => JSON.stringify([refused.reason, refused.why, from(refused), wanted(refused)]),
    by: ({ reason }) => reason,
    node: (refused) =>
      h(
        "span",
        {},
        h("span", { class: "mood bad" }, refused.reason),
        h("span", { class: "below narrow" }, `${from(refused)} for `, whom(refused)),
        h("small", { class: "below" }, said(refused)),
      ),
  },
  { title: "From", text: from, kind: "wide" },
  { title: "For", text: wanted, node: whom, kind: "wide" },
  { title: "At", text: ({ at }) => at ?? "–", kind: "wide" },
];

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function refusalsView({ store }) {
  const counts = h("p", { class: "count", role: "status" });
  const wrong = h("p", { class: "wrong" });
  /** @type {Refused[] | undefined} */
  let items;
  const again = () => {
    table.first();
    update();
  };
  const who = h(
    "select",
    { id: "who", onchange: again },
    ...Object.keys(WHO).map((name) => h("option", { value: name }, name)),
  );
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Address, device, key, reason",
    autocomplete: "off",
    oninput: again,
  });
  /** @type {Table<Refused>} */
  const table = new Table({
    caption: "Refusals",
    columns: COLUMNS,
    keyOf: (each) =>
      JSON.stringify([each.who, each.reason, each.site, each.at, each.device, each.key, each.proved, each.service]),
    none: "Nobody of that was turned away since the server runs.",
  });
  const update = () => {
    if (!items) return;
    const text = search.value.trim().toLowerCase();
    const one = WHO[who.value];
    const shown = items.filter((each) =>
      (!one || each.who === one) &&
      [each.site, each.at, wanted(each), each.key, each.reason, each.why].some((fact) =>
        (fact ?? "").toLowerCase().includes(text)
      )
    );
    table.show(shown);
    const all = shown.reduce((sum, each) => sum + each.count, 0);
    const count = `${number(all)} turned away`;
    if (counts.textContent !== count) counts.textContent = count;
  };
  const read = async () => {
    ({ items } = /** @type {{ items: Refused[] }} */ (await list("v1/refusals", {}, MOST)));
    whenLetGo(update, update);
  };
  const soon = soonOnce(read, SOON_MS);
  const ends = [
    often(read, LOOK_MS, (error) => write(wrong, error)),
    store.listen(({ type }) => {
      if (type === "refused" || type === "client-end") soon.ask();
    }),
    soon.cancel,
  ];
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Refusals"),
      counts,
      h("p", { class: "search" }, h("label", { for: "who", class: "unseen" }, "Who"), who),
      h("p", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Search"), search),
    ),
    wrong,
    table.element,
    h(
      "p",
      { class: "hint" },
      "Devices that may not come in, whoever else came to a listener for devices, and clients that rules refused or ended. " +
        "Those who are alike are one line; of a reason the last 64 are kept, and the others are counted together. " +
        "Where a key is not proved, whoever showed it may be somebody else.",
    ),
  );
  return { title: "Refusals", element, update, close: () => ends.forEach((end) => end()) };
}
