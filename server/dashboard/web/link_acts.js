// @ts-check
/**
 * Acts on a device that is linked, and on who may come to it.
 *
 * @module
 */

import { named, post } from "./api.js";
import { duration, durationHint, setting, span } from "./format.js";

/** @typedef {import("./store.js").Device} Device */
/** @typedef {import("./acts.js").Act} Act */

/** How the keep-alive is set by numbers, in the list of its ways. */
const NUMBERS = "by the numbers below";

/** Acts on the link. @param {Device} device @returns {Act[]} */
export function onLink(device) {
  const { name, mode, clients } = device;
  const path = named(name);
  const waiting = clients === 0
    ? ""
    : ` Its ${clients === 1 ? "client waits" : `${clients} clients wait`}, and no byte is lost.`;
  return [
    {
      word: "Drop link",
      title: `Drop the link of ${name}?`,
      text: `The link of ${name} ends; it dials again, and its session goes on.${waiting}`,
      button: "Drop link",
      act: async () => void await post(`${path}/drop`),
    },
    mode === "config" ? toRun(name) : toConfig(name),
    keepAlive(device),
    {
      word: "Look closely",
      title: `Look closely at ${name}?`,
      text:
        `Its link is probed as fast as for a client meanwhile, whatever its keep-alive: what is shown is true within ` +
        "seconds.",
      button: "Look",
      fields: [{
        name: "for",
        label: "For how long",
        value: "10m",
        required: true,
        hint: durationHint("an hour at most"),
      }],
      act: async ({ for: text = "" }) => {
        const ms = duration(text);
        await post(`${path}/attend`, { ms });
        return `${name} is looked at for ${span(ms)}.`;
      },
    },
  ];
}

/** @param {string} name @returns {Act} */
function toRun(name) {
  return {
    word: "Mode run",
    title: `Ask ${name} for mode run?`,
    text: `${name} offers its services again.`,
    button: "Ask for run",
    act: async () => void await post(`${named(name)}/mode`, { mode: "run" }),
  };
}

/** @param {string} name @returns {Act} */
function toConfig(name) {
  return {
    word: "Mode config",
    title: `Ask ${name} for mode config?`,
    text: `${name} withdraws its services: host ports are closed, and their clients are ended.`,
    button: "Ask for config",
    fields: [{
      name: "drain",
      label: "Let clients finish first, for",
      hint: `${durationHint()} No others come meanwhile. Empty: they are ended at once.`,
    }],
    act: async ({ drain = "" }) => {
      const ms = drain.trim() === "" ? 0 : duration(drain);
      await post(`${named(name)}/mode`, { mode: "config", ...(ms > 0 && { drain: ms }) });
      return ms > 0 ? `${name} goes to mode config when its clients have gone, within ${span(ms)}.` : undefined;
    },
  };
}

/** @param {Device} device @returns {Act} */
function keepAlive({ name, keepAlive }) {
  return {
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
      {
        name: "way",
        label: "How",
        choices: ["adaptive", "metered", "fast", NUMBERS],
        value: NUMBERS,
        hint: "adaptive and metered are slow while nobody waits; fast never is.",
      },
      field("idleTimeout", "Silence before the first probe, in seconds, or never", seconds(keepAlive?.idleTimeout)),
      field("probeInterval", "Silence between probes, in seconds, or never", seconds(keepAlive?.probeInterval)),
      field("probeCount", "Probes before the other is taken for lost", String(keepAlive?.probeCount ?? "")),
    ],
    act: async ({ endpoint, way, idleTimeout, probeInterval, probeCount }) => {
      if (way !== NUMBERS) {
        await post(`${named(name)}/keep-alive-way`, { endpoint, way });
        return `The keep-alive of ${name} is ${way}.`;
      }
      await post(`${named(name)}/keep-alive`, {
        endpoint,
        idleTimeout: millis(idleTimeout),
        probeInterval: millis(probeInterval),
        probeCount: Number(probeCount),
      });
      return undefined;
    },
  };
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

/**
 * Refuses new clients of a device, or of all, or lets them in again.
 *
 * @param {string | undefined} name of all without one
 * @param {{ until: string | null } | null} draining
 * @returns {Act}
 */
export function drain(name, draining) {
  const path = name === undefined ? "v1/server" : named(name);
  const whose = name ?? "all devices";
  if (draining) {
    return {
      word: "Undrain",
      title: `Let new clients of ${whose} in again?`,
      text: `New clients of ${whose} are refused now.`,
      button: "Let them in",
      act: async () => {
        await post(`${path}/undrain`);
        return `New clients of ${whose} may come again.`;
      },
    };
  }
  return {
    word: "Drain",
    title: `Refuse new clients of ${whose}?`,
    text: "Those who are there may finish. It holds until it is undone, or the server ends.",
    button: "Refuse them",
    fields: [{
      name: "for",
      label: "End those who are there after",
      hint: `${durationHint()} Empty: never.`,
    }],
    act: async ({ for: text = "" }) => {
      const ms = text.trim() === "" ? undefined : duration(text);
      await post(`${path}/drain`, ms === undefined ? {} : { for: ms });
      return `New clients of ${whose} are refused${
        ms === undefined ? "" : `; the others are ended after ${span(ms)}`
      }.`;
    },
  };
}
