import assert from "node:assert/strict";
import { DEVICES_POLL_MS, DEVICES_SETTLE_MS } from "../limits.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { AuthorizedDevices, type DevicesChange, parseDevices } from "./authorized_devices.ts";
import { key, rawKey } from "./_state_fixture_test.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";

const FULL = `# all of it
[gw1]
key = "${key(1)}"
services = { ssh = "0.0.0.0:2201", web = "0.0.0.0:8000-8099" }
expires = 2027-01-01          # date
expiration = "2m"
disabled = false
comment = "roof, building 7"

["gw.2"]
key = "${key(2)}"
expires = 2027-01-01T12:00:00+01:00
services.any = { listen = "[::1]:0", max-clients = 10, idle-timeout = "10m", proxy-from = ["10.0.0.0/8"] }

[gw3]
key = "${key(3)}"
disabled = true
[gw3.services.ssh]
listen = "0.0.0.0:2201"  # gw1 has it, but this one is disabled
`;

folderTest("devices are read with everything that a user may write", () => {
  assert.deepEqual(parseDevices("devices.toml", FULL), [
    {
      name: "gw1",
      key: key(1),
      services: [
        { name: "ssh", listen: { host: "0.0.0.0", from: 2201, to: 2201 } },
        { name: "web", listen: { host: "0.0.0.0", from: 8000, to: 8099 } },
      ],
      expires: Date.UTC(2027, 0, 1),
      expiration: 120_000,
      disabled: false,
      comment: "roof, building 7",
    },
    {
      name: "gw.2",
      key: key(2),
      services: [{
        name: "any",
        listen: { host: "::1", from: 0, to: 0 },
        maxClients: 10,
        idleTimeout: 600_000,
        proxyFrom: ["10.0.0.0/8"],
      }],
      expires: Date.UTC(2027, 0, 1, 11),
      disabled: false,
    },
    {
      name: "gw3",
      key: key(3),
      services: [{ name: "ssh", listen: { host: "0.0.0.0", from: 2201, to: 2201 } }],
      disabled: true,
    },
  ]);
  assert.deepEqual(parseDevices("devices.toml", ""), []);
});

folderTest("mistakes are named with line, column, and what would do", () => {
  const line = (text: string) => `[gw1]\nkey = "${key(1)}"\n${text}\n`;
  const mistakes: [text: string, says: RegExp][] = [
    ["[gw1\n", /^d:1:\d+: not TOML/],
    ["gw1 = 3\n", /^d:1:1: "gw1" stands in no table; each device has one by its name, \[gw1\]/],
    ["[gw1]\n", /^d:1:1: "key" is missing; "device key" prints it/],
    [`[gw1]\nkye = "${key(1)}"`, /^d:2:1: unknown key "kye"; did you mean "key"\?/],
    ['[gw1]\nkey = "ssh-ed25519 AAAA"', /^d:2:1: "key": "ssh-ed25519 AAAA" is not a public key; write ed25519:/],
    ['["g w"]\n', /^d:1:1: "g w" is not a name; write 1 to 63/],
    [line("disabled = 1"), /^d:3:1: "disabled" has to be true or false/],
    [line("expires = 2027-01-01T00:00:00"), /^d:3:1: "expires": .* has no zone; write 2027-01-01T00:00:00.*Z for UTC/],
    [line('expires = "soon"'), /^d:3:1: "expires": "soon" is not a date/],
    [line('comment = "a\\nb"'), /^d:3:1: "comment": a comment is one line/],
    [line('services = "ssh"'), /^d:3:1: "services" has to be a table/],
    [line('services = { ssh = "relay" }'), /^d:3:14: "ssh": "relay" has no port; write HOST:PORT/],
    [line('services = { "s h" = "0.0.0.0:1" }'), /^d:3:14: "s h" is not a name/],
    [line('services.ssh = { lisen = "0.0.0.0:1" }'), /^d:3:1: "listen" is missing/],
    [
      line('services.ssh = { listen = "0.0.0.0:1", max = 1 }'),
      /^d:3:40: unknown key "max"; did you mean|^d:3:40: unknown/,
    ],
    [line('services.ssh = { listen = "0.0.0.0:1", max-clients = 0 }'), /^d:3:40: "max-clients": "0" is not a whole/],
    [line('[gw1.services.ssh]\nlisten = "0.0.0.0:1"\nproxy-from = ["x"]'), /^d:5:15: "proxy-from": "x" is not a netw/],
    [line(`[gw2]\nkey = "${key(1)}"`), /^d:4:1: "gw1" has the same key; give every device its own/],
    [
      line(`services.a = "0.0.0.0:7"\n[gw2]\nkey = "${key(2)}"\nservices = { x = "0.0.0.0:0", b = "127.0.0.1:7" }`),
      /^d:6:31: "gw1" has 0\.0\.0\.0:7 for "a"; give "b" of "gw2" another host port/,
    ],
    [line('services = { a = "[::1]:7", b = "[0::1]:7" }'), /^d:3:29: "gw1" has \[::1\]:7 for "a"/],
  ];
  for (const [text, says] of mistakes) {
    assert.throws(() => parseDevices("d", text), (error) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.match(error.message, says);
      return true;
    }, text);
  }
});

