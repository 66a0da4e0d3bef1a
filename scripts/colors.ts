/**
 * Colours belong on a terminal: Deno puts them into files and pipes as well, unless it is told not to.
 *
 * @module
 */

/** What to add to the environment of a program whose output goes where this one's does. */
export function withoutColors(
  isTerminal: boolean = Deno.stdout.isTerminal() && Deno.stderr.isTerminal(),
  get: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Record<string, string> {
  const inCi = !["", "0", "false"].includes(get("CI") ?? "");
  return isTerminal && !inCi ? {} : { NO_COLOR: "1" };
}
