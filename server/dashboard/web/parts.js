// @ts-check
/// <reference lib="dom" />
/**
 * Parts that several views have.
 *
 * @module
 */

import { h } from "./dom.js";
import { clock, saidBy } from "./format.js";

/**
 * A view: what it shows, how it is brought up to date, and what ends it. `refresh` reads what is shown by nothing else.
 *
 * @typedef {{ title: string, element: HTMLElement, update: () => void, close?: () => void }} View
 */

/**
 * What every view is given.
 *
 * @typedef {{ store: import("./store.js").Store, say: (text: string) => void }} Context
 */

/** A state, by its word and a mark: not by color alone. @param {string} state */
export function badge(state) {
  return h("span", { class: `badge ${state}` }, state);
}

/** That new clients are refused. @param {{ since: string, until: string | null }} draining @param {number} now */
export function drainWords({ since, until }, now) {
  const end = until === null ? "" : `; the others are ended at ${clock(until, now)}`;
  return `drains since ${clock(since, now)}: new clients are refused${end}`;
}

/** Tags, if there are some. @param {readonly string[]} tags */
export function tagList(tags) {
  if (tags.length === 0) return null;
  return h("ul", { class: "tags", "aria-label": "Tags" }, ...tags.map((tag) => h("li", {}, tag)));
}

/** Facts by their names. @param {readonly (readonly [string, string | Node])[]} facts */
export function factList(facts) {
  return h(
    "dl",
    { class: "facts" },
    ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))),
  );
}

/** A part of a view, with a heading. @param {string} title @param {...Node} children */
export function part(title, ...children) {
  return h("section", { class: "part", "aria-label": title }, h("h2", {}, title), ...children);
}

/** A link to a device. @param {string} name */
export function deviceLink(name) {
  return h("a", { href: `#/device/${encodeURIComponent(name)}` }, name);
}

/**
 * What is done a while after it is asked for, once for all who ask until then; what it fails with is told by the next time.
 *
 * @param {() => Promise<void>} fn @param {number} ms
 */
export function soonOnce(fn, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const go = () => {
    timer = undefined;
    fn().catch(() => {});
  };
  return { ask: () => void (timer ??= setTimeout(go, ms)), cancel: () => clearTimeout(timer) };
}

/**
 * Calls `fn` now, and every so many milliseconds while the page is seen. @returns what ends that
 *
 * @param {() => Promise<void>} fn
 * @param {number} ms
 * @param {(error: string) => void} failed
 */
export function often(fn, ms, failed) {
  let isBusy = false;
  const go = async () => {
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      await fn();
      failed("");
    } catch (error) {
      failed(saidBy(error));
    } finally {
      isBusy = false;
    }
  };
  go();
  const timer = setInterval(go, ms);
  return () => clearInterval(timer);
}
