import assert from "node:assert/strict";
import fc from "fast-check";
import { type AuthorizedDevice, parseDevices } from "./authorized_devices.ts";
import {
  addDevice,
  type DeviceEdit,
  formatTime,
  readDevices,
  removeDevice,
  renameDevice,
  replaceDevice,
  setDisabled,
  updateDevices,
} from "./edits.ts";
import { parseGrant } from "./service_grant.ts";
import { key } from "./_state_fixture_test.ts";
import { folderTest } from "../../tests/rig/test.ts";

const SOURCE = `# All of ours.

# the first
[gw1]
key = "${key(1)}" # by hand
services = { ssh = "0.0.0.0:2201" }

# the second
[ "gw.2" ] # with a table below
# a comment within
key = "${key(2)}"

disabled = true # for now

["gw.2".services.ssh]
listen = "0.0.0.0:2202"

# the third
[gw3]
services.a = "0.0.0.0:1"
key = "${key(3)}"
services.b = "0.0.0.0:2"
# the end
`;

const apply = (edit: DeviceEdit, source = SOURCE) => edit(source, "d");
const names = (source: string) => parseDevices("d", source).map(({ name }) => name);

folderTest("a device is added at the end, and all else stays byte for byte", () => {
  const device = {
    name: "gw.4",
    key: key(4),
    services: [parseGrant("ssh=0.0.0.0:0")],
    expires: Date.UTC(2027, 0, 31),
    comment: 'roof "7"',
  };
  const text = apply(addDevice(device));
  assert.ok(text.startsWith(SOURCE));
  assert.equal(
    text.slice(SOURCE.length),
    `\n["gw.4"]\nkey = "${key(4)}"\nservices = { ssh = "0.0.0.0:0" }\nexpires = 2027-01-31\ncomment = "roof \\"7\\""\n`,
  );
  assert.deepEqual(parseDevices("d", text).at(-1), { ...device, disabled: false });
});

folderTest("a device is removed with its sub-tables, and comments outside of it stay", () => {
  const text = apply(removeDevice("gw.2"));
  assert.deepEqual(names(text), ["gw1", "gw3"]);
  const lines = SOURCE.split("\n");
  const from = lines.indexOf('[ "gw.2" ] # with a table below');
  const gone = lines.slice(from, lines.indexOf('listen = "0.0.0.0:2202"') + 1);
  assert.deepEqual(text.split("\n").filter((line) => line), lines.filter((line) => line && !gone.includes(line)));
  assert.ok(!text.includes("\n\n\n"));
});

folderTest("disabling writes one line, and enabling changes one word", () => {
  const disabled = apply(setDisabled("gw1", true));
  assert.equal(disabled, SOURCE.replace("[gw1]\n", "[gw1]\ndisabled = true\n"));
  assert.equal(apply(setDisabled("gw1", false), disabled), disabled.replace("d = true\n", "d = false\n"));
  assert.equal(apply(setDisabled("gw.2", false)), SOURCE.replace("true # for now", "false # for now"));
  assert.equal(apply(setDisabled("gw1", false)), SOURCE);
});

folderTest("a rename changes the headers, and nothing else", () => {
  assert.equal(
    apply(renameDevice("gw.2", "roof")),
    SOURCE.replace('[ "gw.2" ]', "[ roof ]").replace('["gw.2".s', "[roof.s"),
  );
  assert.equal(apply(renameDevice("gw1", "a.b")), SOURCE.replace("[gw1]", '["a.b"]'));
});

