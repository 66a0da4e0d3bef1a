// @ts-check
/// <reference lib="dom" />
/**
 * Small charts of a day: lines over time, what they say in words, and the same as a table.
 *
 * @module
 */

import { fill, h, svg } from "./dom.js";
import { clock } from "./format.js";

/** @typedef {{ name: string, values: readonly (number | null)[] }} Series */
/** @typedef {{ title: string, times: readonly number[], step: number, series: readonly Series[], format: (value: number) => string }} ChartData */

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 150, 74, 10, 10, 22];

/** Rows of a chart's table at most: every so many steps, not all of a day's. */
const TABLE_ROWS = 24;

/** The least round number that is not less. @param {number} value */
export function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10) * power;
}

/**
 * The lines of a series: a path with a gap wherever there is no value, or no point for more than two steps.
 *
 * @param {readonly number[]} times
 * @param {readonly (number | null)[]} values
 * @param {number} step
 * @param {(time: number) => number} x
 * @param {(value: number) => number} y
 */
export function pathOf(times, values, step, x, y) {
  let path = "";
  let last = -Infinity;
  for (const [at, time] of times.entries()) {
    const value = values[at] ?? null;
    if (value === null) continue;
    const point = `${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    const follows = time - last <= 2 * step && (values[at - 1] ?? null) !== null;
    path += follows ? `L${point}` : `M${point}h0.01`;
    last = time;
  }
  return path;
}

/** A chart in a frame of its own. @param {ChartData} data @param {number} now @returns {HTMLElement} */
export function chart(data, now) {
  const { title, times, series } = data;
  const from = now - 24 * 3600_000;
  return h(
    "figure",
    { class: "chart" },
    h(
      "figcaption",
      {},
      h("span", {}, title),
      ...(series.length > 1 ? series.map(({ name }, at) => h("span", { class: `key line-${at}` }, name)) : []),
    ),
    times.length === 0
      ? h("p", { class: "none" }, "Nothing yet: there is a first point in a few minutes.")
      : draw(data, from, now),
    times.length === 0 ? null : tableOf(data, now),
  );
}

/** @param {ChartData} data @param {number} from @param {number} now */
function draw({ title, times, step, series, format }, from, now) {
  const all = series.flatMap(({ values }) => values.filter((value) => value !== null));
  const most = roundUp(Math.max(0, ...all));
  const x = (/** @type {number} */ time) => LEFT + (WIDTH - LEFT - RIGHT) * (time - from) / (now - from);
  const y = (/** @type {number} */ value) => HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most;
  const last = series.map(({ name, values }) => {
    const value = values.findLast((each) => each !== null) ?? null;
    return `${name}: now ${value === null ? "unknown" : format(value)}`;
  });
  const grid = [0, most / 2, most].flatMap((value) => [
    svg("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
    svg("text", { class: "axis", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, format(value)),
  ]);
  const hours = [-24, -18, -12, -6, 0].map((hour) =>
    svg("text", {
      class: "axis",
      x: x(now + hour * 3600_000),
      y: HEIGHT - 5,
      "text-anchor": hour === 0 ? "end" : hour === -24 ? "start" : "middle",
    }, hour === 0 ? "now" : `${hour} h`)
  );
  const mark = svg("line", { class: "mark", y1: TOP, y2: HEIGHT - BOTTOM, x1: -9, x2: -9 });
  const lines = series.map(({ values }, at) =>
    svg("path", { class: `line line-${at}`, d: pathOf(times, values, step, x, y) })
  );
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      "aria-label": `${title}, the last 24 hours. ${last.join(". ")}.`,
    },
    ...grid,
    ...hours,
    mark,
    ...lines,
  );
  const said = h("p", { class: "at" }, last.map((text) => text.replace("now ", "")).join(" · "));
  const usual = said.textContent;
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const time = from + (now - from) * ((event.clientX - box.left) / box.width * WIDTH - LEFT) / (WIDTH - LEFT - RIGHT);
    const at = times.reduce(
      (best, each, n) => Math.abs(each - time) < Math.abs((times[best] ?? 0) - time) ? n : best,
      0,
    );
    for (const end of ["x1", "x2"]) mark.setAttribute(end, x(times[at] ?? 0).toFixed(1));
    said.textContent = `${clock(new Date(times[at] ?? 0).toISOString(), now)} · ${
      series.map(({ name, values }) => `${name}: ${shown(values[at], format)}`).join(" · ")
    }`;
  });
  picture.addEventListener("pointerleave", () => {
    for (const end of ["x1", "x2"]) mark.setAttribute(end, "-9");
    said.textContent = usual;
  });
  return h("div", {}, picture, said);
}

/** @param {number | null | undefined} value @param {(value: number) => string} format */
function shown(value, format) {
  return value === null || value === undefined ? "–" : format(value);
}

/** @param {ChartData} data @param {number} now */
function tableOf({ title, times, series, format }, now) {
  const every = Math.ceil(times.length / TABLE_ROWS);
  const body = h("div", { class: "scroll" });
  const details = h(
    "details",
    {
      ontoggle: () => {
        if (!details.open || body.firstChild) return;
        const rows = times.map((time, at) => ({ time, at })).filter(({ at }) => (times.length - 1 - at) % every === 0)
          .reverse();
        fill(
          body,
          h(
            "table",
            {},
            h("caption", { class: "unseen" }, title),
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                ...["Time", ...series.map(({ name }) => name)].map((name) => h("th", { scope: "col" }, name)),
              ),
            ),
            h(
              "tbody",
              {},
              ...rows.map(({ time, at }) =>
                h(
                  "tr",
                  {},
                  h("th", { scope: "row" }, clock(new Date(time).toISOString(), now)),
                  ...series.map(({ values }) => h("td", { class: "number" }, shown(values[at], format))),
                )
              ),
            ),
          ),
        );
      },
    },
    h("summary", {}, "As a table"),
    body,
  );
  return details;
}
