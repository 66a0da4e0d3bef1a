// @ts-check
/// <reference lib="dom" />
/**
 * Asks before something is done: of what, and what will happen.
 *
 * @module
 */

import { h } from "./dom.js";

/**
 * A field of a dialog. `choices` makes it a choice of these.
 *
 * @typedef {{ name: string, label: string, value?: string, hint?: string, choices?: readonly string[], type?: string, required?: boolean }} Field
 */

/**
 * What is asked. `typed` has to be typed in before it can be done; `act` does it, and what it throws is shown.
 *
 * @typedef {{
 *   title: string,
 *   text: string,
 *   button: string,
 *   danger?: boolean,
 *   typed?: string,
 *   fields?: readonly Field[],
 *   act: (values: Record<string, string>) => Promise<void>,
 * }} Question
 */

/** Asks. @param {Question} question @returns {Promise<boolean>} whether it was done */
export function confirm({ title, text, button, danger = false, typed, fields = [], act }) {
  const all = typed === undefined
    ? fields
    : [...fields, { name: "typed", label: `Type ${typed} to confirm`, required: true }];
  const wrong = h("p", { class: "wrong", role: "alert" });
  const go = h("button", { type: "submit", class: danger ? "danger" : "main" }, button);
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "asked" }, title),
    h("p", { id: "asked-text" }, text),
    ...all.map(input),
    wrong,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close() }, "Leave it"),
      go,
    ),
  );
  const dialog = h("dialog", { "aria-labelledby": "asked", "aria-describedby": "asked-text" }, form);
  let isDone = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    if (typed !== undefined && values["typed"] !== typed) {
      wrong.textContent = `This is not ${typed}.`;
      return;
    }
    go.disabled = true;
    wrong.textContent = "";
    try {
      await act(values);
      isDone = true;
      dialog.close();
    } catch (error) {
      wrong.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      go.disabled = false;
    }
  });
  document.body.append(dialog);
  const before = document.activeElement;
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(isDone);
    }, { once: true })
  );
}

/** @param {Field} field */
function input({ name, label, value = "", hint, choices, type = "text", required = false }) {
  const id = `field-${name}`;
  const about = hint === undefined ? undefined : `${id}-hint`;
  const facts = { id, name, required, "aria-describedby": about };
  const control = choices
    ? h("select", facts, ...choices.map((choice) => h("option", { value: choice, selected: choice === value }, choice)))
    : h("input", { ...facts, type, value, autocomplete: "off", spellcheck: "false" });
  return h(
    "p",
    { class: "field" },
    h("label", { for: id }, label),
    control,
    hint === undefined ? null : h("small", { id: about }, hint),
  );
}
