import assert from "node:assert/strict";
import { EXPIRATION_MS } from "../net/limits.ts";
import { writeDuration } from "../base/duration.ts";
import { V1_KEEP_ALIVE, V2_KEEP_ALIVE } from "../protocol/keep_alive.ts";
import {
  expirationOption,
  keepAliveChoiceOf,
  keepAliveOf,
  keepAliveOptions,
  keysOf,
  parseKeepAlive,
  settledKeepAlive,
  timesOf,
  unsaidKeepAlive,
} from "./link_options.ts";
import { test } from "../tests/rig/test.ts";

test("a time that was given is the setting of its name, and one that was not is none", () => {
  assert.deepEqual(timesOf({}), {});
  assert.deepEqual(timesOf({ expiration: 0, "tcp-keep-alive": -1, "half-close-timeout": 5_000 }), {
    ...{ expiration: 0, tcpKeepAlive: -1, halfCloseTimeout: 5_000 },
  });
});

test("a keep-alive setting that was not given is the profile's", () => {
  assert.deepEqual(keepAliveOf({}, V1_KEEP_ALIVE), V1_KEEP_ALIVE);
  assert.deepEqual(keepAliveOf({ "probe-count": 0 }, V2_KEEP_ALIVE), { ...V2_KEEP_ALIVE, probeCount: 0 });
});

test("help says the default of the library, and of both profiles where they differ", () => {
  assert.equal(expirationOption("").preset, writeDuration(EXPIRATION_MS));
  assert.equal(keepAliveOptions("server", V2_KEEP_ALIVE)["probe-count"].preset, `${V2_KEEP_ALIVE.probeCount}`);
  const { preset } = keepAliveOptions("server", V2_KEEP_ALIVE, V1_KEEP_ALIVE)["idle-timeout"];
  assert.equal(
    preset,
    `${writeDuration(V2_KEEP_ALIVE.idleTimeout)} on v2, ${writeDuration(V1_KEEP_ALIVE.idleTimeout)} on v1`,
  );
});

test("a key of the other role's file is told with the command that takes it", () => {
  const { listen } = keysOf("server", "listen", "forward");
  assert.match(listen!, /option of the server; give this file to "sallyport server --config"/);
});

test("v2's keep-alive is a way by its name, or settings in one or in parts, and not both", () => {
  assert.equal(keepAliveChoiceOf({}), "adaptive");
  assert.equal(keepAliveChoiceOf({ "keep-alive": parseKeepAlive("metered") }), "metered");
  assert.deepEqual(parseKeepAlive("25s, never, 2"), { idleTimeout: 25_000, probeInterval: -1, probeCount: 2 });
  assert.deepEqual(keepAliveChoiceOf({ "idle-timeout": 9_000 }), { ...V2_KEEP_ALIVE, idleTimeout: 9_000 });
  assert.throws(
    () => keepAliveChoiceOf({ "keep-alive": "fast", "probe-count": 3 }),
    /^ConfigError: --probe-count is a part of what keep-alive says/,
  );
  for (const text of ["slow", "25s", "25s,5s", "25s,5s,128", "25s,5s,2,1", "a,b,c"]) {
    assert.throws(() => parseKeepAlive(text), SyntaxError, text);
  }
  assert.deepEqual(settledKeepAlive("fast"), { "keep-alive": "fast" });
  assert.deepEqual(settledKeepAlive(V2_KEEP_ALIVE), {
    "idle-timeout": 1_000,
    "probe-interval": 1_000,
    "probe-count": 2,
  });
  assert.deepEqual(unsaidKeepAlive(V2_KEEP_ALIVE, false), ["keep-alive"]);
  assert.deepEqual(unsaidKeepAlive("fast", true), []);
});
