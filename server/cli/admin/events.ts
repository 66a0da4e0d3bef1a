/**
 * `server events`: what has happened, and what happens.
 *
 * @module
 */

import type { Command } from "commander";
import { eventsCommand } from "../../../app/admin/cli/events.ts";
import type { OptionTable } from "../../../app/options.ts";
import { SERVER_EVENT_TYPES } from "../../events.ts";
import { demandMatch, parseSelector } from "./select.ts";

const FILTERS = {
  device: {
    value: "NAME",
    help: "only those of these devices: a name, a pattern as in gw*, or tag=TAG",
    parse: parseSelector,
  },
} as const satisfies OptionTable;

/** The command, below the server's command `name`. */
export function serverEventsCommand(name: string): Command {
  return eventsCommand(name, {
    role: "server",
    types: SERVER_EVENT_TYPES,
    filters: FILTERS,
    async demandSense(client, { device }) {
      if (typeof device === "string") await demandMatch(client, device);
    },
    examples: examples(name),
  });
}

function examples(name: string): string {
  return `Examples:
  ${name} events -f
  ${name} events --device 'gw*' --type link-interrupted,link-resumed,link-down --last 100
  ${name} events -f --json | jq .reason

The types, and what they tell, are in docs/reference/events.md.`;
}
