import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { test } from "../../tests/rig/test.ts";
import { CONFIG_POLL_MS, CONFIG_SETTLE_LOOKS } from "../limits.ts";
import { configFile, FileWatch } from "./file_watch.ts";

test("a configuration file is told once it has stood still, each time, and never for what it was at first", () => {
  using folder = new TempFolder();
  const path = folder.write("gw.toml", "a = 1\n");
  const clock = new FakeClock();
  let told = 0;
  using _watch = new FileWatch({ file: configFile(path), clock, onChange: () => told++ });
  clock.tick(CONFIG_POLL_MS * (CONFIG_SETTLE_LOOKS + 2));
  assert.equal(told, 0);

  for (let written = 2; written < 12; written++) { // an editor that saves all the time
    Deno.writeTextFileSync(path, `a = 1\n${"b = 2\n".repeat(written)}`);
    clock.tick(CONFIG_POLL_MS * (CONFIG_SETTLE_LOOKS - 1));
  }
  assert.equal(told, 0);
  clock.tick(CONFIG_POLL_MS * 2);
  assert.equal(told, 1);
  clock.tick(CONFIG_POLL_MS * 100);
  assert.equal(told, 1);

  Deno.removeSync(path); // a file that has gone is a change, too: whoever reads it says so
  clock.tick(CONFIG_POLL_MS * (CONFIG_SETTLE_LOOKS + 1));
  assert.equal(told, 2);
});

test("whoever ends the look at a file, also from within, leaves no timer", () => {
  using folder = new TempFolder();
  const path = folder.write("gw.toml", "");
  const clock = new FakeClock();
  const watch = new FileWatch({ file: configFile(path), clock, onChange: () => watch[Symbol.dispose]() });
  Deno.writeTextFileSync(path, "a = 1\n");
  clock.tick(CONFIG_POLL_MS * (CONFIG_SETTLE_LOOKS + 1));
  assert.equal(clock.pending, 0);
  watch[Symbol.dispose]();
});
