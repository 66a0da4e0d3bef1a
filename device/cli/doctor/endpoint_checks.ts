/**
 * What `device doctor` finds behind services: whether it is there, and whether the device may use it. Nothing is sent, and
 * no line is opened, as that would disturb who has it.
 *
 * @module
 */

import type { Check, Finding } from "../../../app/doctor/doctor.ts";
import { describeError } from "../../../base/errors.ts";
import { systemClock } from "../../../base/clock.ts";
import { whyNoCan } from "../../../can/bus/socketcan.ts";
import { parseCanEndpoint } from "../../../can/endpoint.ts";
import { type Address, formatAddress, parseAddress } from "../../../protocol/address.ts";
import { ipBytes } from "../../../protocol/ip.ts";
import { dial } from "../../../net/dial/dial.ts";
import { lookup } from "../../../net/dial/lookup.ts";
import { dialUnix } from "../../../net/dial/unix.ts";
import { chooseEngine, type EngineChoice } from "../../../net/engines.ts";
import { factsNow, type NodeFacts, readNow } from "../../../net/kernel/native_file.ts";
import { parseUdp } from "../../../net/udp/address.ts";
import { DOCTOR_DIAL_MS } from "../../limits.ts";
import type { Service } from "../../admin/schemas.ts";
import { NAME_LOST } from "./way_checks.ts";
import { EXECUTE, mayUse, READ, type User, WRITE } from "../../../app/doctor/rights.ts";

/** What is looked at, and for whom. */
export interface Behind {
  /** The service's name. */
  readonly name: string;
  /** What stands behind it, as the status has it: `127.0.0.1:22`, `unix:PATH`, `exec:PATH`, … */
  readonly place: string;
  readonly engine: EngineChoice;
  /** As whom the device runs, as far as that is known. */
  readonly user: User | undefined;
  /** How the device has it that runs. */
  readonly endpoint?: Service["endpoint"] | undefined;
  /** What it takes that the device has not, if so: then it is never offered. */
  readonly lacks?: string | undefined;
}

/** The check of one service. */
export function endpointCheck(behind: Behind): Check {
  return {
    name: `service ${behind.name}`,
    async look(signal) {
      try {
        return await finding(behind, signal);
      } catch (error) { // a folder on the way to it that this user may not enter
        return { level: "warn", text: describeError(error), advice: "run this as the device's user, or as root" };
      }
    },
  };
}

function finding(behind: Behind, signal: AbortSignal): Finding | Promise<Finding> {
  const { place, endpoint, lacks } = behind;
  if (lacks !== undefined) {
    const [what = "", ...advice] = lacks.split("; ");
    return {
      level: "fail",
      text: `it is not offered: ${what}`,
      ...(advice.length > 0 && { advice: advice.join("; ") }),
    };
  }
  if (endpoint?.state === "open") return { level: "ok", text: `${place} is open: ${endpoint.detail ?? "in use"}` };
  const [, kind, rest = ""] = /^(unix|exec|serial|udp|can):(?!\d+$)(.*)$/.exec(place) ?? [];
  switch (kind) {
    case "unix":
      return socketFinding(rest, behind, signal);
    case "exec":
      return programFinding(rest, behind);
    case "serial":
      return lineFinding(rest, behind);
    case "udp":
      return udpFinding(place);
    case "can":
      return busFinding(rest, behind, signal);
    default:
      return addressFinding(parseAddress(place), behind, signal);
  }
}

async function addressFinding(address: Address, { engine }: Behind, signal: AbortSignal): Promise<Finding> {
  const at = formatAddress(address);
  try {
    const sockets = chooseEngine(engine).engine;
    (await dial(address, { engine: sockets, clock: systemClock, timeout: DOCTOR_DIAL_MS, signal })).close();
    return { level: "ok", text: `${at} answers` };
  } catch (error) {
    return {
      level: "warn",
      text: `${at} does not answer: ${describeError(error)}`,
      advice: "start what is to answer there, or correct the address",
    };
  }
}

async function socketFinding(path: string, { engine, user }: Behind, signal: AbortSignal): Promise<Finding> {
  const missing = "start what is to listen there, or correct the path";
  if (!path.startsWith("@")) {
    const facts = factsNow(path);
    if (!facts) return { level: "warn", text: `there is no ${path}`, advice: missing };
    if (!facts.isSocket) return { level: "warn", text: `${path} is no socket`, advice: missing };
    const barred = barredFrom(path, facts, WRITE, user, "connect to");
    if (barred) return barred;
  }
  try {
    const sockets = chooseEngine(engine).engine;
    (await dialUnix(path, { engine: sockets, clock: systemClock, timeout: DOCTOR_DIAL_MS, signal })).close();
    return { level: "ok", text: `${path} answers` };
  } catch (error) {
    return { level: "warn", text: describeError(error), advice: missing };
  }
}

