/**
 * Entry point of the `sallyport-server` binary.
 *
 * @module
 */

import { runProcess } from "../app/run.ts";
import { serverCommand } from "./cli/cli.ts";

if (import.meta.main) {
  await runProcess("sallyport-server", async () => {
    await serverCommand("sallyport-server").parseAsync(Deno.args, { from: "user" });
  });
}
