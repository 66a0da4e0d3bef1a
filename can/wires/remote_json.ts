/**
 * The events of python-can-remote as JSON: `{"type": …, "payload": …}`.
 *
 * @module
 */

import {
  BRS,
  type CanFilter,
  type CanFrame,
  ERROR,
  ESI,
  EXTENDED,
  FD,
  frameFault,
  KIND_BIT,
  NO_DATA,
  REMOTE,
} from "../frame.ts";
import { MAX_CAN_FILTERS } from "../limits.ts";
import type { OpenRequest, Request } from "../wire.ts";

type Json = Readonly<Record<string, unknown>>;

/** An event is not as it should be; the message is for the client. */
export class EventFault extends Error {
  override readonly name = "EventFault";
}

/** Reads an event. @throws {EventFault} */
export function readEvent(text: string): Request | undefined {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch {
    throw new EventFault("an event is not JSON");
  }
  if (!isObject(event) || typeof event["type"] !== "string") throw new EventFault("an event has no type");
  const payload = event["payload"];
  switch (event["type"]) {
    case "bus_request":
      return readBusRequest(payload);
    case "message":
      return { type: "frame", frame: readMessage(payload) };
    case "periodic_start":
      return readPeriodic(payload);
    case "periodic_stop":
      return { type: "periodic-stop", key: `${number(payload, "the id to stop")}` };
    default: // what a later version may say
      return undefined;
  }
}

function readBusRequest(payload: unknown): OpenRequest {
  const config = isObject(payload) && isObject(payload["config"]) ? payload["config"] : {};
  const bitrate = config["bitrate"];
  return {
    type: "open",
    filters: readFilters(config["can_filters"]),
    ownFrames: config["receive_own_messages"] === true,
    ...(typeof bitrate === "number" && bitrate > 0 && { bitrate }),
  };
}

function readFilters(list: unknown): CanFilter[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new EventFault("can_filters is no list");
  if (list.length > MAX_CAN_FILTERS) throw new EventFault(`there may be ${MAX_CAN_FILTERS} filters`);
  return list.map((filter: unknown) => {
    if (!isObject(filter)) throw new EventFault("a filter needs can_id and can_mask");
    const id = number(filter["can_id"], "can_id") & 0x1fff_ffff;
    const mask = number(filter["can_mask"], "can_mask") & 0x1fff_ffff;
    if (typeof filter["extended"] !== "boolean") return { id, mask };
    return { id: (filter["extended"] ? id | KIND_BIT : id) >>> 0, mask: (mask | KIND_BIT) >>> 0 };
  });
}

function readPeriodic(payload: unknown): Request {
  if (!isObject(payload)) throw new EventFault("periodic_start has no payload");
  const frame = readMessage(payload["msg"]);
  const duration = payload["duration"];
  return {
    type: "periodic-start",
    key: `${frame.id}`,
    frame,
    period: number(payload["period"], "period") * 1000,
    duration: duration === undefined || duration === null ? 0 : number(duration, "duration") * 1000,
  };
}

/** What is absent is as python-can has it. */
function readMessage(payload: unknown): CanFrame {
  if (!isObject(payload)) throw new EventFault("a message has no payload");
  const extended = payload["is_extended_id"] ?? payload["extended_id"] ?? true;
  const has = (name: string, flag: number) => payload[name] === true ? flag : 0;
  const flags = (extended === false ? 0 : EXTENDED) | has("is_remote_frame", REMOTE) | has("is_error_frame", ERROR) |
    has("is_fd", FD) | has("bitrate_switch", BRS) | has("error_state_indicator", ESI);
  const data = flags & REMOTE ? NO_DATA : readData(payload["data"]);
  const length = payload["dlc"] === undefined || payload["dlc"] === null ? data.length : number(payload["dlc"], "dlc");
  const frame = { id: number(payload["arbitration_id"], "arbitration_id"), flags, length, data, time: 0 };
  const wrong = frameFault(frame);
  if (wrong !== undefined) throw new EventFault(wrong);
  return frame;
}

function readData(data: unknown): Uint8Array {
  if (data === undefined || data === null) return NO_DATA;
  if (!Array.isArray(data) || data.length > 64) throw new EventFault("data is no list of up to 64 bytes");
  if (!data.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)) {
    throw new EventFault("data has something else than bytes");
  }
  return Uint8Array.from(data);
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new EventFault(`${what} is no number`);
  return value;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The text of an event. */
export function writeEvent(type: string, payload: unknown): string {
  return JSON.stringify({ type, payload });
}

/** The text of the event of a frame. */
export function writeMessage({ id, flags, length, data, time }: CanFrame): string {
  return writeEvent("message", {
    timestamp: time,
    arbitration_id: id,
    is_extended_id: (flags & EXTENDED) !== 0,
    is_remote_frame: (flags & REMOTE) !== 0,
    is_error_frame: (flags & ERROR) !== 0,
    dlc: length,
    data: [...data],
    ...(flags & FD && {
      is_fd: true,
      bitrate_switch: (flags & BRS) !== 0,
      error_state_indicator: (flags & ESI) !== 0,
    }),
  });
}
