/**
 * Who runs a command, for logs and audits.
 *
 * @module
 */

/** For people: who ran the command, as far as the environment tells. */
export function whoAmI(): string {
  for (const name of ["SUDO_USER", "USER", "LOGNAME"]) {
    const user = Deno.env.get(name);
    if (user) return user.replaceAll(/\p{Cc}/gu, "?");
  }
  return Deno.uid() === null ? "somebody" : `uid ${Deno.uid()}`;
}
