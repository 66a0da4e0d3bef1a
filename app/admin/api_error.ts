/**
 * Errors as the admin API tells them.
 *
 * @module
 */

/** Codes, with the HTTP status of each. */
export const ERROR_STATUS = {
  "bad-request": 400,
  "unauthorized": 401,
  "forbidden": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "conflict": 409,
  "too-large": 413,
  "unsupported-media-type": 415,
  "internal": 500,
  "too-busy": 503,
  "not-ready": 503,
} as const;

/** One of {@linkcode ERROR_STATUS}. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** What a handler throws to answer with an error. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  /** More headers of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  /** The line of a file that is meant, with a caret below the place, for whoever may see it. */
  readonly excerpt: string | undefined;

  /** With a message for people, of one line. */
  constructor(code: ErrorCode, message: string, headers: Readonly<Record<string, string>> = {}, excerpt?: string) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.headers = headers;
    this.excerpt = excerpt;
  }

  /** The HTTP status. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }
}

/** Reads a text of a request by a parser of the command line's. @throws {ApiError} in place of its `SyntaxError`. */
export function readText<T>(parse: (text: string) => T, text: string, where: string): T {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof SyntaxError ? new ApiError("bad-request", `${where}: ${error.message}`) : error;
  }
}

/** An answer, if there is room for one more reader. @throws {ApiError} if there is none. */
export function demandAnswer(answer: Response | undefined): Response {
  if (!answer) throw new ApiError("too-busy", "others are read to; come again", { "retry-after": "1" });
  return answer;
}
