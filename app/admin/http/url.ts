/**
 * What a request asks for.
 *
 * @module
 */

import { ApiError } from "../api_error.ts";

/** Its URL, whose host is what its caller wrote there. @throws {ApiError} if that makes it none. */
export function urlOf({ url }: Request): URL {
  const parsed = URL.parse(url);
  if (!parsed) throw new ApiError("bad-request", "this is no URL, or its host is no host");
  return parsed;
}
