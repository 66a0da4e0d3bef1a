// @ts-check
/// <reference lib="dom" />
/**
 * The dashboard: which view is shown, whether it is live, and who is in.
 *
 * @module
 */

import { isLoggedIn, login, logout, onLoggedOut } from "./api.js";
import { auditView } from "./audit.js";
import { clientsView } from "./clients.js";
import { deviceView } from "./device.js";
import { devicesView } from "./devices.js";
import { byId, fill, h, whenLetGo } from "./dom.js";
import { eventsView } from "./events.js";
import { clock, saidBy } from "./format.js";
import { loginView } from "./login.js";
import { refusalsView } from "./refusals.js";
import { serverView } from "./server.js";
import { Store } from "./store.js";
import { wordsOf } from "./words.js";

/** @typedef {import("./parts.js").View} View */

/** Milliseconds between two things that are said to those who hear the page. */
const SAY_MS = 5_000;

const [main, nav, live, leave, said] = [byId("main"), byId("views"), byId("live"), byId("leave"), byId("said")];

/** @type {Store | undefined} */
let store;
/** @type {View | undefined} */
let view;
let lastLive = "";

/** Says something to those who hear the page, and shows it for a moment. @param {string} text */
function say(text) {
  said.textContent = text;
  const note = h("p", { class: "toast" }, text);
  document.body.append(note);
  setTimeout(() => note.remove(), 4_000);
}

/** @param {View} next @param {boolean} focus */
function show(next, focus) {
  view?.close?.();
  view = next;
  document.title = `${next.title} · Sallyport`;
  fill(main, next.element);
  next.update();
  if (!focus) return;
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** A name out of the address, which anybody may have written. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Shows what the address says. @param {boolean} focus */
function route(focus) {
  if (!store) return;
  const context = { store, say };
  const [, word = "", name = ""] = /^#\/(\w+)(?:\/(.+))?$/.exec(location.hash) ?? [];
  const current = word === "device" ? "devices" : word || "devices";
  for (const link of nav.querySelectorAll("a")) {
    if (link.hash === `#/${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (word === "device" && name) return show(deviceView(context, decoded(name)), focus);
  if (word === "clients") return show(clientsView(context), focus);
  if (word === "events") return show(eventsView(context), focus);
  if (word === "refusals") return show(refusalsView(context), focus);
  if (word === "audit") return show(auditView(context), focus);
  if (word === "server") return show(serverView(context), focus);
  show(devicesView(context), focus);
}

function showLive() {
  const now = new Date().toISOString();
  if (store?.isLive && !store.trouble) lastLive = now;
  const isLive = store?.isLive === true && store.trouble === "";
  const text = !store
    ? ""
    : isLive
    ? "live"
    : `not live${lastLive === "" ? "" : ` since ${clock(lastLive, Date.now())}`}${
      store.trouble ? `: ${store.trouble}` : ""
    }`;
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("off", !isLive);
}

/** Shows what is new. */
function renew() {
  whenLetGo(renew, () => {
    showLive();
    view?.update();
  });
}

/** What happens to links is said, but no more than one thing in a while. @param {Store} of */
function tellEvents(of) {
  let due = 0;
  let left = 0;
  of.listen((event) => {
    if (!["link-up", "link-interrupted", "link-resumed", "link-down"].includes(event.type)) return;
    if (Date.now() < due) return void left++;
    said.textContent = `${String(event["device"])}: ${wordsOf(event)}${left > 0 ? `, and ${left} more events` : ""}`;
    left = 0;
    due = Date.now() + SAY_MS;
  });
}

function askLogin() {
  store?.close();
  store = undefined;
  nav.hidden = true;
  leave.hidden = true;
  showLive();
  if (!main.querySelector(".login")) show(loginView(() => void start()), false);
  document.getElementById("token")?.focus();
}

async function start() {
  store?.close();
  const mine = store = new Store();
  fill(main, h("p", { class: "none" }, "Loading …"));
  try {
    await mine.start();
  } catch (error) {
    if (store !== mine) return; // a login is asked for
    fill(
      main,
      h("p", { class: "wrong", role: "alert" }, saidBy(error)),
      h("button", { type: "button", onclick: () => void start() }, "Try again"),
    );
    return;
  }
  if (store !== mine) return mine.close();
  nav.hidden = false;
  leave.hidden = !isLoggedIn();
  mine.watch(renew);
  tellEvents(mine);
  showLive();
  route(false);
}

/** A link that is good once brings its secret behind the #, which is sent nowhere. */
async function begin() {
  const [, secret] = /^#login=(.+)$/.exec(location.hash) ?? [];
  if (secret === undefined) return await start();
  history.replaceState(null, "", "#/devices");
  try {
    await login(secret);
  } catch {
    // it was used: whoever is in is in all the same, and all others are asked
  }
  await start();
}

onLoggedOut(askLogin);
addEventListener("hashchange", () => {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close(); // what it asked was about another view
  route(true);
});
setInterval(() => {
  if (!document.hidden) renew();
}, 5_000);
leave.addEventListener("click", async () => {
  await logout();
  askLogin();
});
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
void begin();
