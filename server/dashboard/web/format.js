// @ts-check
/**
 * Numbers and times, for people.
 *
 * @module
 */

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** As in `3.4 MB`. @param {number} count */
export function bytes(count) {
  let [value, unit] = [count, 0];
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
}

/** As in `3 min`, the greatest unit and at most one more. @param {number} ms */
export function span(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 10 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** @type {Record<string, number>} */
const MILLIS = { ms: 1, s: 1000, m: 60_000, h: 3600_000, d: 86_400_000 };

/** Milliseconds of a duration as people write it: 30s, 10m, 1h, 7d. @param {string} text @throws {Error} if it is none */
export function duration(text) {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim()) ?? [];
  const ms = Math.round(Number(count) * (MILLIS[unit] ?? 0));
  if (count === undefined || ms === 0) throw new Error(`"${text.trim()}" is no time; write one as in 30m or 1h`);
  return ms;
}

/** How a duration is written, with what it may be. @param {string} [most] */
export function durationHint(most) {
  return `As in 30m or 1h${most === undefined ? "" : `, ${most}`}.`;
}

/** As in `12 ms`. @param {number | null} ms */
export function millis(ms) {
  if (ms === null) return "–";
  return ms < 1000 ? `${ms < 9.95 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** A span of a setting: negative is never. @param {number} ms */
export function setting(ms) {
  return ms < 0 ? "never" : `${ms / 1000} s`;
}

/** A count, with its digits in groups. @param {number} count */
export function number(count) {
  return count.toLocaleString("en");
}

/** How long ago a time was, as in `3 min`. @param {string | null} time @param {number} now */
export function age(time, now) {
  return time === null ? "–" : span(now - Date.parse(time));
}

/** A time of day; with the date if it is not of this day. @param {string} time @param {number} now */
export function clock(time, now) {
  const at = new Date(time);
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const moment = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return new Date(now).toDateString() === at.toDateString() ? moment : `${day} ${moment}`;
}

/** What an error says. @param {unknown} error */
export function saidBy(error) {
  return error instanceof Error ? error.message : String(error);
}
