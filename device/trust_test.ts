import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { trustOnlyNamed } from "./trust.ts";

test("flags of the runtime that let others pass for the server are refused, where something is named", () => {
  const ignore = "--unsafely-ignore-certificate-errors";
  for (const flags of [[ignore], ["run", "-A", `${ignore}=relay.example`]]) {
    assert.throws(() => trustOnlyNamed({}, flags), /^ConfigError: the runtime's flag --unsafely\S+ lets others pass/);
    assert.throws(() => trustOnlyNamed({ security: "pki", caCerts: ["a CA"] }, flags), /start it without --unsafely/);
    trustOnlyNamed({ security: "pki" }, flags);
    trustOnlyNamed({ security: "plain" }, flags);
  }
  for (const flags of [["--cert", "ca.pem"], ["--cert=ca.pem"]]) {
    assert.throws(
      () => trustOnlyNamed({ security: "pki", caCerts: ["a CA"] }, flags),
      /the runtime's flag --cert lets/,
    );
    trustOnlyNamed({ security: "pki" }, flags);
  }
});
