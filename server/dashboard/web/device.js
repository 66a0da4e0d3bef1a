// @ts-check
/// <reference lib="dom" />
/**
 * One device: what it is, what it offers, who uses it, and how its session went.
 *
 * @module
 */

import { actsOn } from "./acts.js";
import { get, list } from "./api.js";
import { chart } from "./chart.js";
import { clientTable } from "./clients.js";
import { actButton } from "./dialog.js";
import { fill, h, renewIn, write } from "./dom.js";
import { eventTable } from "./events.js";
import { age, bytes, clock, millis, number, setting } from "./format.js";
import { badge, drainWords, factList, often, part, tagList } from "./parts.js";
import { serviceTable } from "./services.js";
import { timeline } from "./timeline.js";
import { stateOf } from "./words.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {import("../../admin/schemas.ts").Client} Client */
/** @typedef {{ step: number, points: { time: string, clients: number, bytesUp: number, bytesDown: number, roundTrip: number | null }[] }} Past */

const [LOOK_MS, PAST_MS, MOST_CLIENTS] = [5_000, 60_000, 1_000];

/** @param {import("./parts.js").Context} context @param {string} name @returns {import("./parts.js").View} */
export function deviceView({ store, say }, name) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const [top, facts, line, past] = [
    h("div", { class: "head" }),
    h("div"),
    h("div"),
    h("div", { class: "charts" }),
  ];
  const acts = h("div", { class: "acts", role: "group", "aria-label": `Acts on ${name}` });
  const done = (/** @type {string} */ said) => {
    say(said);
    store.readDevices().catch(() => {});
  };
  const services = serviceTable(
    (service) => store.devices.get(name)?.services.find((each) => each.name === service),
    name,
    done,
  );
  const happened = eventTable(false, "Nothing yet since the server runs.");
  const readClients = async () => {
    const { items } = await list("v1/clients", { device: name }, MOST_CLIENTS);
    clients.show(/** @type {Client[]} */ (items));
  };
  const clients = clientTable(name, say, () => void readClients().catch(() => {}));
  const body = h(
    "div",
    {},
    acts,
    part("Session", line),
    part("Services", services.element),
    part("Facts", facts),
    part("Clients", clients.element),
    part("The last 24 hours", past),
    part("Events", happened.element),
  );
  let drawn = "";
  let offered = "";
  const update = () => {
    const device = store.devices.get(name);
    const now = Date.now();
    const events = store.events.filter((event) => event["device"] === name);
    happened.show([...events].reverse());
    if (!device) {
      body.hidden = true;
      return fill(
        top,
        h("h1", {}, name),
        h("p", {}, "There is no such device (any more)."),
        h("a", { href: "#/devices" }, "All devices"),
      );
    }
    body.hidden = false;
    const state = stateOf(device);
    const begin = Math.max(Date.parse(store.server?.since ?? ""), Date.parse(store.events[0]?.time ?? "")) || now;
    const head = JSON.stringify([device, age(device.since, now), events.length, Math.floor(now / 10_000)]);
    if (head === drawn) return;
    drawn = head;
    fill(
      top,
      h("h1", {}, name),
      badge(state),
      h("p", {}, device.since === null ? "not seen since the server runs" : `for ${age(device.since, now)}`),
      device.comment === null ? null : h("p", { class: "comment" }, device.comment),
      tagList(device.tags),
      device.draining && h("p", { class: "wary" }, drainWords(device.draining, now)),
    );
    fill(line, timeline(events, begin, now, device.link));
    services.show(device.services);
    fill(facts, factList(factsOf(device, now)));
    drawActs(device);
  };
  /** Buttons stay while they mean the same: whoever is on one with the keyboard stays there. @param {Device} device */
  const drawActs = (device) => {
    const all = actsOn(device);
    const words = all.map(({ word }) => word).join();
    if (words === offered) return;
    offered = words;
    fill(
      acts,
      ...all.map(({ word }) =>
        actButton(word, () => {
          const now = store.devices.get(name) ?? device;
          return actsOn(now).find((act) => act.word === word) ??
            { ...all[0], title: `${name} has changed`, text: "Look again.", button: "Well", act: async () => {} };
        }, done)
      ),
    );
  };
  const ends = [
    often(
      () => Promise.all([store.readDevice(name), readClients()]).then(() => {}),
      LOOK_MS,
      (error) => write(wrong, error),
    ),
    often(
      async () => {
        const history = /** @type {Past} */ (await get(`v1/history/devices/${encodeURIComponent(name)}`));
        renewIn(past, ...charts(history));
      },
      PAST_MS,
      () => {},
    ),
  ];
  const element = h("div", {}, top, wrong, body);
  return { title: name, element, update, close: () => ends.forEach((end) => end()) };
}

