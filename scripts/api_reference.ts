/**
 * `deno run -A scripts/api_reference.ts`: writes docs/reference/api.md and device-api.md anew from the routes and their schemas;
 * `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { API_PAGE, apiPage, DEVICE_API_PAGE, deviceRoutes, serverRoutes } from "../tests/rig/api_reference.ts";

Deno.writeTextFileSync(API_PAGE, apiPage(await serverRoutes()));
Deno.writeTextFileSync(DEVICE_API_PAGE, apiPage(deviceRoutes(), "device"));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", API_PAGE, DEVICE_API_PAGE] }).output();
