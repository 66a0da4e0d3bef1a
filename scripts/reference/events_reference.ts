/**
 * `deno run -A scripts/reference/events_reference.ts`: writes docs/reference/events.md anew from the types of events;
 * `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { EVENTS_PAGE, eventsPage } from "../../tests/rig/events_reference.ts";

Deno.writeTextFileSync(EVENTS_PAGE, eventsPage());
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", EVENTS_PAGE] }).output();
