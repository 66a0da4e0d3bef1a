/**
 * Services that the portable engine can never serve: who names one is told at once, and one that is stored harms nothing else.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { DeviceFacts } from "../../device/admin/schemas.ts";
import { bestEngine } from "../rig/engine.ts";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { startDevice, v1DeviceArgs } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { enrol, joinArgs, serviceOpen, startV2Server } from "../rig/processes/relay.ts";
import { TempFolder } from "../rig/temp_folder.ts";

const PORTABLE = ["--engine", "portable"];
const TERMINAL = 'term=exec:["/bin/cat"],pty';
const ABSTRACT = "bus=unix:@no-such-bus";
/** What the environment says goes before a file, and stands for an option. */
const OWN = { env: { SALLYPORT_ENGINE: "" } };
const WHY = "takes the native engine, and (another one was asked for|it cannot be had: .*)";

processTest("an option that names a service which the engine can never serve is refused", [], async () => {
  using folder = new TempFolder();
  const text = await enrol(folder.path, "127.0.0.1:1", ["term", "bus"]);
  for (const [service, what] of [[TERMINAL, "term: a terminal"], [ABSTRACT, "bus: the abstract socket @no"]] as const) {
    const state = `${folder.path}/${what.slice(0, 3)}`;
    const refused = RegExp(`--service ${what}.* ${WHY}`);
    const joined = await outcome("device", [...joinArgs(state, text, [service]), "--no-run", ...PORTABLE]);
    assert.equal(joined.code, 2);
    assert.match(joined.stderr, refused);
    await assert.rejects(Deno.stat(`${state}/device`), Deno.errors.NotFound, "nothing is stored");
    await succeed("device", [...joinArgs(state, text, ["ssh=127.0.0.1:22"]), "--no-run"]);
    for (const more of [[], ["--check"]]) {
      const started = await outcome("device", ["--state", state, "--service", service, ...PORTABLE, ...more]);
      assert.equal(started.code, 2);
      assert.match(started.stderr, refused);
    }
  }
  const v1 = await outcome("device", [...v1DeviceArgs("a", ['127.0.0.1:1=exec:["/bin/cat"],pty']), ...PORTABLE]);
  assert.equal(v1.code, 2);
  assert.match(v1.stderr, RegExp(`--service 127.*: a terminal .* ${WHY}`));
});

processTest("a stored service that the engine can never serve is not offered, and the others are", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(`${folder.path}/server`);
  const text = await enrol(`${folder.path}/server`, server.address, ["ssh", "term", "bus"]);
  const state = ["--state", `${folder.path}/device`];
  await succeed("device", [...joinArgs(state[1]!, text, ["ssh=127.0.0.1:9"]), "--no-run"]);
  const stored = await outcome("device", ["service", "add", TERMINAL, ...state], OWN);
  assert.equal(stored.code, 0, "it may run on another engine");
  assert.equal(
    stored.stderr.includes("never offered with the engine that there is here"),
    bestEngine.name !== "native",
    stored.stderr,
  );

  const check = await outcome("device", [...state, ...PORTABLE, "--check"]);
  assert.equal(check.code, 0);
  assert.match(check.stderr, RegExp(`^warning: service term is stored, and not offered: a terminal .* ${WHY}`, "m"));
  const before = await outcome("device", [...state, ...PORTABLE, "doctor"]);
  assert.match(
    before.stdout.join("\n"),
    RegExp(`fail service term: it is not offered: a terminal .* ${WHY}\n +-> leave pty`),
  );

  await using device = startDevice([...state, ...PORTABLE]);
  await serviceOpen(device, "ssh");
  await device.logged(RegExp(`^service term is not offered: a terminal .* ${WHY}`));
  const { services } = JSON.parse((await succeed("device", ["status", "--json", ...state])).join("\n")) as
    & DeviceFacts
    & {
      readonly services: readonly { readonly name: string; readonly offered: boolean; readonly error: string | null }[];
    };
  const term = services.find(({ name }) => name === "term")!;
  assert.equal(term.offered, false);
  assert.match(term.error!, RegExp(`^not-offered: a terminal .* ${WHY}`));
  assert.match(
    (await succeed("device", ["status", ...state])).join("\n"),
    /^service +term not-offered -> exec:\S+, 0/m,
  );
  const during = await outcome("device", ["doctor", ...state]);
  assert.match(
    during.stdout.join("\n"),
    RegExp(`fail service term: it is not offered: a terminal .* ${WHY}\n +-> leave pty`),
  );

  const added = await outcome("device", ["service", "add", ABSTRACT, ...state]);
  assert.equal(added.code, 2, "which engine runs is known now");
  assert.match(added.stderr, RegExp(`the device that runs cannot serve bus: the abstract socket @\\S+ ${WHY}`));
  assert.equal((await succeed("device", ["service", "list", ...state])).length, 2);
  await succeed("device", ["service", "remove", "term", ...state]);
  const reloaded = await succeed("device", ["reload", ...state]);
  assert.match(reloaded.join("\n"), /services: term is offered no more/);
});

processTest("a reload by options that name such a service changes nothing", [], async () => {
  using folder = new TempFolder();
  await using server = await startV2Server(`${folder.path}/server`);
  const text = await enrol(`${folder.path}/server`, server.address, ["ssh", "bus"]);
  const state = ["--state", `${folder.path}/device`];
  await succeed("device", [...joinArgs(state[1]!, text, ["ssh=127.0.0.1:9"]), "--no-run"]);
  const file = folder.write("device.toml", 'engine = "portable"\nservice = ["ssh=127.0.0.1:9"]\n');
  await using device = startDevice([...state, "--config", file], OWN);
  await serviceOpen(device, "ssh");
  folder.write("device.toml", `engine = "portable"\nservice = ["ssh=127.0.0.1:8", "${ABSTRACT}"]\n`);
  const refused = await outcome("device", ["reload", ...state]);
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, RegExp(`device\\.toml.*"service" bus: the abstract socket @\\S+ ${WHY}`));
  for (const [line, option] of [['via = ["lo"]', "--via"], ["require-binding = true", "--require-binding"]] as const) {
    folder.write("device.toml", `engine = "portable"\nservice = ["ssh=127.0.0.1:8"]\n${line}\n`);
    const other = await outcome("device", ["reload", ...state]);
    assert.deepEqual([other.code, other.stderr.match(RegExp(`${option} ${WHY}`)) !== null], [1, true], other.stderr);
  }
  assert.match((await succeed("device", ["status", ...state])).join("\n"), /-> 127\.0\.0\.1:9, 0 clients/);
});
