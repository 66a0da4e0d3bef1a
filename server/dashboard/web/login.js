// @ts-check
/// <reference lib="dom" />
/**
 * The login: the token for a session.
 *
 * @module
 */

import { saidBy } from "./format.js";
import { login } from "./api.js";
import { h } from "./dom.js";

/** The form. `done` is called when somebody is in. @param {() => void} done @returns {import("./parts.js").View} */
export function loginView(done) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const token = h("input", {
    id: "token",
    name: "token",
    type: "password",
    required: true,
    autocomplete: "current-password",
  });
  const go = h("button", { type: "submit", class: "main" }, "Log in");
  const element = h(
    "form",
    {
      class: "login",
      onsubmit: async (event) => {
        event.preventDefault();
        go.disabled = true;
        wrong.textContent = "";
        try {
          await login(token.value.trim());
          done();
        } catch (error) {
          wrong.textContent = saidBy(error);
          token.select();
        } finally {
          go.disabled = false;
        }
      },
    },
    h("h1", {}, "Log in"),
    h(
      "p",
      {},
      "With the token of the admin API, as in the file of --admin-token-file; or by the link that sallyport server dashboard prints.",
    ),
    h("p", { class: "field" }, h("label", { for: "token" }, "Token"), token),
    wrong,
    h("p", { class: "buttons" }, go),
  );
  return { title: "Log in", element, update: () => {} };
}
