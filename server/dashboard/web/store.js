// @ts-check
/// <reference lib="dom" />
/**
 * What is known of the server, kept new: lists are read now and then, and what an event is about at once.
 *
 * @module
 */

import { saidBy } from "./format.js";
import { get, list, named, Refused } from "./api.js";
import { follow } from "./live.js";

/** @typedef {import("../../admin/schemas.ts").Device} Device */
/** @typedef {import("../../admin/schemas.ts").ServerState} ServerState */
/** @typedef {import("./live.js").Happened} Happened */

/** The most devices that a browser holds; of more, a search finds the others. */
const MOST_DEVICES = 5_000;
/** The most events that it holds. */
const MOST_EVENTS = 4_096;
/** Milliseconds between two looks at the server, at all devices, and at those that something happened to. */
const [FACTS_MS, DEVICES_MS, DIRTY_MS] = [5_000, 60_000, 1_000];
/** Milliseconds between two readings of all that events ask for. */
const ALL_MS = 10_000;
/** Devices that are read one by one; for more, all are. */
const ONE_BY_ONE = 20;

/** What is known. */
export class Store {
  /** @type {ServerState | undefined} */
  server;
  /** @type {Map<string, Device>} */
  devices = new Map();
  /** Whether there are all of them. */
  isWhole = true;
  /** @type {Happened[]} Oldest first. */
  events = [];
  isLive = false;
  /** Why it is not, if it is known. */
  trouble = "";
  /** @type {Set<() => void>} */
  #watchers = new Set();
  /** @type {Set<(event: Happened) => void>} */
  #listeners = new Set();
  /** @type {Set<string>} */
  #dirty = new Set();
  #isReading = false;
  #readAt = 0;
  #isAsked = false;
  #ending = new AbortController();
  /** @type {ReturnType<typeof setInterval>[]} */
  #timers = [];

  /** Begins. Resolves when there is something to show. */
  async start() {
    await this.readServer(); // who is not in is told so once
    const [cursor] = await Promise.all([this.#readEvents(), this.readDevices()]);
    const state = (/** @type {boolean} */ isLive) => {
      if (isLive && !this.isLive) this.readDevices().catch(() => {});
      this.isLive = isLive;
      this.#changed();
    };
    follow((event) => this.#happened(event), state, this.#ending.signal, cursor);
    const every = (/** @type {number} */ ms, /** @type {() => Promise<void>} */ fn) =>
      this.#timers.push(setInterval(() => {
        if (!document.hidden) fn().catch(() => {});
      }, ms));
    every(FACTS_MS, () => this.readServer());
    every(DEVICES_MS, () => this.readDevices());
    every(DIRTY_MS, () => this.#readDirty());
  }

  /** Ends. */
  close() {
    this.#ending.abort();
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Calls `fn` when something is new. @param {() => void} fn @returns {() => void} what ends that */
  watch(fn) {
    this.#watchers.add(fn);
    return () => this.#watchers.delete(fn);
  }

  /** Calls `fn` for each event. @param {(event: Happened) => void} fn @returns {() => void} what ends that */
  listen(fn) {
    this.#listeners.add(fn);
    return () => this.#listeners.delete(fn);
  }

  /** Reads one device now. @param {string} name */
  async readDevice(name) {
    try {
      const device = /** @type {Device} */ (await get(named(name)));
      this.devices.set(name, device);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 404) throw error;
      this.devices.delete(name);
    }
    this.#changed();
  }

  /** Reads all devices; what is asked meanwhile is read after that. */
  async readDevices() {
    this.#isAsked = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isAsked) {
        this.#isAsked = false;
        const { items, isWhole } = await list("v1/devices", {}, MOST_DEVICES);
        this.devices = new Map(/** @type {Device[]} */ (items).map((device) => [device.name, device]));
        this.isWhole = isWhole;
        this.#readAt = Date.now();
        this.#changed();
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** Reads what is known of the server now. */
  async readServer() {
    try {
      this.server = /** @type {ServerState} */ (await get("v1/server"));
      this.trouble = "";
    } catch (error) {
      this.trouble = saidBy(error);
      if (!this.server) throw error;
    } finally {
      this.#changed();
    }
  }

  /** All that are kept, page after page. @returns where to go on */
  async #readEvents() {
    /** @type {Happened[]} */
    const found = [];
    for (let cursor = "";;) {
      const page = /** @type {{ items: Happened[], cursor: string }} */ (
        await get(`v1/events?limit=500&cursor=${encodeURIComponent(cursor)}`)
      );
      found.push(...page.items);
      cursor = page.cursor;
      if (page.items.length === 500) continue;
      this.events = found;
      return cursor;
    }
  }

  async #readDirty() {
    if (this.#dirty.size === 0) return;
    const names = [...this.#dirty];
    if (names.length > ONE_BY_ONE && Date.now() - this.#readAt < ALL_MS) return;
    this.#dirty.clear();
    if (names.length > ONE_BY_ONE) return await this.readDevices();
    for (const name of names) await this.readDevice(name);
  }

  /** @param {Happened} event */
  #happened(event) {
    this.events.push(event);
    if (this.events.length > MOST_EVENTS) this.events.splice(0, this.events.length - MOST_EVENTS);
    const { device, type } = event;
    if (type === "missed") this.readDevices().catch(() => {});
    else if (typeof device === "string") this.#dirty.add(device);
    for (const listener of this.#listeners) listener(event);
    this.#changed();
  }

  #isTold = false;

  /** Tells watchers, once for all that came in one go. */
  #changed() {
    if (this.#isTold) return;
    this.#isTold = true;
    setTimeout(() => {
      this.#isTold = false;
      for (const watcher of this.#watchers) watcher();
    }, 100);
  }
}
