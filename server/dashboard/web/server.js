// @ts-check
/// <reference lib="dom" />
/**
 * The server: how much there is of what, its limits, where it listens, and what its day was like.
 *
 * @module
 */

import { get } from "./api.js";
import { chart } from "./chart.js";
import { actButton } from "./dialog.js";
import { fill, h, renewIn, write } from "./dom.js";
import { age, bytes, millis, number } from "./format.js";
import { drainWords, factList, often, part } from "./parts.js";
import { actsOnServer } from "./server_acts.js";

/** @typedef {import("./store.js").ServerState} ServerState */
/** @typedef {{ time: string, online: number, interrupted: number, clients: number, bytesUp: number, bytesDown: number, roundTrip: number | null, roundTripMost: number | null, losses: number, refused: number }} Point */
/** @typedef {{ step: number, kept: string, why: string | null, points: Point[] }} Past */

const PAST_MS = 60_000;

/** @param {import("./parts.js").Context} context @returns {import("./parts.js").View} */
export function serverView({ store, say }) {
  const [tiles, facts, limits, listeners, past] = [
    h("ul", { class: "tiles" }),
    h("div"),
    h("div"),
    h("div"),
    h("div", { class: "charts" }),
  ];
  const trouble = h("p", { class: "wrong", role: "alert" });
  const drains = h("p", { class: "wary", role: "status" });
  const acts = h("div", { class: "acts", role: "group", "aria-label": "Acts on the server" });
  const kept = h("p", { class: "hint" });
  let offered = "";
  /** @param {ServerState} server */
  const drawActs = (server) => {
    const all = actsOnServer(server);
    const words = all.map(({ word }) => word).join();
    if (words === offered) return;
    offered = words;
    fill(
      acts,
      ...all.map((act) =>
        actButton(act.word, () => act, (said) => {
          say(said);
          store.readServer().catch(() => {});
        })
      ),
    );
  };
  let drawn = "";
  const update = () => {
    const { server } = store;
    const now = Date.now();
    const key = JSON.stringify([server, server && age(server.since, now)]);
    if (!server || drawn === key) return;
    drawn = key;
    const { counts } = server;
    const offline = Math.max(0, counts.devices - counts.online - counts.interrupted);
    trouble.textContent = server.trouble === null ? "" : `devices.toml is not in force as it stands: ${server.trouble}`;
    drains.textContent = server.draining === null ? "" : `The server ${drainWords(server.draining, now)}.`;
    drawActs(server);
    fill(
      tiles,
      tile("online", counts.online, "online"),
      tile("interrupted", counts.interrupted, "interrupted"),
      tile("offline", offline, "offline"),
      tile("clients", counts.clients, ""),
      tile("clients ever", counts.clientsEver, ""),
      tile("enrolments wait", counts.enrolments, ""),
    );
    fill(
      facts,
      factList([
        ["Version", server.version],
        ["Engine", server.engine],
        ["Process", String(server.pid)],
        ["Runs for", age(server.since, now)],
        ["Ready", server.ready ? "yes" : "not every listener is bound"],
      ]),
    );
    fill(limits, limitTable(server));
    fill(listeners, listenerTable(server));
  };
  let why = "";
  const close = often(
    async () => {
      const history = /** @type {Past} */ (await get("v1/history?minutes=5"));
      renewIn(past, ...charts(history));
      why = history.why === null
        ? ""
        : `History is kept in memory alone, and gone when the server ends: ${history.why}.`;
    },
    PAST_MS,
    (error) => write(kept, error || why),
  );
  const element = h(
    "div",
    {},
    h("div", { class: "head" }, h("h1", {}, "Server")),
    trouble,
    drains,
    acts,
    tiles,
    part("The last 24 hours", past, kept),
    part("Limits", limits),
    part("Listeners for devices", listeners),
    part("Facts", facts),
  );
  return { title: "Server", element, update, close };
}

/** @param {string} name @param {number} value @param {string} state */
function tile(name, value, state) {
  return h("li", { class: `tile ${state}` }, h("b", {}, number(value)), h("span", {}, name));
}

/** @param {ServerState} server */
function limitTable({ limits, limit: first }) {
  const rows = limits.map(({ name, used, most, reached }) => {
    const show = name.startsWith("bytes") ? bytes : number;
    const share = most === null || most === 0 ? 0 : used / most;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { class: "number" }, show(used)),
      h("td", { class: "number" }, most === null ? "–" : show(most)),
      h(
        "td",
        { class: "wide" },
        h("meter", {
          min: 0,
          max: 1,
          high: 0.8,
          optimum: 0,
          value: Math.min(1, share),
          "aria-label": `${name}: ${Math.round(share * 100)} %`,
        }),
      ),
      h(
        "td",
        {},
        reached
          ? h("strong", { class: "wrong" }, name === first ? "reached first" : "reached")
          : share >= 0.8
          ? "nearly"
          : "no",
      ),
    );
  });
  return tableOf("Limits", ["Limit", "Used", "Most", "", "Reached"], rows);
}

/** @param {ServerState} server */
function listenerTable({ listeners }) {
  const rows = listeners.map(({ address, profile, security, device }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, address),
      h("td", {}, profile),
      h("td", {}, security),
      h("td", {}, device ?? "–"),
    )
  );
  return tableOf("Listeners for devices", ["Address", "Profile", "TLS", "Device (v1)"], rows);
}

/** @param {string} caption @param {readonly string[]} heads @param {readonly Node[]} rows */
function tableOf(caption, heads, rows) {
  const numbers = ["Used", "Most"];
  return h(
    "div",
    { class: "scroll" },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          ...heads.map((title) =>
            h(
              "th",
              { scope: "col", class: title === "" ? "wide" : numbers.includes(title) ? "number" : undefined },
              title || h("span", { class: "unseen" }, "Share"),
            )
          ),
        ),
      ),
      h("tbody", {}, ...rows),
    ),
  );
}

/** @param {Past} past */
function charts({ step, points }) {
  const now = Date.now();
  const times = points.map(({ time }) => Date.parse(time));
  const of = (/** @type {(point: Point) => number | null} */ value) => points.map(value);
  const rate = (/** @type {number} */ value) => value * 1000 / step;
  /** @type {[string, (value: number) => string, [string, (number | null)[]][]][]} */
  const all = [
    ["Devices", number, [["online", of(({ online }) => online)], [
      "interrupted",
      of(({ interrupted }) => interrupted),
    ]]],
    ["Throughput", (value) => `${bytes(value)}/s`, [
      ["down", of(({ bytesDown }) => rate(bytesDown))],
      ["up", of(({ bytesUp }) => rate(bytesUp))],
    ]],
    ["Clients", number, [["clients", of(({ clients }) => clients)]]],
    ["Round trip", millis, [["median", of(({ roundTrip }) => roundTrip)], [
      "longest",
      of(({ roundTripMost }) => roundTripMost),
    ]]],
    ["Lost and refused, in 5 minutes", number, [
      ["links lost", of(({ losses }) => losses)],
      ["refused", of(({ refused }) => refused)],
    ]],
  ];
  return all.map(([title, format, lines]) =>
    chart({ title, times, step, format, series: lines.map(([name, values]) => ({ name, values })) }, now)
  );
}