/** A file that is watched, with what was told about it. */
function watched(folder: string, text: string) {
  const file = `${folder}/devices.toml`;
  const [clock, log] = [new FakeClock(), new RecordingLogger()];
  const changes: DevicesChange[] = [];
  const write = (text: string) => {
    Deno.writeTextFileSync(`${file}.new`, text);
    Deno.renameSync(`${file}.new`, file);
  };
  write(text);
  const devices = new AuthorizedDevices(file, clock, log);
  devices.subscribe((change) => changes.push(change));
  const names = () => devices.all.map(({ name }) => name).join();
  return { file, clock, log, changes, write, devices, names };
}

const device = (name: string, n: number, more = "") => `[${name}]\nkey = "${key(n)}"\n${more}`;

folderTest("a changed file is read within 600 ms, and what changed is told by key", async (folder) => {
  const { clock, changes, write, devices } = watched(folder, device("a", 1) + device("b", 2) + device("c", 3));
  assert.equal(devices.byKey(rawKey(2))?.name, "b");
  assert.equal(devices.byName("b")?.key, key(2));
  write(device("a", 1) + device("renamed", 2, "disabled = true\n") + device("d", 4));
  await clock.advance(DEVICES_POLL_MS + DEVICES_SETTLE_MS);
  const [change] = changes;
  assert.equal(changes.length, 1);
  assert.deepEqual(change!.added.map(({ name }) => name), ["d"]);
  assert.deepEqual(change!.removed.map(({ name }) => name), ["c"]);
  assert.deepEqual(change!.changed.map(({ before, after }) => [before.name, after.name]), [["b", "renamed"]]);
  assert.equal(devices.byKey(rawKey(3)), undefined);
  assert.deepEqual(devices.byKey(rawKey(2))?.disabled, true);
  devices.close();
  assert.equal(clock.pending, 0);
});

folderTest(
  "a file that is prepared is in force when that is committed, and else with the next look",
  async (folder) => {
    const { file, clock, changes, write, devices, names } = watched(folder, device("a", 1));
    assert.equal(await devices.prepare(), undefined, "it is in force");
    write(device("a", 1) + device("b", 2));
    const first = await devices.prepare();
    await clock.advance(10 * DEVICES_POLL_MS);
    assert.deepEqual([names(), changes.length], ["a", 0], "nobody else takes it up");
    first!.undo();
    assert.equal(names(), "a");
    await clock.advance(DEVICES_POLL_MS + DEVICES_SETTLE_MS);
    assert.deepEqual([names(), changes.length], ["a,b", 1]);

    write(device("a", 1) + device("b", 2) + device("c", 3));
    const second = await devices.prepare();
    const waiting = devices.refresh();
    await second!.commit();
    await waiting;
    assert.deepEqual([names(), changes.length], ["a,b,c", 2]);

    write("[b\n");
    await assert.rejects(devices.prepare(), { name: "ConfigError", message: new RegExp(`^${file}:1:`) });
    await assert.rejects(devices.prepare(), { name: "ConfigError" }, "it is no better the second time");
    write(device("a", 1));
    await assert.rejects(devices.prepare(), /ends before 2 of 3 devices, as if it were cut off/);
    assert.equal(names(), "a,b,c");
    devices.close();
  },
);

folderTest("a bad file changes nothing, and is told once each time that it changes", async (folder) => {
  const { file, clock, log, changes, write, names } = watched(folder, device("a", 1));
  const errors = () => log.lines.filter((line) => line.startsWith("error"));
  write(`${device("a", 1)}disabled = maybe\n`);
  await clock.advance(10_000);
  assert.equal(errors().length, 1);
  assert.ok(errors()[0]!.includes(`${file}:3:`), errors()[0]);
  write("[b\n");
  await clock.advance(10_000);
  assert.equal(errors().length, 2);
  Deno.removeSync(file);
  await clock.advance(10_000);
  assert.equal(errors().length, 3);
  assert.match(errors()[2]!, /devices\.toml is gone/);
  assert.equal(names(), "a");
  assert.equal(changes.length, 0);
  write(device("b", 2));
  await clock.advance(1_000);
  assert.equal(names(), "b");
  assert.equal(errors().length, 3);
});