folderTest("a new key stands in the place of the old one, and new services replace all old ones", () => {
  assert.equal(apply(replaceDevice({ name: "gw1", key: key(9) })), SOURCE.replace(key(1), key(9)));
  for (const name of ["gw1", "gw.2", "gw3"]) {
    const text = apply(replaceDevice({ name, key: key(9), services: [parseGrant("x=0.0.0.0:9")], expires: 0 }));
    const device = parseDevices("d", text).find((candidate) => candidate.name === name)!;
    assert.deepEqual([device.key, device.services.map((grant) => grant.name), device.expires], [key(9), ["x"], 0]);
    for (const comment of SOURCE.match(/^#.*$/gm)!) assert.ok(text.includes(comment), comment);
  }
});

folderTest("devices that are not tables of their own are left to their owner", () => {
  const sources = [
    `gw1 = { key = "${key(1)}" }\n`,
    `gw1.key = "${key(1)}"\n`,
    `[gw1.services]\nssh = "0.0.0.0:1"\n[gw1]\nkey = "${key(1)}"\n`,
  ];
  for (const source of sources) {
    parseDevices("d", source);
    for (const edit of [removeDevice("gw1"), setDisabled("gw1", true), renameDevice("gw1", "x")]) {
      assert.throws(() => apply(edit, source), /^ConfigError: d:1:1: "gw1" does not begin with a table \[gw1\]; edit/);
    }
  }
  assert.throws(() => apply(removeDevice("gw4")), /there is no device "gw4"; there are: gw1, /);
});

folderTest("whatever is done to one device, the others stay as they were", () => {
  const edits: ((name: string) => DeviceEdit)[] = [
    removeDevice,
    (name) => setDisabled(name, true),
    (name) => setDisabled(name, false),
    (name) => renameDevice(name, "new"),
    (name) => replaceDevice({ name, key: key(9), services: [], comment: "x" }),
  ];
  const without = (text: string, name: string): AuthorizedDevice[] =>
    parseDevices("d", text).filter((device) => ![name, "new"].includes(device.name));
  fc.assert(fc.property(
    fc.constantFrom("gw1", "gw.2", "gw3"),
    fc.array(fc.constantFrom(...edits), { minLength: 1, maxLength: 4 }),
    fc.constantFrom("\n", "\r\n"),
    (name, list, newline) => {
      let text = SOURCE.replaceAll("\n", newline);
      for (const edit of list) {
        if (!names(text).includes(name)) break;
        text = apply(edit(name), text);
      }
      assert.deepEqual(without(text, name), without(SOURCE, name));
    },
  ));
});

const MANNERS: Record<string, string> = {
  "a byte order mark": `\uFEFF${SOURCE.slice(SOURCE.indexOf("[gw1]"))}`,
  "CRLF": SOURCE.replaceAll("\n", "\r\n"),
  "both": `\uFEFF${SOURCE.slice(SOURCE.indexOf("[gw1]")).replaceAll("\n", "\r\n")}`,
};

for (const [what, source] of Object.entries(MANNERS)) {
  folderTest(`a file with ${what} is read and edited as one without`, async (folder) => {
    assert.deepEqual(parseDevices("d", source), parseDevices("d", SOURCE));
    const edits: [name: string, edit: DeviceEdit][] = [
      ["gw4", addDevice({ name: "gw4", key: key(4), services: [] })],
      ["gw1", renameDevice("gw1", "gw9")],
      ["gw1", setDisabled("gw1", true)],
      ["gw.2", setDisabled("gw.2", false)],
      ["gw1", replaceDevice({ name: "gw1", key: key(7), services: [parseGrant("x=0.0.0.0:1000")] })],
      ["gw1", removeDevice("gw1")],
    ];
    for (const [name, edit] of edits) {
      await Deno.writeTextFile(`${folder}/d`, source);
      const { devices } = await updateDevices(`${folder}/d`, name, edit);
      assert.deepEqual(devices, parseDevices("d", apply(edit)));
      const text = await Deno.readTextFile(`${folder}/d`);
      assert.equal(text.startsWith("\uFEFF"), source.startsWith("\uFEFF"));
    }
  });
}

folderTest("a file is edited whole or not at all, and a result that cannot be used is not written", async (folder) => {
  const file = `${folder}/devices.toml`;
  await updateDevices(file, "a", addDevice({ name: "a", key: key(1), services: [parseGrant("s=0.0.0.0:1")] }));
  assert.match(await Deno.readTextFile(file), /^# Devices that may link up[^]*\[a\]/);
  const before = await Deno.readTextFile(file);
  const taken = addDevice({ name: "b", key: key(2), services: [parseGrant("s=0.0.0.0:1")] });
  await assert.rejects(updateDevices(file, "b", taken), /"a" has 0\.0\.0\.0:1 for "s"/);
  await assert.rejects(updateDevices(file, "b", removeDevice("a")), /"b" is written in a way that this cannot edit/);
  assert.equal(await Deno.readTextFile(file), before);
  assert.deepEqual((await readDevices(file)).map(({ name }) => name), ["a"]);
  assert.deepEqual(await readDevices(`${folder}/none`), []);
});

folderTest("times are written as short as they are", () => {
  assert.equal(formatTime(Date.UTC(2027, 0, 31)), "2027-01-31");
  assert.equal(formatTime(Date.UTC(2027, 0, 31, 12)), "2027-01-31T12:00:00Z");
  assert.equal(formatTime(Date.UTC(2027, 0, 31, 12) - 1), "2027-01-31T12:00:00Z");
});
