/**
 * How a WebSocket opens: the client's GET, and what is said to it.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { bytesOf } from "../text.ts";

/** The forms of messages that python-can-remote knows, the better one first. */
export const SUBPROTOCOLS = ["can.binary+json.v1", "can.json.v1"] as const;

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** What is said to a client that opens: the WebSocket is open in the form `protocol`, or not at all. */
export interface Opening {
  readonly answer: Uint8Array;
  readonly protocol: typeof SUBPROTOCOLS[number] | undefined;
  /** Why it is not. */
  readonly why?: string;
}

/** Judges a head, from `GET` to the empty line. */
export function judgeOpening(head: string): Opening {
  const [first = "", ...lines] = head.split("\r\n");
  if (!/^GET \S+ HTTP\/1\.1$/.test(first)) return refusal("400 Bad Request", "it is no GET of HTTP/1.1");
  const fields = new Map<string, string>();
  for (const line of lines) {
    if (line === "") continue;
    const colon = line.indexOf(":");
    if (colon < 1) return refusal("400 Bad Request", "a line of its head has no colon");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    fields.set(name, fields.has(name) ? `${fields.get(name)}, ${value}` : value);
  }
  if (fields.get("upgrade")?.toLowerCase() !== "websocket") {
    return refusal("404 Not Found", "it is no WebSocket");
  }
  if (!words(fields.get("connection")).includes("upgrade")) {
    return refusal("400 Bad Request", "Connection: Upgrade is missing");
  }
  if (fields.get("sec-websocket-version") !== "13") {
    return refusal("426 Upgrade Required", "only version 13 of WebSocket is known", "Sec-WebSocket-Version: 13\r\n");
  }
  const key = fields.get("sec-websocket-key") ?? "";
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return refusal("400 Bad Request", "Sec-WebSocket-Key is no key");
  const offered = words(fields.get("sec-websocket-protocol"));
  const protocol = SUBPROTOCOLS.find((known) => offered.includes(known)) ?? "can.json.v1";
  return {
    protocol,
    answer: bytesOf(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${acceptOf(key)}\r\n` +
        (offered.includes(protocol) ? `Sec-WebSocket-Protocol: ${protocol}\r\n` : "") + "\r\n",
    ),
  };
}

/** The proof that a server has read the client's key. */
export function acceptOf(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

function words(value: string | undefined): string[] {
  return value === undefined
    ? []
    : value.toLowerCase().split(",").map((word) => word.trim()).filter((word) => word !== "");
}

function refusal(status: string, why: string, more = ""): Opening {
  const body = `${status.slice(4)}: this is a CAN bus for python-can's remote interface; ${why}\n`;
  return {
    protocol: undefined,
    why,
    answer: bytesOf(
      `HTTP/1.1 ${status}\r\n${more}Content-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    ),
  };
}
