import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { forgetEnrolment, loadDevice, restoreBefore, saveDevice, type StoredDevice } from "./state.ts";
import { folderTest } from "../../tests/rig/test.ts";

const STORED: StoredDevice = {
  serverKey: new Uint8Array(32).fill(7),
  security: "pinned",
  addresses: [{ host: "relay.example", port: 7443 }, { host: "::1", port: 1 }],
  services: ["ssh=127.0.0.1:22,proxy=v2", 'odd="\n'],
  enrolment: { tokenId: new Uint8Array(8).fill(1), tokenSecret: new Uint8Array(16).fill(255) },
};

folderTest(
  "what a device was told is known after a restart, with the enrolment until it was redeemed",
  async (folder) => {
    assert.equal(await loadDevice(folder), undefined);
    const state = `${folder}/new/device`;
    await saveDevice(state, STORED);
    assert.deepEqual(await loadDevice(state), STORED);
    assert.equal(((await Deno.stat(`${state}/device.toml`)).mode ?? 0) & 0o777, 0o600);
    const { enrolment: _redeemed, ...rest } = STORED;
    await saveDevice(state, { ...rest, services: [] });
    assert.deepEqual(await loadDevice(state), { ...rest, services: [] });
  },
);

folderTest("the place of a private CA's file is known after a restart", async (folder) => {
  const stored: StoredDevice = { ...STORED, security: "pki", ca: "/etc/company ca.pem" };
  await saveDevice(folder, stored);
  assert.deepEqual(await loadDevice(folder), stored);
});

folderTest("an enrolment that was redeemed is forgotten, and nothing that was joined since", async (folder) => {
  await saveDevice(folder, STORED);
  const { enrolment: _redeemed, ...rest } = STORED;
  const redeemed = new Uint8Array(8).fill(1);
  await forgetEnrolment(folder, redeemed);
  assert.deepEqual(await loadDevice(folder), { ...rest, redeemed });
  await forgetEnrolment(folder, redeemed);
  assert.deepEqual(await loadDevice(folder), { ...rest, redeemed }, "there is nothing to forget");

  const other: StoredDevice = {
    serverKey: new Uint8Array(32).fill(9),
    security: "plain",
    addresses: [{ host: "other.example", port: 1 }],
    services: ["web=127.0.0.1:80"],
    enrolment: { tokenId: new Uint8Array(8).fill(2), tokenSecret: new Uint8Array(16) },
  };
  await saveDevice(folder, other);
  await forgetEnrolment(folder, new Uint8Array(8).fill(1));
  assert.deepEqual(await loadDevice(folder), other, "the join of another server, which waits for the next start");
  await forgetEnrolment(`${folder}/gone`, new Uint8Array(8));
  assert.equal(await loadDevice(`${folder}/gone`), undefined);
});

folderTest("a damaged file is an error with its place, and is left as it is", async (folder) => {
  await saveDevice(folder, STORED);
  const path = `${folder}/device.toml`;
  const good = await Deno.readTextFile(path);
  const mistakes: [from: RegExp | string, to: string, says: string][] = [
    [/server-key = .*\n/, "", `${path}: "server-key" is missing; the file is damaged`],
    ["relay.example:7443", "relay.example", `${path}:2:12: "server": "relay.example" has no port`],
    ["pinned", "trust", `${path}:4:1: "security": "trust" is none of`],
    ["id = ", 'id = "1" # ', `${path}:8:1: "id": has to be 8 bytes in hexadecimal`],
    [/server = .*/, "server = []", `${path}:2:1: "server" is empty`],
    [/\[enrolment\][^]*/, "[enrol", `${path}:7:`],
    ["security", "securety", `${path}: "security" is missing`],
  ];
  for (const [from, to, says] of mistakes) {
    const text = good.replace(from, to);
    assert.notEqual(text, good);
    await Deno.writeTextFile(path, text);
    await assert.rejects(loadDevice(folder), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.ok(error.message.startsWith(says), error.message);
      return true;
    });
    assert.equal(await Deno.readTextFile(path), text);
  }
  await Deno.writeTextFile(path, good);
  await Deno.chmod(path, 0o640);
  await assert.rejects(loadDevice(folder), /run: chmod 600/);
});

folderTest(
  "what was joined before stands again when an enrolment is refused, and is gone once it is redeemed",
  async (folder) => {
    const token = (n: number) => ({ tokenId: new Uint8Array(8).fill(n), tokenSecret: new Uint8Array(16) });
    assert.equal(await restoreBefore(folder, token(1).tokenId), undefined);
    await saveDevice(folder, STORED);
    assert.equal(await restoreBefore(folder, token(1).tokenId), undefined, "it had joined nothing before");
    assert.deepEqual(await loadDevice(folder), STORED);
    await forgetEnrolment(folder, token(1).tokenId);
    const joined = await loadDevice(folder);

    const elsewhere = { ...STORED, serverKey: new Uint8Array(32).fill(8) };
    await saveDevice(folder, { ...elsewhere, enrolment: token(2) });
    await saveDevice(folder, { ...elsewhere, enrolment: token(3) });
    assert.equal(await restoreBefore(folder, token(2).tokenId), undefined, "another string was given since");
    assert.deepEqual(await restoreBefore(folder, token(3).tokenId), joined);
    assert.deepEqual(await loadDevice(folder), joined);

    await saveDevice(folder, { ...elsewhere, enrolment: token(4) });
    await forgetEnrolment(folder, token(4).tokenId);
    assert.equal(await restoreBefore(folder, token(4).tokenId), undefined);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name).sort(), [".lock", "device.toml"]);
  },
);
