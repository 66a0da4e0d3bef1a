/**
 * What programs of the rig, scripts and the bench print: a line for whoever waits for it.
 *
 * @module
 */

/** Prints a line, at once and whole. */
export function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
