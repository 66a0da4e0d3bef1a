/**
 * A serial line as users write it: `/dev/ttyUSB0,115200,8n1,flow=rts,lock,share=read,control=rfc2217`.
 *
 * @module
 */

import { MAX_BAUD, MIN_BAUD } from "./limits.ts";
import { FLOWS, type LineSettings, parseFrame, USUAL_SETTINGS } from "./settings.ts";

/** A serial line, and how it is offered. */
export interface SerialEndpoint {
  /** Its device node. */
  readonly path: string;
  /** How it is set when a client gets it. */
  readonly line: LineSettings;
  /** Whether it is locked against other programs, as picocom and minicom do it. */
  readonly lock: boolean;
  /** Whether clients that come while it is in use may watch. */
  readonly share: "none" | "read";
  /** Whether clients speak telnet, with the commands of RFC 2217; otherwise bytes are passed as they are. */
  readonly control: "none" | "rfc2217";
  /** What becomes of clients when the line goes: kept until it is back, or ended. */
  readonly replug: "keep" | "end";
}

const FORM = "write /dev/ttyUSB0,115200,8n1, and behind it what you need of flow=rts|xon, lock, share=read, " +
  "control=rfc2217, replug=keep|end";

/**
 * Parses an endpoint; a `serial:` in front of it may be there. The default is `115200,8n1`, without anything more.
 *
 * @throws {SyntaxError} with what was wrong and what would do, on one line.
 *
 * @example
 * ```ts
 * import { parseSerialEndpoint } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const { path, line } = parseSerialEndpoint("serial:/dev/ttyUSB0,9600,7e1,flow=xon");
 * assert.equal(path, "/dev/ttyUSB0");
 * assert.deepEqual(line, { baud: 9600, dataBits: 7, parity: "even", stopBits: 1, flow: "xon" });
 * assert.throws(() => parseSerialEndpoint("/dev/ttyUSB0,9n1"), SyntaxError);
 * ```
 */
export function parseSerialEndpoint(text: string): SerialEndpoint {
  const [path = "", ...options] = text.replace(/^serial:/, "").split(",").map((part) => part.trim());
  if (!/^\/[^\0]*[^/\0]$/.test(path)) throw new SyntaxError(`"${text}" names no serial line; ${FORM}`);
  let line = USUAL_SETTINGS;
  let lock = false;
  let share: SerialEndpoint["share"] = "none";
  let control: SerialEndpoint["control"] = "none";
  let replug: SerialEndpoint["replug"] = "keep";
  const seen = new Set<string>();
  for (const option of options) {
    const [name, value] = split(option);
    if (seen.has(name)) throw new SyntaxError(`"${text}" says ${name} twice; say it once`);
    seen.add(name);
    switch (name) {
      case "speed":
        line = { ...line, baud: baudOf(value, text) };
        break;
      case "form": {
        const frame = parseFrame(value);
        if (!frame) {
          throw new SyntaxError(
            `"${option}" in "${text}" is no form of characters; write 5 to 8 data bits, n, o, e, m or s for the ` +
              "parity, and 1 or 2 stop bits, as in 8n1 or 7e2 (with 5 data bits: 1 or 1.5)",
          );
        }
        line = { ...line, ...frame };
        break;
      }
      case "flow":
        line = { ...line, flow: oneOf(FLOWS, option, value, text) };
        break;
      case "lock":
        if (option !== "lock") throw new SyntaxError(`lock has no value; write "lock" alone in "${text}"`);
        lock = true;
        break;
      case "share":
        share = oneOf(["none", "read"], option, value, text);
        break;
      case "control":
        control = oneOf(["none", "rfc2217"], option, value, text);
        break;
      case "replug":
        replug = oneOf(["keep", "end"], option, value, text);
        break;
      default:
        throw new SyntaxError(`"${option}" in "${text}" is not known; ${FORM}`);
    }
  }
  return { path, line, lock, share, control, replug };
}

/** Writes an endpoint as {@linkcode parseSerialEndpoint} reads it. */
export function formatSerialEndpoint({ path, line, lock, share, control, replug }: SerialEndpoint): string {
  return [
    `serial:${path}`,
    line.baud,
    `${line.dataBits}${line.parity[0]}${line.stopBits}`,
    ...(line.flow === "none" ? [] : [`flow=${line.flow}`]),
    ...(lock ? ["lock"] : []),
    ...(share === "none" ? [] : [`share=${share}`]),
    ...(control === "none" ? [] : [`control=${control}`]),
    ...(replug === "keep" ? [] : [`replug=${replug}`]),
  ].join(",");
}

/** A number alone is the speed; what begins like one is the form of characters. */
function split(option: string): [name: string, value: string] {
  if (/^\d+$/.test(option)) return ["speed", option];
  if (/^\d/.test(option)) return ["form", option];
  const at = option.indexOf("=");
  const name = option.slice(0, Math.max(0, at));
  return at < 0 || name === "speed" || name === "form" ? [option, ""] : [name, option.slice(at + 1)];
}

function baudOf(value: string, text: string): number {
  const baud = value.length <= 9 ? Number(value) : NaN;
  if (baud >= MIN_BAUD && baud <= MAX_BAUD) return baud;
  throw new SyntaxError(`the speed "${value}" in "${text}" is not a whole number from ${MIN_BAUD} to ${MAX_BAUD}`);
}

function oneOf<T extends string>(known: readonly T[], option: string, value: string, text: string): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  const name = option.split("=", 1)[0]!;
  throw new SyntaxError(`"${option}" in "${text}": write ${known.map((one) => `${name}=${one}`).join(" or ")}`);
}