for (
  const [what, put] of [
    ["a folder", (file: string) => Deno.mkdirSync(file)],
    ["a link to itself", (file: string) => Deno.symlinkSync(file, file)],
  ] as const
) {
  folderTest(`where ${what} stood for a while, the same text as before is in force again`, async (folder) => {
    const text = device("a", 1);
    const { file, clock, log, write, devices, names } = watched(folder, text);
    const errors = () => log.lines.filter((line) => line.startsWith("error"));
    for (const again of [() => devices.reload(), () => clock.advance(DEVICES_POLL_MS + DEVICES_SETTLE_MS)]) {
      Deno.removeSync(file);
      put(file);
      await assert.rejects(devices.prepare(), { name: "ConfigError" });
      const told = errors().length;
      await clock.advance(10_000);
      assert.equal(errors().length, told, "it is tried again, and told once");
      Deno.removeSync(file);
      write(text);
      await again();
      assert.equal(devices.trouble, undefined);
      assert.equal(await devices.prepare(), undefined);
    }
    assert.equal(names(), "a");
    devices.close();
  });
}

folderTest("what is prepared and given up leaves a text that has to stand still as it was", async (folder) => {
  const { clock, write, devices, names } = watched(folder, device("a", 1) + device("b", 2) + device("c", 3));
  write(device("a", 1));
  await devices.reload();
  assert.match(devices.trouble!, /as if it were cut off/);
  write(device("a", 1) + device("b", 2) + device("c", 3) + device("d", 4));
  (await devices.prepare())!.undo();
  write(device("a", 1));
  await clock.advance(60_000);
  await devices.reload();
  assert.deepEqual([names(), devices.trouble], ["a", undefined]);
  devices.close();
});

folderTest("a file that an editor is half through is not believed", async (folder) => {
  const { file, clock, changes, names } = watched(folder, device("a", 1) + device("b", 2));
  Deno.writeTextFileSync(file, ""); // truncated: everybody would be thrown out
  await clock.advance(DEVICES_POLL_MS + DEVICES_SETTLE_MS / 2);
  Deno.writeTextFileSync(file, device("a", 1));
  await clock.advance(DEVICES_SETTLE_MS / 2);
  assert.equal(names(), "a,b");
  await clock.advance(DEVICES_SETTLE_MS);
  assert.equal(names(), "a,b", "what is left is the beginning of what was there: the rest may follow");
  Deno.writeTextFileSync(file, device("b", 2) + device("c", 3));
  await clock.advance(DEVICES_POLL_MS + DEVICES_SETTLE_MS);
  assert.equal(names(), "b,c");
  assert.equal(changes.length, 1);
});

folderTest("a touched file, and one with other comments, is no change", async (folder) => {
  const { file, clock, changes, write } = watched(folder, device("a", 1));
  Deno.utimeSync(file, 1, 1);
  await clock.advance(1_000);
  write(`# hello\n${device("a", 1)}`);
  await clock.advance(1_000);
  assert.equal(changes.length, 0);
});

folderTest("whoever changed the file can have it read at once", async (folder) => {
  const { write, devices, names, changes } = watched(folder, "");
  write(device("a", 1, 'services = { ssh = "0.0.0.0:22", any = "0.0.0.0:0", range = "0.0.0.0:30-40" }\n'));
  await devices.reload();
  assert.equal(names(), "a");
  assert.equal(changes.length, 1);
  assert.deepEqual([22, 0, 30, 35, 23].map((port) => devices.isReserved(port)), [true, false, false, false, false]);
});

folderTest("no file is no devices; a bad one at the start is an error", (folder) => {
  const open = () => new AuthorizedDevices(`${folder}/devices.toml`, new FakeClock(), new RecordingLogger());
  assert.deepEqual(open().all, []);
  Deno.writeTextFileSync(`${folder}/devices.toml`, "[");
  assert.throws(open, ConfigError);
});

folderTest("what is no file is refused in one line, without waiting for what might come", async (folder) => {
  const [directory, pipe] = [`${folder}/folder.toml`, `${folder}/pipe.toml`];
  await Deno.mkdir(directory);
  assert.ok((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success);
  for (const file of [directory, pipe]) {
    assert.throws(
      () => new AuthorizedDevices(file, new FakeClock(), new RecordingLogger()),
      (error) => error instanceof ConfigError && error.message === `Cannot read ${file}: it is not a file`,
    );
  }
});

folderTest("a key for which anybody can sign is refused where it stands", () => {
  const weak = `ed25519:${"A".repeat(43)}`;
  assert.throws(
    () => parseDevices("devices.toml", `[gw1]\nkey = "${weak}"\n`),
    (error) => error instanceof ConfigError && /nobody's public key.*low order/.test(error.message),
  );
});
