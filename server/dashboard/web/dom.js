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

/** Whether something is pressed: if it were replaced, or moved, before it is let go, there would be no click. */
let isPressed = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let pressedTimer;

/** What is new meanwhile, by where it belongs. @type {Map<Element, readonly Child[]>} */
const held = new Map();

addEventListener("pointerdown", () => {
  isPressed = true;
  clearTimeout(pressedTimer);
  pressedTimer = setTimeout(letGo, MAX_PRESS_MS);
}, true);
addEventListener("click", () => isPressed = false, true); // what it shows is shown at once
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => setTimeout(letGo), true); // after its click

function letGo() {
  isPressed = false;
  clearTimeout(pressedTimer);
  for (const [element, children] of [...held]) fill(element, ...children);
}

/** Replaces what is in an element by others, when nothing is pressed. @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  if (isPressed) return void held.set(element, children);
  held.delete(element);
  element.replaceChildren(...shown(children));
}

/** The element of an id, which is there. @param {string} id @returns {HTMLElement} */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id}`);
  return found;
}
