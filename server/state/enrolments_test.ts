import assert from "node:assert/strict";
import { ENROLMENT_KEPT_MS, ENROLMENT_VALID_MS, MAX_ENROLMENTS } from "../limits.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { openLockFile } from "../../app/files/lock_file.ts";
import { withLock } from "../../app/files/private_file.ts";
import { readDevices, removeDevice, updateDevices } from "../devices/edits.ts";
import { readEnrolments, writeEnrolments } from "./enrolment_store.ts";
import { type EnrolmentRequest, Enrolments } from "./enrolments.ts";
import { parseGrant } from "../devices/service_grant.ts";
import { key, rawKey } from "../devices/_state_fixture_test.ts";
import { folderTest } from "../../tests/rig/test.ts";

/** Enrolments with a clock that is set by hand. */
function setUp(folder: string) {
  const time = { now: Date.UTC(2026, 0, 1) };
  const file = `${folder}/devices.toml`;
  const enrolments = new Enrolments(folder, file, () => time.now);
  const create = (device: string, more: Partial<EnrolmentRequest> = {}) =>
    enrolments.create({ device, services: [parseGrant("ssh=0.0.0.0:0")], replace: false, ...more });
  const devices = async () => (await readDevices(file)).map(({ name, key }) => `${name} ${key}`);
  return { time, file, enrolments, create, devices };
}

/** What was refused, by its reason. */
async function reasonOf(redemption: ReturnType<Enrolments["redeem"]>): Promise<string> {
  const result = await redemption;
  return result.ok ? "ok" : result.reason;
}

folderTest("a device that has the string is let in with what was granted, once", async (folder) => {
  const { enrolments, create, devices, file } = setUp(folder);
  const expires = Date.UTC(2027, 0, 1, 12);
  const services = [{ ...parseGrant("web=0.0.0.0:80-90"), maxClients: 3, idleTimeout: 1500, proxyFrom: ["::1"] }];
  const { tokenId, tokenSecret, validUntil } = await create("gw1", { services, expires, comment: "roof é" });
  assert.deepEqual([tokenId.length, tokenSecret.length, validUntil], [8, 16, Date.UTC(2026, 0, 1, 1)]);
  assert.deepEqual(await enrolments.redeem(tokenId, rawKey(1)), { ok: true, device: "gw1" });
  assert.deepEqual(await readDevices(file), [
    { name: "gw1", key: key(1), services, expires, comment: "roof é", disabled: false },
  ]);
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(2))), "used");
  assert.deepEqual(await enrolments.redeem(tokenId, rawKey(1)), { ok: true, device: "gw1" });
  assert.deepEqual(await devices(), [`gw1 ${key(1)}`]);
});

folderTest("an enrolment is found by its id, with the hash of the secret and not the secret", async (folder) => {
  const { enrolments, create } = setUp(folder);
  assert.equal(await enrolments.find(new Uint8Array(8)), undefined);
  const { tokenId, tokenSecret } = await create("gw1");
  const found = await enrolments.find(tokenId);
  assert.deepEqual(found!.secretHash, new Uint8Array(await crypto.subtle.digest("SHA-256", tokenSecret.slice())));
  assert.equal(found!.usedBy, undefined);
  await enrolments.redeem(tokenId, rawKey(1));
  assert.equal((await enrolments.find(tokenId))!.usedBy, key(1));
  assert.equal(await enrolments.find(tokenSecret.subarray(0, 8)), undefined);
  const text = await Deno.readTextFile(`${folder}/enrolments.toml`);
  assert.ok(!text.includes(tokenSecret.toHex()) && !text.includes(tokenSecret.toBase64()));
  assert.equal(((await Deno.stat(`${folder}/enrolments.toml`)).mode ?? 0) & 0o777, 0o600);
});

folderTest("an enrolment ends with its time, and is forgotten a day later", async (folder) => {
  const { time, enrolments, create, devices } = setUp(folder);
  const { tokenId } = await create("gw1");
  time.now += ENROLMENT_VALID_MS;
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "too-old");
  time.now += ENROLMENT_KEPT_MS;
  await create("gw2");
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "unknown");
  assert.deepEqual(await devices(), []);
});

folderTest("a used enrolment does not bring a revoked device back", async (folder) => {
  const { enrolments, create, devices, file } = setUp(folder);
  const { tokenId } = await create("gw1");
  await enrolments.redeem(tokenId, rawKey(1));
  await updateDevices(file, "gw1", removeDevice("gw1"));
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "used");
  assert.deepEqual(await devices(), []);
});

folderTest("of many that redeem one enrolment at once, one is let in", async (folder) => {
  const { enrolments, create, devices } = setUp(folder);
  const { tokenId } = await create("gw1");
  const results = await Promise.all(
    Array.from({ length: 8 }, (_, n) => reasonOf(enrolments.redeem(tokenId, rawKey(n + 1)))),
  );
  assert.deepEqual(results.toSorted(), ["ok", ...Array(7).fill("used")]);
  assert.equal((await devices()).length, 1);
});

