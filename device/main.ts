/**
 * Entry point of the `sallyport-device` binary.
 *
 * @module
 */

import { runProcess } from "../app/run.ts";
import { deviceCommand } from "./cli/cli.ts";

if (import.meta.main) {
  await runProcess("sallyport-device", async () => {
    await deviceCommand("sallyport-device").parseAsync(Deno.args, { from: "user" });
  });
}
