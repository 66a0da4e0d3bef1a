import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { ConfigError } from "./config_error.ts";
import { hideSecrets } from "./hidden_secrets.ts";
import { TomlTable } from "./table.ts";

/** Each with `s3cret` in it, whole and cut off. */
const LINES = [
  'proxy = "http://user:s3cret@proxy.lan:3128"',
  'proxy = "user:s3cret@proxy.lan:3128"',
  "proxy = 'http://user:s3cret/s3cret@x@proxy.lan:3128'",
  'webhook = "https://hooks.example/services/T0/s3cret"',
  'webhook = "https://hooks.example?key=s3cret"',
  'on-lost = ["curl", "-H", "Authorization: Bearer s3cret", "https://alert.example"]',
  'on-lost = ["alert", "--token=s3cret"]',
  'token = "first s3cret"',
  'service = { password = "s3cret" }',
  "admin-token: s3cret",
];

test("a line that is shown has no secret in it, however much of it is there, and all stands where it stood", () => {
  for (const line of LINES) {
    for (let end = line.indexOf("s3cret") + 6; end <= line.length; end++) {
      const part = line.slice(0, end);
      const shown = hideSecrets(part);
      assert.equal(shown.length, part.length);
      assert.doesNotMatch(shown, /s3cret/, part);
    }
  }
  assert.equal(hideSecrets('proxy = "http://s3cret@proxy.lan:3128"'), 'proxy = "http://******@proxy.lan:3128"');
});

test("a line without a secret is shown as it is", () => {
  for (
    const line of [
      'proxy = "http://proxy.lan:3128"',
      'proxy = ["http://[2001:db8::1]:3128", "direct"]',
      'service = ["ssh=127.0.0.1:22", "web=[::1]:80", "plc=udp:10.0.0.7:502"]',
      'webhook-secret-file = "/etc/sallyport/webhook-secret"',
      'admin-token-file = "/etc/sallyport/admin-token"',
      'server = "relay.example:7443"',
      "[gw6",
    ]
  ) assert.equal(hideSecrets(line), line);
});

test("no message about a file has a secret of its lines", () => {
  for (const line of LINES) {
    for (let end = line.indexOf("s3cret") + 6; end <= line.length; end++) {
      for (const text of [line.slice(0, end), `${"# ".padEnd(400, "-")}\n${line.slice(0, end)}`]) {
        assert.throws(() => TomlTable.parse("device.toml", text).rejectUnknown(), (error) => {
          assert.ok(error instanceof ConfigError);
          assert.doesNotMatch(error.message, /s3cret/, text);
          return true;
        });
      }
    }
  }
});
