/**
 * `device events`: what has happened, and what happens.
 *
 * @module
 */

import type { Command } from "commander";
import { DEVICE_EVENT_TYPES } from "../../events.ts";
import { eventsCommand } from "../../../app/admin/cli/events.ts";

/** The command, below the device's command `name`. */
export function deviceEventsCommand(name: string): Command {
  return eventsCommand(name, {
    role: "device",
    types: DEVICE_EVENT_TYPES,
    examples: `Examples:
  ${name} events -f
  ${name} events --type interrupted,resumed,lost --last 100

The types, and what they tell, are in docs/reference/events.md.`,
  });
}
