// @ts-check
/// <reference lib="dom" />
/**
 * The audit: who came, who was turned away, and who changed what, newest first.
 *
 * @module
 */

import { get } from "./api.js";
import { h, renewIn, whenLetGo, write } from "./dom.js";
import { clock, saidBy } from "./format.js";
import { deviceLink, often, part, soonOnce } from "./parts.js";
import { Table } from "./table.js";
import { GROUPS, moodOf, wordsOf } from "./words.js";

/** @typedef {Record<string, unknown>} Line */
/** @typedef {{ id: number, line: Line }} Row */
/** @typedef {{ items: Line[], cursor: string | null, file: string | null }} Page */

/** Lines that are read at once, the most that a browser holds, and answers that are asked for at once. */
const [PAGE, MOST, ASKS] = [100, 5_000, 20];
/** Milliseconds between two looks, from an event to the next one, and from a key that is pressed. */
const [LOOK_MS, SOON_MS, TYPING_MS] = [10_000, 1_000, 300];

/** Events of lines, as they are asked for. @type {Record<string, readonly string[]>} */
const KINDS = {
  "all": [],
  "acts": ["act", "device-change"],
  "links": (GROUPS["links"] ?? []).filter((type) => type !== "mode"),
  "clients": ["client-end", "client-end-more"],
  "refusals": ["refused", "refused-more", "incompatible", "limit-reached"],
  "services": ["service-opened", "service-closed"],
  "server": ["server-start", "server-stop", "audit-start", "audit-stop", "lines-lost"],
};

/** What a line tells, in a few words. @param {Line} line */
export function auditWords({ time: _time, event, key: _key, service, durationMs, until, ...facts }) {
  const fact = (/** @type {string} */ name) => facts[name] === undefined ? "" : String(facts[name]);
  if (event === "act") {
    const given = facts["body"] ?? facts["arguments"];
    const outcome = facts["error"] === undefined ? fact("status") : `${fact("status")}, ${fact("error")}`;
    return `${fact("act")}${given === undefined ? "" : ` ${JSON.stringify(given)}`}${outcome && `: ${outcome}`}` +
      ` (${actor(facts["by"])})`;
  }
  if (event === "device-change") {
    return `${fact("change")}${facts["before"] === undefined ? "" : `, was ${fact("before")}`}`;
  }
  return wordsOf({
    ...facts,
    ...{ id: "", time: "", type: String(event) },
    ...(service !== undefined && { localAddress: service }),
    ...(durationMs !== undefined && { duration: durationMs }),
    ...(until !== undefined && { until: Date.parse(String(until)) }),
  });
}

/** Who acted. @param {unknown} by */
function actor(by) {
  if (typeof by !== "object" || by === null) return "nobody knows who";
  const { via, ...more } = /** @type {Line} */ (by);
  return [`by ${String(via)}`, ...Object.entries(more).map(([name, value]) => `${name} ${String(value)}`)].join(", ");
}

/** The event, by its word and a mark. @param {Row} row */
function mark({ line: { event } }) {
  const type = String(event);
  const mood = type.endsWith("-more") || type === "lines-lost" ? "bad" : moodOf({ id: "", time: "", type });
  return h("span", { class: `mood ${mood}` }, type);
}

/** The device, as a text. @param {Row} row */
function deviceOf({ line: { device } }) {
  return typeof device === "string" ? device : "–";
}

/** The same, as a link; a v1 device has no page. @param {Row} row */
function link(row) {
  const device = deviceOf(row);
  return device === "–" || device.includes(":") ? h("span", {}, device) : deviceLink(device);
}