folderTest("a crash between the two writes is made good by the same device", async (folder) => {
  const { enrolments, create, devices } = setUp(folder);
  const { tokenId } = await create("gw1");
  const before = await readEnrolments(folder);
  await enrolments.redeem(tokenId, rawKey(1));
  await withLock(folder, () => writeEnrolments(folder, before)); // the mark was never written
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(2))), "conflict");
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "ok");
  assert.deepEqual(await devices(), [`gw1 ${key(1)}`]);
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(2))), "used");
});

folderTest(
  "a device that is there gets a new key only if that was asked for, and keeps what was not given",
  async (folder) => {
    const { enrolments, create, file } = setUp(folder);
    await enrolments.redeem((await create("gw1", { comment: "roof" })).tokenId, rawKey(1));
    await assert.rejects(create("gw1"), /there is a device "gw1" already; --replace gives it a new key/);
    await assert.rejects(create("gw2", { replace: true }), /there is no device "gw2"; there are: gw1$/);
    const again = await enrolments.create({ device: "gw1", replace: true });
    assert.equal(await reasonOf(enrolments.redeem(again.tokenId, rawKey(2))), "ok");
    const [device] = await readDevices(file);
    assert.deepEqual([device!.key, device!.comment, device!.services[0]!.name], [key(2), "roof", "ssh"]);
    const more = await create("gw1", { replace: true, services: [parseGrant("web=0.0.0.0:80")] });
    assert.equal(await reasonOf(enrolments.redeem(more.tokenId, rawKey(2))), "ok");
    assert.equal((await readDevices(file))[0]!.services[0]!.name, "web");
  },
);

folderTest(
  "what could not be redeemed is refused when it is made, or when things have changed since",
  async (folder) => {
    const { enrolments, create } = setUp(folder);
    const services = [parseGrant("ssh=0.0.0.0:2201")];
    const first = await create("gw1", { services });
    await assert.rejects(
      create("gw2", { services }),
      /"gw1" has 0\.0\.0\.0:2201 for "ssh"; give "ssh" another host port/,
    );
    await assert.rejects(create("gw2", { services: [...services, { ...services[0]!, name: "b" }] }), ConfigError);
    await enrolments.redeem(first.tokenId, rawKey(1));
    const second = await create("gw2");
    const result = await enrolments.redeem(second.tokenId, rawKey(1));
    assert.ok(!result.ok && result.reason === "conflict");
    assert.match(result.text, /the key of this device is that of "gw1" already/);
    assert.equal(await reasonOf(enrolments.redeem(second.tokenId, rawKey(2))), "ok");
  },
);

folderTest(
  "a second string for a device takes the place of the first, and revoking takes both away",
  async (folder) => {
    const { enrolments, create } = setUp(folder);
    const [first, second] = [await create("gw1"), await create("gw1")];
    assert.equal((await enrolments.waiting()).length, 1);
    assert.equal(await reasonOf(enrolments.redeem(first.tokenId, rawKey(1))), "unknown");
    assert.equal(await withLock(folder, () => enrolments.withdraw("gw1")), 1);
    assert.equal(await reasonOf(enrolments.redeem(second.tokenId, rawKey(1))), "unknown");
  },
);

folderTest("there is a limit to what waits, and to what is remembered", async (folder) => {
  const { time, enrolments, create } = setUp(folder);
  const { tokenId } = await create("gw");
  const [one] = await readEnrolments(folder);
  const many = (count: number, more: object) =>
    Array.from(
      { length: count },
      (_, n) => ({ ...one!, ...more, id: n.toString(16).padStart(16, "0"), device: `d${n}` }),
    );
  const full = [one!, ...many(MAX_ENROLMENTS - 1, {})];
  await withLock(folder, () => writeEnrolments(folder, full));
  await assert.rejects(create("more"), /1024 enrolments wait to be redeemed/);
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "ok");
  await create("more");
  await withLock(folder, () => writeEnrolments(folder, many(3 * MAX_ENROLMENTS, { usedBy: key(2) })));
  await create("last");
  assert.equal((await readEnrolments(folder)).length, MAX_ENROLMENTS + 1);
  time.now += ENROLMENT_KEPT_MS + ENROLMENT_VALID_MS;
  await create("after");
  assert.equal((await readEnrolments(folder)).length, 1);
});

