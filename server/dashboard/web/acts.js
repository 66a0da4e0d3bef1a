// @ts-check
/// <reference lib="dom" />
/**
 * Acts on devices and clients, each asked before it is done.
 *
 * @module
 */

import { named, post } from "./api.js";
import { drain, onLink } from "./link_acts.js";
import { enroll } from "./server_acts.js";
import { reach } from "./services.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {import("./dialog.js").Question} Question */
/** @typedef {import("../../admin/schemas.ts").Client} Client */

/** An act: what is asked before it is done, and the word of its button. @typedef {Question & { word: string }} Act */

/**
 * The acts that there are for a device as it is now.
 *
 * @param {Device} device
 * @returns {Act[]}
 */
export function actsOn(device) {
  const { name, state, link, clients, draining } = device;
  const does = (/** @type {string} */ act, /** @type {Record<string, unknown>} */ body = {}) => async () => {
    await post(`${named(name)}/${act}`, body);
  };
  const those = clients === 0
    ? "It has no clients now."
    : `Its ${clients === 1 ? "client is" : `${clients} clients are`} ended.`;
  const linked = link === "online" ? [...onLink(device), reach(name)] : [];
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
    drain(name, draining),
    tags(device),
    {
      word: "Rename",
      title: `Rename ${name}?`,
      text: `Its key, its services and its link stay. Hooks and scripts that say ${name} no longer find it.`,
      button: "Rename",
      fields: [{ name: "to", label: "New name", value: name, required: true }],
      act: async ({ to = "" }) => {
        await post(`${named(name)}/rename`, { to: to.trim() });
        location.hash = `#/device/${encodeURIComponent(to.trim())}`;
        return `${name} is called ${to.trim()} now.`;
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
    enroll(name),
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

/** @param {Device} device @returns {Act} */
function tags({ name, tags }) {
  return {
    word: "Tags",
    title: `Set the tags of ${name}?`,
    text: "Words that devices are selected by, as with tag=site:berlin.",
    button: "Set",
    fields: [{
      name: "tags",
      label: "Tags",
      value: tags.join(", "),
      hint: "Words, or two with a colon between, as in site:berlin; with commas between.",
    }],
    act: async ({ tags: text = "" }) => {
      const wanted = [...new Set(text.split(/[\s,]+/).filter((each) => each !== ""))];
      const [add, remove] = [wanted.filter((tag) => !tags.includes(tag)), tags.filter((tag) => !wanted.includes(tag))];
      await post(`${named(name)}/tag`, { add, remove });
      return wanted.length === 0 ? `${name} has no tags.` : `${name} has the tags ${wanted.join(", ")}.`;
    },
  };
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
