// @ts-check
/// <reference lib="dom" />
/**
 * Asks before something is done: of what, and what will happen.
 *
 * @module
 */

import { saidBy } from "./format.js";
import { focusOn, h, write } from "./dom.js";

/**
 * A field of a dialog. `choices` makes it a choice of these.
 *
 * @typedef {{ name: string, label: string, value?: string, hint?: string, choices?: readonly string[], type?: string, required?: boolean }} Field
 */

/**
 * What is asked. `typed` has to be typed in before it can be done; `act` does it, has what came of it if there is more to say
 * than that it is done, and what it throws is shown.
 *
 * @typedef {{
 *   title: string,
 *   text: string,
 *   button: string,
 *   danger?: boolean,
 *   typed?: string,
 *   fields?: readonly Field[],
 *   act: (values: Record<string, string>) => Promise<string | undefined | void>,
 * }} Question
 */

/**
 * Asks.
 *
 * @param {Question} question
 * @returns {Promise<{ isDone: boolean, said: string | undefined }>} whether it was done, and what came of it
 */
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
  /** @type {string | undefined} */
  let said;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    if (typed !== undefined && values["typed"] !== typed) {
      write(wrong, `This is not ${typed}.`);
      return;
    }
    go.disabled = true;
    write(wrong, "");
    try {
      said = await act(values) ?? undefined;
      isDone = true;
      dialog.close();
    } catch (error) {
      write(wrong, saidBy(error));
    } finally {
      go.disabled = false;
    }
  });
  return open(dialog).then(() => ({ isDone, said }));
}

/** Shows a dialog. Resolves when it is closed, with whoever was on a button there again. @param {HTMLDialogElement} dialog */
function open(dialog) {
  document.body.append(dialog);
  const before = document.activeElement;
  dialog.showModal();
  return /** @type {Promise<void>} */ (new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      if (before) focusOn(before, document.body);
      resolve();
    }, { once: true })
  ));
}

/**
 * Shows a text that is to be copied, until it is closed.
 *
 * @param {{ title: string, text: string, value: string, warnings: readonly string[] }} what
 */
export function show({ title, text, value, warnings }) {
  const shown = h("textarea", { id: "shown", readonly: true, rows: 4, spellcheck: "false" }, value);
  const copied = h("small", { role: "status" });
  const copy = async () => {
    shown.select();
    try {
      await navigator.clipboard.writeText(value);
      write(copied, " It is copied.");
    } catch {
      write(copied, " It is selected; copy it by keyboard.");
    }
  };
  const dialog = h(
    "dialog",
    { "aria-labelledby": "shown-title", "aria-describedby": "shown-text" },
    h("h2", { id: "shown-title" }, title),
    h("p", { id: "shown-text" }, text),
    h("p", { class: "field" }, h("label", { for: "shown" }, "The string"), shown, copied),
    ...warnings.map((warning) => h("p", { class: "wrong" }, warning)),
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => void copy() }, "Copy"),
      h("button", { type: "button", class: "main", onclick: () => dialog.close() }, "I have it"),
    ),
  );
  return open(dialog);
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

/**
 * A button that asks and does. `done` has what to say of it; `of` is what it is about, for those who hear the page.
 *
 * @param {string} word @param {() => Question} question @param {(said: string) => void} done @param {string} [of]
 */
export function actButton(word, question, done, of) {
  const { danger } = question();
  return h("button", {
    type: "button",
    class: danger ? "danger quiet" : "quiet",
    "aria-label": of === undefined ? undefined : `${word} ${of}`,
    onclick: async () => {
      const asked = question();
      const { isDone, said } = await confirm(asked);
      if (isDone) done(said ?? `Done: ${asked.title.replace(/\?$/, "")}.`);
    },
  }, word);
}
