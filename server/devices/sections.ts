/**
 * The file of devices as one section of text for each device: what did not change need not be read again.
 *
 * @module
 */

import { textStart } from "../../app/toml/scan.ts";
import type { Steps } from "../../base/slices.ts";

/** The part of the text that is one device's, or in front of all. */
export interface DeviceSection {
  /** The device's name, as far as lines can tell; empty in front of the first. */
  readonly name: string;
  /** Offset of its first line. */
  readonly start: number;
  /** Offset behind its last line. */
  readonly end: number;
  /** Lines in front of it. */
  readonly line: number;
}

/** A line that begins a table or a value, with the first part of its key. A list of tables is nothing here. */
const BEGINNING = /^[ \t]*(\[?)[ \t]*([\w-]+|"[^"\\\n]*"|'[^'\n]*')[ \t]*[.=\]]/;
const QUOTED = /^["']/;
/** Characters of a line that are looked at: blanks, and a key. */
const LOOKED_AT = 256;

/**
 * Cuts the text before each line that begins another device, as far as lines alone can tell. A line within a text or a
 * list of several lines may look like one: then a section is no TOML by itself, and the whole has to be read as one.
 *
 * What stands above the first table (`gw1 = { … }`, `gw1.key = …`) is cut in the same way.
 */
export function* cutSections(source: string): Steps<DeviceSection[]> {
  const sections: DeviceSection[] = [];
  let [name, start, line] = ["", textStart(source), 0];
  let inTables = false;
  let lines = 0;
  for (let at = start; at < source.length; lines++) {
    const newline = source.indexOf("\n", at);
    const next = newline < 0 ? source.length : newline + 1;
    const first = source.charCodeAt(at);
    if (first === BRACKET || first === BLANK || first === TAB || !inTables) {
      const text = source.slice(at, Math.min(next, at + LOOKED_AT));
      const [, bracket, key] = BEGINNING.exec(text) ?? [];
      const begins = key !== undefined && (bracket !== "" || !inTables);
      inTables ||= text.trimStart().startsWith("["); // whatever it is called
      const named = key && QUOTED.test(key) ? key.slice(1, -1) : key; // the same name may be written with quotes and without
      if (begins && named !== name) {
        if (at > start) sections.push({ name, start, end: at, line });
        [name, start, line] = [named!, at, lines];
      }
    }
    at = next;
    yield;
  }
  if (source.length > start) sections.push({ name, start, end: source.length, line });
  return sections;
}

const BRACKET = 0x5b;
const BLANK = 0x20;
const TAB = 0x09;
