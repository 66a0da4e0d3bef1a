// @ts-check
/// <reference lib="dom" />
/**
 * A table that is sorted by its heads, and shows so many rows at a time: as quick for thousands as for ten.
 *
 * @module
 */

import { fill, h, whenLetGo } from "./dom.js";
import { number } from "./format.js";

/**
 * A column. `text` is what it shows and tells rows apart that look the same; `node` shows it in another way; `by` is what
 * it is sorted by, the text if it is not given. `wide`: not shown on a phone; `clock`: a time, in two
 * lines there with its day.
 *
 * @template T
 * @typedef {{
 *   title: string,
 *   text: (item: T) => string,
 *   node?: (item: T) => Node,
 *   by?: (item: T) => number | string,
 *   most?: boolean,
 *   kind?: "number" | "time" | "clock" | "wide" | "wide number" | "act",
 * }} Column
 */

/** Rows that are shown at a time. */
const ROWS = 100;

/**
 * The items, sorted; equal ones stay as they were.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => number | string} by
 * @param {boolean} down
 * @returns {T[]}
 */
export function sorted(items, by, down) {
  const keyed = items.map((item, at) => ({ item, at, key: by(item) }));
  const sign = down ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === b.key) return a.at - b.at;
    const order = typeof a.key === "string" && typeof b.key === "string"
      ? compare(a.key, b.key)
      : a.key < b.key
      ? -1
      : 1;
    return sign * order || a.at - b.at;
  });
  return keyed.map(({ item }) => item);
}

const { compare } = new Intl.Collator("en", { numeric: true });

/** @template T */
export class Table {
  /** What to put into the page. */
  element;
  #columns;
  #keyOf;
  #body = h("tbody");
  #foot = h("div", { class: "pages" });
  /** @type {HTMLElement[]} */
  #heads;
  /** @type {Map<string, { row: HTMLTableRowElement, shown: string[] }>} */
  #rows = new Map();
  /** @type {readonly T[]} */
  #items = [];
  #page = 0;
  #sort = -1;
  #down = false;
  #none;

  /**
   * @param {{ caption: string, columns: readonly Column<T>[], keyOf: (item: T) => string, sort?: number, none: string }} options
   * `sort`: the column that it is sorted by at first; without it, items stay in their order. `none`: said of no rows.
   */
  constructor({ caption, columns, keyOf, sort, none }) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#none = none;
    this.#heads = columns.map((column, at) =>
      h(
        "th",
        { scope: "col", class: column.kind },
        column.kind === "act"
          ? h("span", { class: "unseen" }, column.title)
          : h("button", { type: "button", onclick: () => this.#by(at) }, column.title),
      )
    );
    this.element = h(
      "div",
      { class: "table" },
      h(
        "div",
        { class: "scroll", role: "region", "aria-label": caption, tabindex: 0 },
        h(
          "table",
          {},
          h("caption", { class: "unseen" }, caption),
          h("thead", {}, h("tr", {}, ...this.#heads)),
          this.#body,
        ),
      ),
      this.#foot,
    );
    if (sort !== undefined) this.#by(sort);
  }

  /** Shows other items, or the same as they are now, when nothing is pressed. @param {readonly T[]} items */
  show(items) {
    this.#items = items;
    whenLetGo(this, () => this.#draw());
  }

  /** Goes back to the first rows. */
  first() {
    this.#page = 0;
  }

  /** @param {number} at */
  #by(at) {
    this.#down = this.#sort === at ? !this.#down : this.#columns[at]?.most ?? false;
    this.#sort = at;
    this.#page = 0;
    for (const [n, head] of this.#heads.entries()) {
      if (n === at) head.setAttribute("aria-sort", this.#down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    this.#draw();
  }

  #draw() {
    const column = this.#columns[this.#sort];
    const items = column ? sorted(this.#items, column.by ?? column.text, this.#down) : this.#items;
    const pages = Math.max(1, Math.ceil(items.length / ROWS));
    this.#page = Math.min(this.#page, pages - 1);
    const shown = items.slice(this.#page * ROWS, (this.#page + 1) * ROWS);
    const focused = document.activeElement;
    const before = this.#rows;
    this.#rows = new Map();
    for (const [at, item] of shown.entries()) {
      const key = this.#keyOf(item);
      const known = before.get(key) ?? { row: h("tr"), shown: [] };
      this.#rows.set(key, known);
      this.#write(known, item);
      if (this.#body.children[at] !== known.row) this.#body.insertBefore(known.row, this.#body.children[at] ?? null);
    }
    while (this.#body.children.length > shown.length) this.#body.lastElementChild?.remove();
    if (shown.length === 0) {
      this.#body.append(h("tr", {}, h("td", { class: "none", colspan: this.#columns.length }, this.#none)));
    }
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.#body.contains(focused)) {
      focused.focus();
    }
    this.#drawFoot(items.length, pages);
  }

  /** Writes what is not there yet. @param {{ row: HTMLTableRowElement, shown: string[] }} known @param {T} item */
  #write(known, item) {
    for (const [at, { text, node, kind }] of this.#columns.entries()) {
      const value = text(item);
      if (known.shown[at] === value) continue;
      known.shown[at] = value;
      const content = node?.(item) ?? value;
      const cell = known.row.children[at];
      if (cell) fill(cell, content);
      else {known.row.append(
          at === 0 ? h("th", { scope: "row", class: kind }, content) : h("td", { class: kind }, content),
        );}
    }
  }

  /** @param {number} count @param {number} pages */
  #drawFoot(count, pages) {
    const from = this.#page * ROWS;
    const text = pages === 1
      ? ""
      : `${number(from + 1)} to ${number(Math.min(count, from + ROWS))} of ${number(count)}`;
    if (this.#foot.dataset["text"] === text) return;
    this.#foot.dataset["text"] = text;
    if (pages === 1) return fill(this.#foot);
    const step = (/** @type {number} */ by, /** @type {string} */ name) =>
      h("button", {
        type: "button",
        disabled: this.#page + by < 0 || this.#page + by >= pages,
        onclick: () => {
          this.#page += by;
          this.#draw();
          this.element.querySelector(".scroll")?.scrollTo(0, 0);
          this.element.scrollIntoView({ block: "start" });
        },
      }, name);
    fill(this.#foot, h("span", {}, text), step(-1, "Before"), step(1, "Next"));
  }
}
