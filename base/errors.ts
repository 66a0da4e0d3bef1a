/**
 * What errors of the runtime mean to the relay.
 *
 * @module
 */

/** One line about an error of the runtime, for people. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isTlsCut(error)) return "the peer closed the connection without a word";
  return error.message.replace(/ \(os error \d+\)/, "") || error.name;
}

/** The same for a log: a file's line with a caret under the place of a mistake is for terminals alone. */
export function describeInOneLine(error: unknown): string {
  return describeError(error).split("\n", 1)[0]!;
}

/** Why a file that a user named cannot be read, for people. */
export function whyUnreadable(error: unknown): string {
  switch (errorCode(error)) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied";
    default:
      return describeError(error);
  }
}

/** Whether a TLS connection ended as those do whose process was killed: without the end that TLS has. */
export function isTlsCut(error: unknown): boolean {
  return error instanceof Error && error.message.includes("close_notify");
}

/** The code that the system gave to an error, such as `EADDRINUSE`. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Whether the process or the system has run out of descriptors or buffers: it passes when others close. */
export function isExhaustion(error: unknown): boolean {
  const code = errorCode(error);
  if (code !== undefined) return ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"].includes(code);
  return error instanceof Error && /os error (23|24|105|12)\)/.test(error.message);
}
