// @ts-check
/// <reference lib="dom" />
/**
 * Elements. Whatever comes from outside becomes text, and never markup.
 *
 * @module
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * Makes an element: `on…` are listeners, `class` and all else attributes; `true` is one without a value, `false` and
 * `undefined` none.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | undefined | ((event: Event) => void)>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  set(element, props);
  element.append(...shown(children));
  return element;
}

/**
 * The same for SVG.
 *
 * @param {string} tag
 * @param {Record<string, string | number | boolean | undefined | ((event: Event) => void)>} [props]
 * @param {...Child} children
 */
export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  set(element, props);
  element.append(...shown(children));
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, string | number | boolean | undefined | ((event: Event) => void)>} props
 */
function set(element, props) {
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** @param {readonly Child[]} children @returns {(Node | string)[]} */
function shown(children) {
  return /** @type {(Node | string)[]} */ (children.filter((child) => child || child === ""));
}

/** The longest that somebody who presses a button holds back what is new, in milliseconds. */
const MAX_PRESS_MS = 10_000;

/** The longest from the end of a touch to its click: they are tasks of their own, unlike those of a mouse. */
const TAP_MS = 300;

/** Whether something is pressed: if it were replaced, or moved, before it is let go, there would be no click. */
let isPressed = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pressedTimer;

/** What is to be drawn then, by what it is of. @type {Map<unknown, () => void>} */
const held = new Map();

addEventListener("pointerdown", ({ button }) => {
  if (button !== 0) return; // nothing may tell of its end: a menu of the browser takes it
  isPressed = true;
  letGoIn(MAX_PRESS_MS);
}, true);
addEventListener("keydown", ({ key, repeat }) => {
  if (key !== " " || repeat) return; // a click comes of Space when it is let go, of Enter at once
  isPressed = true;
  letGoIn(MAX_PRESS_MS);
}, true);
addEventListener("keyup", ({ key }) => {
  if (key === " ") letGoIn(0);
}, true);
addEventListener("click", () => {
  isPressed = false; // what it shows is shown at once
  letGoIn(0);
}, true);
addEventListener("pointerup", ({ pointerType }) => letGoIn(pointerType === "mouse" ? 0 : TAP_MS), true);
addEventListener("pointercancel", () => letGoIn(0), true);

/** @param {number} ms */
function letGoIn(ms) {
  clearTimeout(pressedTimer);
  pressedTimer = setTimeout(letGo, ms);
}

function letGo() {
  isPressed = false;
  for (const [key, draw] of [...held]) {
    held.delete(key);
    try {
      draw();
    } catch (error) {
      reportError(error); // the others are drawn
    }
  }
}

/**
 * Draws what is new: now if nothing is pressed, else once it is let go; of the same `key` the last one alone. All that comes
 * by itself, and not of what somebody does, is drawn by this.
 *
 * @param {unknown} key
 * @param {() => void} draw
 */
export function whenLetGo(key, draw) {
  if (isPressed) return void held.set(key, draw);
  held.delete(key);
  draw();
}

/** As `fill`, when nothing is pressed. @param {Element} element @param {...Child} children */
export function renewIn(element, ...children) {
  whenLetGo(element, () => fill(element, ...children));
}

/** Writes a text when nothing is pressed. @param {Element} element @param {string} text */
export function write(element, text) {
  whenLetGo(element, () => element.textContent = text);
}

/**
 * Replaces what is in an element by others. Whoever was on one of them with the keyboard is on the one that says the same.
 *
 * @param {Element} element @param {...Child} children
 */
export function fill(element, ...children) {
  const { activeElement: before } = document;
  const isWithin = before !== null && before !== element && element.contains(before);
  element.replaceChildren(...shown(children));
  if (isWithin) focusOn(before, element);
}

/** Puts the keyboard on an element, or, if it is gone, on the one within `root` that says the same. @param {Element} element @param {Element} root */
export function focusOn(element, root) {
  const says = (/** @type {Element} */ one) => `${one.textContent} ${one.getAttribute("aria-label")}`;
  const all = element.isConnected ? [element] : [...root.querySelectorAll(element.tagName)];
  const same = all.find((one) => says(one) === says(element));
  if (same instanceof HTMLElement) same.focus();
}

/** The element of an id, which is there. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id}`);
  return found;
}
