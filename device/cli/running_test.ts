import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { claimState } from "./running.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

Deno.test("one device at a time runs with a state", async () => {
  using temporary = new TempFolder();
  const folder = temporary.path;
  {
    using _first = await claimState(`${folder}/device`);
    await assert.rejects(claimState(`${folder}/device`), (error) => {
      return error instanceof ConfigError && /^another sallyport device runs with the state in /.test(error.message);
    });
    using _other = await claimState(`${folder}/other`);
  }
  using _next = await claimState(`${folder}/device`);
});
