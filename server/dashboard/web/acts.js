// @ts-check
/// <reference lib="dom" />
/**
 * Acts on devices and clients, each asked before it is done.
 *
 * @module
 */

import { named, post } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { setting } from "./format.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {import("./dialog.js").Question} Question */
/** @typedef {import("../../admin/schemas.ts").Client} Client */

/**
 * The acts that there are for a device as it is now.
 *
 * @param {Device} device
 * @returns {(Question & { word: string })[]}
 */
export function actsOn(device) {
  const { name, state, link, clients } = device;
  const does = (/** @type {string} */ act, /** @type {Record<string, unknown>} */ body = {}) => async () => {
    await post(`${named(name)}/${act}`, body);
  };
  const those = clients === 0
    ? "It has no clients now."
    : `Its ${clients === 1 ? "client is" : `${clients} clients are`} ended.`;
  const linked = link === "online" ? [...onLink(device)] : [];
  const bar = state === "disabled"
    ? {
      word: "Enable",
      title: `Enable ${name}?`,
      text: `${name} may link up again, with the services that it is granted.`,
      button: "Enable",
      act: does("enable"),
    }
    : {
      word: "Disable",
      title: `Disable ${name}?`,
      text: `${name} is cut off at once, and may not come back until it is enabled. ${those}`,
      button: "Disable",
      danger: true,
      act: does("disable"),
    };
  return [
    ...linked,
    {
      word: "Rename",
      title: `Rename ${name}?`,
      text: `Its key, its services and its link stay. Hooks and scripts that say ${name} no longer find it.`,
      button: "Rename",
      fields: [{ name: "to", label: "New name", value: name, required: true }],
      act: async ({ to = "" }) => {
        await post(`${named(name)}/rename`, { to: to.trim() });
        location.hash = `#/device/${encodeURIComponent(to.trim())}`;
      },
    },
    {
      word: "Expiry",
      title: `Until when may ${name} link up?`,
      text: `When the time is over, ${name} is cut off, and stays in the list.`,
      button: "Set",
      fields: [{
        name: "expires",
        label: "Until",
        value: device.expires ?? "",
        hint: "A date, a time, or a span from now as in 90d. Empty: for ever.",
      }],
      act: ({ expires = "" }) => does("expire", { expires: expires.trim() === "" ? null : expires.trim() })(),
    },
    bar,
    {
      word: "Revoke",
      title: `Revoke ${name}?`,
      text: `${name} is removed: its link ends, and its key is worth nothing. It has to be enrolled anew. ${those}`,
      button: "Revoke",
      danger: true,
      typed: name,
      act: async () => {
        await does("revoke")();
        location.hash = "#/devices";
      },
    },
  ];
}

/** @param {Device} device @returns {(Question & { word: string })[]} */
function onLink({ name, mode, clients, keepAlive }) {
  const path = named(name);
  const waiting = clients === 0
    ? ""
    : ` Its ${clients === 1 ? "client waits" : `${clients} clients wait`}, and no byte is lost.`;
  const other = mode === "config" ? "run" : "config";
  return [
    {
      word: "Drop link",
      title: `Drop the link of ${name}?`,
      text: `The link of ${name} ends; it dials again, and its session goes on.${waiting}`,
      button: "Drop link",
      act: async () => void await post(`${path}/drop`),
    },
    {
      word: `Mode ${other}`,
      title: `Ask ${name} for mode ${other}?`,
      text: other === "config"
        ? `${name} withdraws its services: host ports are closed, and their clients are ended.`
        : `${name} offers its services again.`,
      button: `Ask for ${other}`,
      act: async () => void await post(`${path}/mode`, { mode: other }),
    },
    {
      word: "Keep-alive",
      title: `Set the keep-alive of ${name}?`,
      text: `How long ${name} and the server may hear nothing of each other. ` +
        (keepAlive
          ? `Now ${setting(keepAlive.idleTimeout)}, ${setting(keepAlive.probeInterval)}, ${keepAlive.probeCount}.`
          : ""),
      button: "Set",
      fields: [
        {
          name: "endpoint",
          label: "Whose",
          choices: ["both", "device", "server"],
          hint: "device: it watches the server.",
        },
        field("idleTimeout", "Silence before the first probe, in seconds, or never", seconds(keepAlive?.idleTimeout)),
        field("probeInterval", "Silence between probes, in seconds, or never", seconds(keepAlive?.probeInterval)),
        field("probeCount", "Probes before the other is taken for lost", String(keepAlive?.probeCount ?? "")),
      ],
      act: async ({ endpoint, idleTimeout, probeInterval, probeCount }) =>
        void await post(`${path}/keep-alive`, {
          endpoint,
          idleTimeout: millis(idleTimeout),
          probeInterval: millis(probeInterval),
          probeCount: Number(probeCount),
        }),
    },
  ];
}

/** @param {string} name @param {string} label @param {string} value */
function field(name, label, value) {
  return { name, label, value, required: true };
}

/** @param {number | undefined} ms */
function seconds(ms) {
  return ms === undefined ? "" : ms < 0 ? "never" : String(ms / 1000);
}

/** @param {string | undefined} text */
function millis(text = "") {
  return text.trim() === "never" ? -1 : Number(text) * 1000;
}

/** Ends a client. @param {Client} client @returns {Question} */
export function closeClient({ id, address, service, device }) {
  const where = device === null ? service : `${device}/${service}`;
  return {
    title: `Close client ${address}?`,
    text: `Its connection to ${where} is reset both ways, and what waits for it is dropped.`,
    button: "Close client",
    danger: true,
    act: async () => void await post(`v1/clients/${id}/close`),
  };
}

/**
 * A button that asks and does. `done` has what to say of it.
 *
 * @param {string} word @param {() => Question} question @param {(said: string) => void} done
 */
export function actButton(word, question, done) {
  const { danger } = question();
  return h("button", {
    type: "button",
    class: danger ? "danger quiet" : "quiet",
    onclick: async () => {
      const asked = question();
      if (await confirm(asked)) done(`Done: ${asked.title.replace(/\?$/, "")}.`);
    },
  }, word);
}