folderTest("a damaged file of enrolments is an error with its place, and is left as it is", async (folder) => {
  const { enrolments, create } = setUp(folder);
  await create("gw1");
  const path = `${folder}/enrolments.toml`;
  const text = (await Deno.readTextFile(path)).replace(/secret-sha256 = "./, 'secret-sha256 = "');
  await Deno.writeTextFile(path, text);
  const says = (error: unknown) =>
    error instanceof ConfigError && /enrolments\.toml:4:1: "secret-sha256"/.test(error.message);
  await assert.rejects(enrolments.find(new Uint8Array(8)), says);
  await assert.rejects(enrolments.redeem(new Uint8Array(8), rawKey(1)), says);
  await assert.rejects(create("gw2"), says);
  assert.equal(await Deno.readTextFile(path), text);
});

folderTest(
  "a file of enrolments that was emptied or cut off is damaged: nobody is told that a string is unknown",
  async (folder) => {
    const { enrolments, create } = setUp(folder);
    await create("gw1");
    await create("gw2");
    const path = `${folder}/enrolments.toml`;
    const text = await Deno.readTextFile(path);
    for (const cut of ["", "\n", text.slice(0, text.lastIndexOf("[[")), text.slice(0, -2)]) {
      await Deno.writeTextFile(path, cut);
      await assert.rejects(enrolments.find(new Uint8Array(8)), /enrolments\.toml is not whole/);
    }
    const END = text.indexOf("\n") + 1;
    await Deno.writeTextFile(path, `# Enrolments that were made, by "server enroll".\n${text.slice(END)}`);
    assert.equal((await enrolments.waiting()).length, 2, "one of an earlier version has no end");
  },
);

folderTest("an enrolment waits until it is redeemed, or too old", async (folder) => {
  const { time, enrolments, create } = setUp(folder);
  assert.equal(await enrolments.waits(new Uint8Array(8)), false);
  const { tokenId } = await create("gw1");
  assert.equal(await enrolments.waits(tokenId), true);
  await enrolments.redeem(tokenId, rawKey(1));
  assert.equal(await enrolments.waits(tokenId), false);
  const second = await create("gw2");
  time.now += ENROLMENT_VALID_MS;
  assert.equal(await enrolments.waits(second.tokenId), false);
});

folderTest("many who redeem at once share the writing of the files", async (folder) => {
  const file = `${folder}/devices.toml`;
  const enrolments = new Enrolments(folder, file);
  const tokens: Uint8Array[] = [];
  for (let n = 0; n < 50; n++) {
    tokens.push((await enrolments.create({ device: `gw${n}`, services: [], replace: false })).tokenId);
  }
  const twice = await enrolments.create({ device: "twice", services: [], replace: false });
  const writings = new Set<string>();
  const redeemed = async (token: Uint8Array, n: number) => {
    const reason = await reasonOf(enrolments.redeem(token, rawKey(n + 1)));
    const { ino, mtime } = await Deno.stat(file); // each writing makes a new file
    writings.add(`${ino} ${mtime?.getTime()}`);
    return reason;
  };
  const results = await Promise.all([
    ...tokens.map(redeemed),
    reasonOf(enrolments.redeem(new Uint8Array(8), rawKey(99))),
    reasonOf(enrolments.redeem(twice.tokenId, rawKey(100))),
    reasonOf(enrolments.redeem(twice.tokenId, rawKey(101))),
  ]);
  assert.deepEqual(results.slice(0, 51), [...Array(50).fill("ok"), "unknown"]);
  assert.deepEqual(results.slice(51).sort(), ["ok", "used"], "whoever came first");
  assert.ok(writings.size <= 3, `${writings.size} writings`);
  assert.deepEqual((await readDevices(file)).length, 51);
  // What stands there is what was kept in memory: another process sees it, and what that one writes is seen here.
  const other = new Enrolments(folder, file);
  const { tokenId } = await other.create({ device: "late", services: [], replace: false });
  await withLock(folder, () => updateDevices(file, "gw0", removeDevice("gw0")));
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "ok", "the key was free again");
  assert.equal((await readDevices(file)).at(-1)!.name, "late");
});

folderTest("a host port goes to one of those who redeem at once", async (folder) => {
  const { enrolments, create, devices } = setUp(folder);
  const [a, b] = [await create("a"), await create("b")];
  const waiting = (await readEnrolments(folder)).map((each) => ({
    ...each,
    services: [parseGrant("ssh=0.0.0.0:2201")],
  }));
  await withLock(folder, () => writeEnrolments(folder, waiting));
  const results = await Promise.all([a, b].map(({ tokenId }, n) => enrolments.redeem(tokenId, rawKey(n + 1))));
  const refused = results.map((result) => result.ok ? "" : result.text).join("");
  assert.match(refused, /^"[ab]" has 0\.0\.0\.0:2201 for "ssh"; give "ssh" another host port/);
  assert.equal((await devices()).length, 1);
});

folderTest("whoever has a used string, or one that is too old, waits for no lock", async (folder) => {
  const { time, enrolments, create } = setUp(folder);
  const { tokenId } = await create("gw1");
  const old = await create("gw2");
  await enrolments.redeem(tokenId, rawKey(1));
  time.now += ENROLMENT_VALID_MS;
  using lock = await openLockFile(`${folder}/.lock`);
  assert.ok(await lock.tryLock(true));
  for (let n = 0; n < 40; n++) {
    assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(2))), "used");
    assert.equal(await reasonOf(enrolments.redeem(old.tokenId, rawKey(2))), "too-old");
  }
});

folderTest("what cannot be written now fails for those who wait, and not for those who come later", async (folder) => {
  const { enrolments, create, file } = setUp(folder);
  const { tokenId } = await create("gw1");
  await Deno.mkdir(file);
  await assert.rejects(enrolments.redeem(tokenId, rawKey(1)), ConfigError);
  await Deno.remove(file);
  assert.equal(await reasonOf(enrolments.redeem(tokenId, rawKey(1))), "ok");
});
