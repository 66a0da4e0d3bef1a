import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { claimState } from "./running.ts";

Deno.test("one device at a time runs with a state", async () => {
  const folder = await Deno.makeTempDir();
  try {
    {
      using _first = await claimState(`${folder}/device`);
      await assert.rejects(claimState(`${folder}/device`), (error) => {
        return error instanceof ConfigError && /^another sallyport device runs with the state in /.test(error.message);
      });
      using _other = await claimState(`${folder}/other`);
    }
    using _next = await claimState(`${folder}/device`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