function programFinding(path: string, { user }: Behind): Finding {
  const facts = factsNow(path);
  const missing = "install it, or correct the path";
  if (!facts) return { level: "warn", text: `there is no ${path}`, advice: missing };
  if (!facts.isFile) return { level: "warn", text: `${path} is no program`, advice: missing };
  return barredFrom(path, facts, EXECUTE, user, "run", `chmod +x ${path}, if it is a program`) ??
    { level: "ok", text: `${path} is there, and is started for each client` };
}

function lineFinding(path: string, { user, endpoint }: Behind): Finding {
  const facts = factsNow(path);
  if (!facts) {
    const advice = "plug it in, or correct the path; ls -l /dev/serial/by-id has those that are there";
    return { level: "warn", text: `there is no ${path}`, advice };
  }
  if (!facts.isCharDevice) return { level: "warn", text: `${path} is no serial line`, advice: "correct the path" };
  const barred = barredFrom(path, facts, READ | WRITE, user, "read and write");
  if (barred) return barred;
  if (endpoint?.state === "gone") {
    return { level: "warn", text: `${path} is gone, and waited for`, advice: "plug it in anew" };
  }
  return { level: "ok", text: `${path} is there, and is opened for a client` };
}

async function udpFinding(place: string): Promise<Finding> {
  const { host } = parseAddress(parseUdp(place)[0]);
  const text = "nothing is sent, so whether it answers shows with a client";
  if (ipBytes(host) !== undefined) return { level: "ok", text: `${place}: ${text}` };
  try {
    return { level: "ok", text: `${place} is ${(await lookup(host, systemClock)).join(", ")}; ${text}` };
  } catch (error) {
    return { level: "warn", text: describeError(error), advice: NAME_LOST };
  }
}

function busFinding(text: string, behind: Behind, signal: AbortSignal): Finding | Promise<Finding> {
  const { place } = parseCanEndpoint(text);
  switch (place.kind) {
    case "virtual":
      return { level: "ok", text: `${place.channel} is a bus of the device itself` };
    case "slcan":
      return lineFinding(place.channel, behind);
    case "slcan-tcp":
      return addressFinding(place.address, behind, signal);
    case "socketcan":
      return interfaceFinding(place.channel);
  }
}

/** Bytes that the kernel has of a fact at most. */
const FACT_SIZE = 4_096;

/** `ARPHRD_CAN`: what the kernel has as the type of a CAN interface. */
const CAN_TYPE = "280";

function interfaceFinding(name: string): Finding {
  const why = whyNoCan(name);
  if (why !== undefined) {
    const [text = "", ...advice] = why.split("; ");
    return { level: "warn", text, ...(advice.length > 0 && { advice: advice.join("; ") }) };
  }
  const about = (fact: string) => {
    try {
      return readNow(`/sys/class/net/${name}/${fact}`, FACT_SIZE).trim();
    } catch {
      return undefined;
    }
  };
  const up = `ip link set ${name} up type can bitrate 500000`;
  const type = about("type");
  if (type === undefined) {
    return { level: "warn", text: `there is no interface ${name}`, advice: "ip -br link lists those that are there" };
  }
  if (type !== CAN_TYPE) {
    return {
      level: "warn",
      text: `${name} is no CAN interface`,
      advice: "ip -br link show type can lists those that are",
    };
  }
  const isUp = (Number(about("flags")) & 1) === 1;
  return isUp ? { level: "ok", text: `${name} is up` } : { level: "warn", text: `${name} is down`, advice: up };
}

/** That the device may not do `what`, if its owner, group and mode say so. */
function barredFrom(
  path: string,
  facts: NodeFacts,
  bits: number,
  user: User | undefined,
  what: string,
  otherwise?: string,
): Finding | undefined {
  if (user === undefined || mayUse(facts, bits, user)) return undefined;
  const mode = ((facts.mode ?? 0) & 0o777).toString(8);
  const byGroup = ((facts.mode ?? 0) >> 3 & bits) === bits;
  return {
    level: "warn",
    text: `user ${user.uid} may not ${what} ${path} (mode ${mode}, user ${facts.uid}, group ${facts.gid})`,
    advice: byGroup
      ? `add that user to group ${facts.gid} (usermod -aG, or SupplementaryGroups= in the unit), and start the device anew`
      : otherwise ?? "have its owner let that user in",
  };
}
