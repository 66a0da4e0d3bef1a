/**
 * The body of a request: JSON, and not too much of it.
 *
 * @module
 */

import { concat } from "../../../protocol/bytes.ts";
import { MAX_ADMIN_BODY } from "../../limits.ts";
import { ApiError } from "../api_error.ts";

const TOO_LARGE = `the body may have ${MAX_ADMIN_BODY} bytes`;

/**
 * Reads the body; nothing stands for `{}`.
 *
 * A page of another origin cannot send this media type without being asked first, so it is demanded of every act.
 *
 * @throws {ApiError} if it is something else, or too large.
 */
export async function readBody(request: Request): Promise<unknown> {
  const [media] = (request.headers.get("content-type") ?? "").split(";");
  if (media!.trim().toLowerCase() !== "application/json") {
    throw new ApiError("unsupported-media-type", "send content-type: application/json");
  }
  if (Number(request.headers.get("content-length") ?? 0) > MAX_ADMIN_BODY) throw new ApiError("too-large", TOO_LARGE);
  const bytes = await readBounded(request);
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ApiError("bad-request", "the body is not JSON");
  }
}

async function readBounded(request: Request): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > MAX_ADMIN_BODY) throw new ApiError("too-large", TOO_LARGE);
    parts.push(part);
  }
  return concat(parts);
}
