/**
 * What stands beside a configuration and cannot be used: keys, certificates, the state of a device, enrolment strings; and
 * that real processes say so as the tables beside this have it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { makeAuthority } from "../rig/processes/certificates.ts";
import { outcome } from "../rig/processes/commands.ts";
import { processTest } from "../rig/processes/harness.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { refuses } from "./_check.ts";

const KEY = "ed25519:MoD09p63cAgdgkm0O067tDTnLifseMfHK1AG6FJOtp4";
const PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
const DEVICE = `server = "relay.example"\nserver-key = "${KEY}"\nservice = ["ssh=127.0.0.1:22"]\n`;

refuses("server", [
  {
    what: "its own key, which others can read",
    files: { "state/server/identity.pem": [PEM, 0o644] },
    says: "Others can read or write state/server/identity.pem (mode 0644); run: chmod 600 state/server/identity.pem",
  },
  {
    what: "its own key, which is none",
    files: { "state/server/identity.pem": "nothing\n" },
    says:
      "state/server/identity.pem:1: no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----; restore it, or remove it for a new key, which nobody knows until all is enrolled anew",
  },
]);

refuses("device", [
  {
    what: "its own key, which others can write",
    file: DEVICE,
    files: { "state/device/identity.pem": [PEM, 0o602] },
    says: "Others can read or write state/device/identity.pem (mode 0602); run: chmod 600 state/device/identity.pem",
  },
  {
    what: "its own key, which is damaged",
    file: DEVICE,
    files: { "state/device/identity.pem": PEM },
    says:
      "state/device/identity.pem:1: the private key is damaged, or is not one for Ed25519; restore it, or remove it for a new key, which nobody knows until all is enrolled anew",
  },
  {
    what: "what it has joined, which others can read",
    files: { "state/device/device.toml": [DEVICE, 0o644] },
    says: "Others can read or write state/device/device.toml (mode 0644); run: chmod 600 state/device/device.toml",
  },
  {
    what: "what it has joined, which is cut off",
    files: { "state/device/device.toml": `server = ["relay.example:7443"]\nserver-key = "ed2551` },
    says:
      'state/device/device.toml:2:14: not TOML: unfinished string; a line is KEY = VALUE, with quotes around a text: KEY = "TEXT"',
  },
  {
    what: "what it has joined, with a key that is none",
    files: { "state/device/device.toml": `server = ["relay.example:7443"]\nserver-key = "ed25519:x"\n` },
    says:
      'state/device/device.toml:2:1: "server-key": "ed25519:x" is not a public key: it has 1 characters after ed25519:; write ed25519: and 43 characters, as "server key" prints it',
  },
]);

processTest(
  "a certificate that cannot be used is refused by --check; one that has ended is warned of",
  ["openssl"],
  async () => {
    using folder = new TempFolder();
    const { path } = folder;
    const authority = await makeAuthority(path);
    for (const name of ["one", "two"]) await authority.issue(name, ["DNS:localhost"]);
    const pair = (cert: string, key: string) => [
      ...["--tls-cert", `${path}/${cert}.pem`, "--tls-key", `${path}/${key}.key`, "--state", path, "--check"],
    ];
    const mixed = await outcome("server", pair("one", "two"));
    assert.equal(mixed.code, 2);
    assert.ok(
      mixed.stderr.endsWith(`: the key in ${path}/two.key is not that of the certificate in ${path}/one.pem`),
      mixed.stderr,
    );
    const cut = Deno.readTextFileSync(`${path}/one.pem`).slice(0, -40);
    folder.write("cut.pem", cut);
    const half = await outcome("server", pair("cut", "one"));
    assert.equal(half.code, 2);
    assert.match(
      half.stderr,
      /: Cannot read a certificate from \S+\/cut\.pem \(tls-cert\): it is not PEM, or not whole$/,
    );
    await authority.issue("ended", ["DNS:localhost"], -1);
    const ended = await outcome("server", pair("ended", "ended"));
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /^warning: the certificate in \S+\/ended\.pem ended /);
  },
);

processTest("real processes end with exit code 2, and without a stack", [], async () => {
  using folder = new TempFolder();
  const file = folder.write("server.toml", 'listen = "0.0.0.0:7443"\nlisen = "0.0.0.0:7444"\n');
  const state = ["--state", folder.path];
  const { code, stdout, stderr } = await outcome("server", ["--config", file, ...state, "--check"]);
  const says = `${file}:2:1: unknown key "lisen"; did you mean "listen"?\n  2 | lisen = "0.0.0.0:7444"\n      ^`;
  assert.deepEqual([code, stdout, stderr.slice(stderr.indexOf(": ") + 2)], [2, [], says]);
  const run = await outcome("server", ["--config", file, ...state]);
  assert.deepEqual(run, { code, stdout, stderr }, "it runs no better than it is checked");
});

processTest("an enrolment string that is none is refused before anything is stored, and is not shown", [], async () => {
  using folder = new TempFolder();
  const rest = ["--service", "ssh=127.0.0.1:22", "--no-run", "--state", folder.path];
  const strings: [string: string, says: RegExp][] = [
    ["hello", /: this is not an enrolment string; it begins with sp2_, as "server enroll" prints it$/],
    ["sp2_AVOp7FtvAcVTm0", /: the enrolment string is damaged or cut short; copy all of it$/],
    [`sp2_${"A".repeat(5000)}`, /: this is too long for an enrolment string$/],
  ];
  for (const [text, says] of strings) {
    const { code, stdout, stderr } = await outcome("device", ["join", text, ...rest]);
    assert.deepEqual([code, stdout], [2, []]);
    assert.match(stderr, says);
    assert.equal(stderr.includes(text), false, "it is a secret");
    assert.deepEqual([...Deno.readDirSync(folder.path)], []);
  }
});