/** @type {import("./table.js").Column<Row>[]} */
const COLUMNS = [
  { title: "Time", text: ({ line }) => clock(String(line["time"]), Date.now()), kind: "clock" },
  { title: "Event", text: ({ line }) => String(line["event"]), node: mark, kind: "wide" },
  { title: "Device", text: deviceOf, node: link, kind: "wide" },
  {
    title: "What",
    text: ({ line }) => auditWords(line),
    node: (row) =>
      h(
        "span",
        { class: "long" },
        h("span", { class: "below narrow" }, mark(row), " ", deviceOf(row) === "–" ? null : link(row)),
        auditWords(row.line),
      ),
  },
];

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function auditView({ store }) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const where = h("p", { class: "hint" });
  const older = h("button", { type: "button", hidden: true, onclick: () => void more() }, "Older lines");
  const body = h("div");
  /** @type {Row[]} Newest first. */
  let rows = [];
  /** @type {string | null} */
  let cursor = null;
  let [isThere, last, asked] = [false, 0, 0];
  /** @type {Table<Row>} */
  const table = new Table({
    caption: "Audit",
    columns: COLUMNS,
    keyOf: ({ id }) => String(id),
    none: "Nothing of that is in the audit.",
  });
  const shown = h("div", {}, table.element, h("p", { class: "more" }, older), where);
  /** @param {readonly Line[]} lines @returns {Row[]} */
  const rowsOf = (lines) => lines.map((line) => ({ id: ++last, line }));
  /** @param {string | null} from @returns {Promise<Page>} */
  const page = (from) => {
    const events = KINDS[kind.value] ?? [];
    const device = search.value.trim();
    return get(`v1/audit?${new URLSearchParams({
      limit: String(PAGE),
      ...(events.length > 0 && { event: events.join(",") }),
      ...(device !== "" && { device }),
      ...(from !== null && { cursor: from }),
    })}`);
  };
  /** Goes back until there are so many lines more. @param {string | null} from @param {number} mine */
  const back = async (from, mine) => {
    const want = rows.length + PAGE;
    for (let asks = 0; from !== null && rows.length < want && asks < ASKS && mine === asked; asks++) {
      const next = await page(from);
      if (mine !== asked) return;
      rows.push(...rowsOf(next.items));
      from = cursor = next.cursor;
    }
  };
  const draw = () =>
    whenLetGo(draw, () => {
      table.show(rows);
      older.hidden = cursor === null || rows.length >= MOST;
    });
  const more = async () => {
    older.disabled = true;
    try {
      await back(cursor, asked);
      write(wrong, "");
    } catch (error) {
      write(wrong, saidBy(error));
      rows = []; // the file was put aside: the next look begins anew
    } finally {
      older.disabled = false;
      draw();
    }
  };
  /** Reads the newest, and puts those ahead that are new. */
  const read = async () => {
    const mine = asked;
    const next = await page(null);
    if (mine !== asked) return;
    if (next.file === null) return showOff();
    if (!isThere) renewIn(body, shown);
    isThere = true;
    write(where, `In ${next.file} on the server; what was put aside before is beside it.`);
    const newest = rows[0] && JSON.stringify(rows[0].line);
    const known = next.items.findIndex((line) => JSON.stringify(line) === newest);
    if (known >= 0) rows = [...rowsOf(next.items.slice(0, known)), ...rows].slice(0, MOST);
    else {
      rows = rowsOf(next.items);
      cursor = next.cursor;
      if (rows.length < PAGE) await back(cursor, mine);
    }
    if (mine === asked) draw();
  };
  const showOff = () => {
    isThere = false;
    const off = part(
      "This server writes no audit",
      h(
        "p",
        {},
        "Start it with ",
        h("code", {}, "--audit FILE"),
        ", or put ",
        h("code", {}, 'audit = "FILE"'),
        " into its configuration file, which it reads anew by itself. Then here is who came, who was turned away, and who changed what.",
      ),
    );
    renewIn(body, off);
  };
  const fresh = () => {
    asked++;
    rows = [];
    cursor = null;
    table.first();
    read().then(() => write(wrong, ""), (error) => {
      write(wrong, saidBy(error));
      draw();
    });
  };
  const kind = h(
    "select",
    { id: "kind", onchange: fresh },
    ...Object.keys(KINDS).map((name) => h("option", { value: name }, name)),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  const soon = soonOnce(read, SOON_MS);
  const search = h("input", {
    id: "search",
    type: "search",
    placeholder: "Device: gw1, gw*, tag=TAG",
    autocomplete: "off",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(fresh, TYPING_MS);
    },
  });
  const ends = [
    often(read, LOOK_MS, (error) => write(wrong, error)),
    store.listen(soon.ask),
    () => {
      clearTimeout(typing);
      soon.cancel();
      asked++;
    },
  ];
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "head" },
      h("h1", {}, "Audit"),
      h("p", { class: "search" }, h("label", { for: "kind", class: "unseen" }, "Which"), kind),
      h("p", { class: "search" }, h("label", { for: "search", class: "unseen" }, "Devices"), search),
    ),
    wrong,
    body,
  );
  return { title: "Audit", element, update: () => {}, close: () => ends.forEach((end) => end()) };
}