/** @param {Device} device @param {number} now @returns {[string, string][]} */
function factsOf(device, now) {
  const { remote, security, bound, software, clockOffset, roundTrip, keepAlive, deviceKeepAlive } = device;
  const { conflict, expires, losses, sessionSince, key, tcp } = device;
  const silence = (/** @type {Device["keepAlive"]} */ of) =>
    of === null ? "–" : `${setting(of.idleTimeout)}, ${setting(of.probeInterval)} × ${of.probeCount}`;
  return [
    ["From", remote ?? "–"],
    ["Session", sessionSince === null ? "none" : `for ${age(sessionSince, now)}`],
    ["Lost within the hour", losses === 0 ? "never" : losses === 1 ? "once" : `${losses} times`],
    ["Round trip", millis(roundTrip)],
    ["Mode", modeText(device)],
    ...(tcp === null ? [] : [/** @type {[string, string]} */ (["TCP", tcpOf(tcp)])]),
    ["Link", security === null ? "–" : `${security}${bound === null ? "" : bound ? ", bound" : ", not bound"}`],
    ["Program", software ?? "–"],
    [
      "Clock",
      clockOffset === null
        ? "–"
        : Math.abs(clockOffset) < 500
        ? "right"
        : `${clockOffset > 0 ? "ahead" : "behind"} by ${millis(Math.abs(clockOffset))}`,
    ],
    ["Keep-alive", silence(keepAlive)],
    ["The device's", silence(deviceKeepAlive)],
    ["Expires", expires === null ? "never" : clock(expires, now)],
    ["Key", key],
    ...(conflict === null ? [] : [/** @type {[string, string]} */ (["Two machines use its key", conflict])]),
  ];
}

/**
 * Its mode, and which way it is to another.
 *
 * @param {Device} device
 * @returns {string}
 */
function modeText({ mode, modeChange }) {
  if (modeChange === null) return mode;
  if (modeChange === "runToConfig") return `${mode}, on its way to config`;
  return mode === "run" ? "run, opening its host ports" : `${mode}, on its way to run`;
}

/** @param {NonNullable<Device["tcp"]>} tcp */
function tcpOf({ roundTrip, roundTripVariation, retransmits }) {
  const again = retransmits === null ? "" : `, ${number(retransmits)} segments sent again`;
  return `${millis(roundTrip)} ± ${millis(roundTripVariation)}${again}`;
}

/** @param {Past} past */
function charts({ step, points }) {
  const now = Date.now();
  const times = points.map(({ time }) => Date.parse(time));
  const rate = (/** @type {number} */ value) => value * 1000 / step;
  const data = { times, step };
  return [
    chart({
      ...data,
      title: "Throughput",
      series: [
        { name: "down", values: points.map(({ bytesDown }) => rate(bytesDown)) },
        { name: "up", values: points.map(({ bytesUp }) => rate(bytesUp)) },
      ],
      format: (value) => `${bytes(value)}/s`,
    }, now),
    chart({
      ...data,
      title: "Round trip",
      series: [{ name: "round trip", values: points.map(({ roundTrip }) => roundTrip) }],
      format: millis,
    }, now),
    chart({
      ...data,
      title: "Clients",
      series: [{ name: "clients", values: points.map(({ clients }) => clients) }],
      format: number,
    }, now),
  ];
}
