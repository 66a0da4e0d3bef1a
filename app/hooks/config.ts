/**
 * Hooks as they stand in a configuration file, and only there: `on-lost = ["/usr/local/bin/alert", "--now"]`.
 *
 * @module
 */

import { mayRun } from "./process.ts";
import { HOOK_EVENTS, type HookEvent, type Hooks } from "./hooks.ts";
import { tomlString } from "../toml/scan.ts";
import type { TomlTable } from "../toml/table.ts";

/**
 * Reads the hooks of a file.
 *
 * @param allowed Whether this process may run a program.
 * @throws {ConfigError} with the place, if one cannot be run as it stands.
 */
export function readHooks(file: TomlTable | undefined, allowed: (program: string) => boolean = mayRun): Hooks {
  const hooks: Partial<Record<HookEvent, readonly string[]>> = {};
  for (const event of HOOK_EVENTS) {
    const key = `on-${event}`;
    const command = file?.texts(key);
    if (!file || !command) continue;
    const example = `for example: ${key} = ["/usr/local/bin/alert", "--now"]`;
    if (!command[0]) throw file.error(key, `"${key}" names no program; ${example}`);
    if (command.some((text) => text.includes("\0"))) {
      throw file.error(key, `"${key}" has a NUL character in it, which no program can be given`);
    }
    if (!allowed(command[0])) {
      throw file.error(
        key,
        `"${key}": Deno was not given the permission to run ${command[0]}; ` +
          "start it with --allow-run, or take the key out",
      );
    }
    hooks[event] = command;
  }
  return hooks;
}

/** The hooks, a line each, for `--check`. */
export function describeHooks(hooks: Hooks): string[] {
  return HOOK_EVENTS.flatMap((event) => {
    const command = hooks[event];
    return command ? [`on-${event} [${command.map(tomlString).join(", ")}]`] : [];
  });
}
