/**
 * Lines of a configuration as they may be shown: messages with them go to logs, and from there to others.
 *
 * @module
 */

/** What is in front of a secret, and the secret. Where a text has no end, as of a file that is half written, it is one. */
const SECRETS: readonly RegExp[] = [
  /(^\s*["']?[\w-]*(?:token|secret|passw(?:or)?d|credentials?|api-?key)["']?\s*=)(.+)/gi, // not of `…-file`
  /(\b[\w-]*(?:token|secret|passw(?:or)?d|credentials?|api-?key)\s*[=:]\s*["']?)([^"'&]+)/gi,
  /(\b(?:bearer|basic)\s+)([^\s"',]+)/gi,
  /(:\/\/)([^\s"']*)(?=@)/g, // USER:PASSWORD@
  /(\b[\w.%+-]+:)(?!\/\/)([^\s"']+)(?=@)/g,
  /(:\/\/[^\s"'@:/[]*:)(?!\d{1,5}["'/?#,])([^\s"']+)/g, // the same, cut off; a port has something behind it
  /(\bproxy["']?\s*=[\s["']*[^\s"'@:/[]+:)(?!\/\/|\d{1,5}["'])([^\s"']+)/g,
  /(https?:\/\/[^\s"'/?#]+[/?#])([^\s"']+)/gi, // whoever knows the path of a webhook may post there
];

/** `line` with stars in place of what may be a secret: as many, so that all stands where it stood. */
export function hideSecrets(line: string): string {
  return SECRETS.reduce(
    (shown, pattern) =>
      shown.replace(pattern, (_, before: string, secret: string) => before + secret.replace(/[^\s"']/g, "*")),
    line,
  );
}
