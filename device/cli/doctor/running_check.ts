/**
 * What `device doctor` says of the device that runs: whether it has a link, and if not, why, and what would do.
 *
 * @module
 */

import type { Check, Finding } from "../../../app/doctor/doctor.ts";
import type { Asked } from "../../../app/doctor/running.ts";
import type { DeviceFacts } from "../../admin/schemas.ts";
import { FAR_CLOCK_MS } from "../../limits.ts";
import { UNREACHED } from "./way_checks.ts";

/** How the device is that runs, if one does. */
export function runningCheck({ facts: device, trouble }: Asked<DeviceFacts>): Check {
  return {
    name: "running",
    look() {
      if (trouble !== undefined) return { level: "fail", text: trouble };
      if (!device) return { level: "warn", text: "no device runs with this state, or with --admin off" };
      return runningFinding(device);
    },
  };
}

/** What of a device is looked at. */
type Seen = Pick<DeviceFacts, "name" | "state" | "server" | "clockOffset" | "goodbye" | "outage">;

/** What there is to say of one that runs. */
export function runningFinding({ name, state, server, clockOffset, goodbye, outage }: Seen): Finding {
  if (state !== "online") {
    const said = goodbye && `it said ${goodbye.code}${goodbye.text && `: ${goodbye.text}`}`;
    const last = outage?.error ?? null;
    const why = [said, last === null || (goodbye?.text && last.includes(goodbye.text)) ? null : `last: ${last}`];
    return {
      level: "fail",
      text: [`the device that runs is ${state}, ${server}`, ...why.filter((each) => each !== null)].join("; "),
      advice: (goodbye && afterGoodbye(goodbye.code, name ?? "DEVICE")) ?? NO_LINK,
    };
  }
  const offset = clockOffset === null ? "" : `, clocks ${Math.round(Math.abs(clockOffset))} ms apart`;
  const text = `online at ${server}${offset}`;
  if (clockOffset !== null && Math.abs(clockOffset) > FAR_CLOCK_MS) {
    return { level: "warn", text, advice: "set this machine's clock, with NTP if it can" };
  }
  return { level: "ok", text };
}

const NO_LINK = `${UNREACHED}; what follows says how far one comes`;

/** What would do after the server's last word, if that is the cause. */
function afterGoodbye(code: NonNullable<DeviceFacts["goodbye"]>["code"], name: string): string | undefined {
  const server = "on the server: sallyport server";
  switch (code) {
    case "disabled":
      return `${server} enable ${name}, if it is to come back`;
    case "expired":
      return `${server} expire ${name} never, or another date`;
    case "revoked":
    case "unknown-device":
    case "bad-enrolment":
    case "bad-credentials":
      return `${server} enroll ${name}, and here: sallyport device join with the string that it prints`;
    case "incompatible":
      return "bring both sides to the same version";
    case "duplicate":
    case "replaced":
      return "end the other device that runs with this key, or have it join by an enrolment of its own";
    case "too-busy":
      return "nothing: it tries again by itself; if it stays so, see server doctor on the server";
    case "shutting-down":
    case "protocol-error":
      return undefined;
  }
}
