/**
 * `deno run -A scripts/reference/api_reference.ts`: writes docs/reference/api.md, device-api.md and faces.md anew from the
 * routes and their schemas; `tests/docs_test.ts` demands that they agree.
 *
 * @module
 */

import { API_PAGE, apiPage, DEVICE_API_PAGE, deviceRoutes, serverRoutes } from "../../tests/rig/api_reference.ts";
import { FACES_PAGE, facesPage } from "../../tests/rig/faces.ts";

Deno.writeTextFileSync(API_PAGE, apiPage(await serverRoutes()));
Deno.writeTextFileSync(DEVICE_API_PAGE, apiPage(deviceRoutes(), "device"));
Deno.writeTextFileSync(FACES_PAGE, facesPage(await serverRoutes(), deviceRoutes()));
await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", API_PAGE, DEVICE_API_PAGE, FACES_PAGE] }).output();
