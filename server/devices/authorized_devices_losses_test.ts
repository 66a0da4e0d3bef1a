import assert from "node:assert/strict";
import { CONSENT_KEPT_MS, CUT_SETTLE_MS, DEVICES_POLL_MS, DEVICES_SETTLE_MS, MASS_LOSS_SETTLE_MS } from "../limits.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { AuthorizedDevices, type DevicesChange } from "./authorized_devices.ts";
import { consentToFile, consentToLoss, readConsent } from "./consent.ts";
import { key } from "./_state_fixture_test.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { folderTest } from "../../tests/rig/test.ts";

const LOOK = DEVICES_POLL_MS + DEVICES_SETTLE_MS;

const device = (n: number, more = "") =>
  `[gw${n}]\nkey = "${key(n)}"\nservices = { ssh = "0.0.0.0:${2200 + n}" }\n${more}\n`;
const fleet = (...numbers: number[]) => numbers.map((n) => device(n)).join("");

/** A fleet whose file is watched; `lines` wait for what is logged. */
async function watched(folder: string, text: string) {
  const file = `${folder}/devices.toml`;
  const [clock, log] = [new FakeClock(), new RecordingLogger()];
  const changes: DevicesChange[] = [];
  const write = (text: string) => Deno.writeTextFileSync(file, text);
  write(text);
  const devices = new AuthorizedDevices(file, clock, log, () => readConsent(folder));
  devices.subscribe((change) => changes.push(change));
  await devices.refresh(); // which has begun to read
  const names = () => devices.all.map(({ name }) => name).join();
  const errors = () => log.lines.filter((line) => line.startsWith("error"));
  /** Lets time pass in looks, a few a minute where nothing is near; each has read what it wants to before the next. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0;) {
      const step = left > 10 * LOOK ? 8 * LOOK : DEVICES_SETTLE_MS;
      await clock.advance(Math.min(left, step));
      if (devices.trouble !== undefined) await devices.reload();
      left -= step;
    }
    await devices.refresh(); // what was begun is done
  };
  return { file, clock, changes, write, devices, names, errors, pass };
}

for (
  const [what, text] of [
    ["emptied", ""],
    ["of comments alone", "# Devices that may link up\n"],
    ["of blank lines", "\n\n"],
    ["missing", undefined],
  ] as const
) {
  folderTest(
    `a file that is ${what} changes nothing for however long, is told as one error, and can come back`,
    async (folder) => {
      const { file, write, devices, names, errors, changes, pass } = await watched(folder, fleet(1));
      if (text === undefined) Deno.removeSync(file);
      else write(text);
      await pass(1.5 * MASS_LOSS_SETTLE_MS);
      assert.equal(names(), "gw1");
      assert.equal(errors().length, 1, errors().join("\n"));
      assert.match(errors()[0]!, /the devices stay as they were/);
      assert.notEqual(devices.trouble, undefined);
      write(fleet(1, 2));
      await pass(LOOK);
      assert.equal(names(), "gw1,gw2");
      assert.equal(devices.trouble, undefined);
      assert.deepEqual(changes.map(({ removed }) => removed.length), [0]);
      devices.close();
    },
  );
}

for (
  const [what, text] of [
    ["leaves most out", fleet(1, 9)],
    ["gives most new keys", fleet(1) + [2, 3, 4].map((n) => device(n).replace(key(n), key(n + 10))).join("")],
    ["disables most", fleet(1) + [2, 3, 4].map((n) => device(n, "disabled = true")).join("")],
    ["lets most expire", fleet(1) + [2, 3, 4].map((n) => device(n, "expires = 2020-01-01")).join("")],
    ["takes all services of most", fleet(1) + [2, 3, 4].map((n) => device(n).replace(/^services.*$/m, "")).join("")],
  ] as const
) {
  folderTest(`a file that ${what} has to stand still for a minute, and is told as an error`, async (folder) => {
    const { write, names, errors, changes, pass, devices } = await watched(folder, fleet(1, 2, 3, 4));
    write(text);
    await pass(MASS_LOSS_SETTLE_MS / 2);
    write(`${text}# still at it\n`);
    await pass(MASS_LOSS_SETTLE_MS - LOOK);
    assert.equal(changes.length, 0);
    assert.equal(names(), "gw1,gw2,gw3,gw4");
    assert.match(errors()[0]!, /takes access from 3 of 4 devices at once.*server confirm/);
    await pass(2 * LOOK);
    assert.equal(changes.length, 1);
    assert.equal(devices.trouble, undefined);
    devices.close();
  });
}

folderTest("a file that is the beginning of what it was has to stand still for ten seconds", async (folder) => {
  const { write, names, errors, changes, pass, devices } = await watched(folder, fleet(1, 2, 3, 4, 5));
  write(fleet(1, 2, 3, 4));
  await pass(CUT_SETTLE_MS - LOOK);
  assert.equal(names(), "gw1,gw2,gw3,gw4,gw5");
  assert.match(errors()[0]!, /as if it were cut off/);
  write(fleet(1, 2, 3, 4, 5));
  await pass(CUT_SETTLE_MS);
  assert.equal(changes.length, 0);
  write(fleet(1, 2, 3, 4).replace(/services.*\n\n$/, ""));
  await pass(2 * CUT_SETTLE_MS);
  assert.deepEqual(changes.map(({ removed, changed }) => [removed.length, changed.length]), [[1, 1]]);
  devices.close();
});

folderTest("a device that is taken out between others is off within 600 ms", async (folder) => {
  const { write, names, pass, devices } = await watched(folder, fleet(1, 2, 3, 4));
  write(fleet(1, 3, 4));
  await pass(LOOK);
  assert.equal(names(), "gw1,gw3,gw4");
  devices.close();
});

folderTest("what was revoked by command goes at once: each device, and the last one too", async (folder) => {
  const { write, names, errors, pass, devices } = await watched(folder, fleet(1, 2, 3, 4));
  for (const n of [1, 2, 3, 4]) await consentToLoss(folder, key(n));
  write(fleet(4));
  await pass(LOOK);
  assert.equal(names(), "gw4");
  write("");
  await pass(LOOK);
  assert.equal(names(), "");
  assert.deepEqual(errors(), []);
  devices.close();
});

folderTest("a device that is revoked from a file that lost most others goes, and they stay", async (folder) => {
  const { write, names, pass, devices } = await watched(folder, fleet(1, 2, 3, 4, 5));
  write(fleet(1, 2));
  await pass(LOOK);
  await consentToLoss(folder, key(2));
  write(fleet(1));
  await pass(LOOK);
  assert.equal(names(), "gw1,gw3,gw4,gw5");
  assert.notEqual(devices.trouble, undefined);
  devices.close();
});

folderTest("a text that was confirmed holds at once, whatever it takes away; another one does not", async (folder) => {
  const { write, names, pass, devices } = await watched(folder, fleet(1, 2, 3, 4));
  await consentToFile(folder, "# nobody\n");
  write("");
  await pass(LOOK);
  assert.equal(names(), "gw1,gw2,gw3,gw4");
  write("# nobody\n");
  await pass(LOOK);
  assert.equal(names(), "");
  devices.close();
});

folderTest(
  "what was revoked is remembered for a while, and a damaged file of it costs nothing but that",
  async (folder) => {
    const now = Date.now();
    await consentToLoss(folder, key(1), now - CONSENT_KEPT_MS);
    await consentToLoss(folder, key(2), now - 1_000);
    await consentToLoss(folder, key(3), now);
    assert.deepEqual([...(await readConsent(folder)).revoked.keys()], [key(2), key(3)]);
    await Deno.writeTextFile(`${folder}/consent.toml`, "[", { mode: 0o600 });
    await consentToLoss(folder, key(4), now);
    assert.deepEqual([...(await readConsent(folder)).revoked], [[key(4), now]]);
  },
);

const CONSENTS: Record<string, (folder: string, now: number) => Promise<void>> = {
  "a revocation": (folder, now) => consentToLoss(folder, key(1), now),
  "a confirmed text": (folder, now) => consentToFile(folder, "", now),
};

for (const [what, give] of Object.entries(CONSENTS)) {
  folderTest(`${what} of long ago does not make a file meant that was emptied by accident`, async (folder) => {
    const { write, names, pass, devices } = await watched(folder, fleet(1));
    await give(folder, Date.now() - CONSENT_KEPT_MS);
    write("");
    await pass(LOOK);
    assert.equal(names(), "gw1");
    await give(folder, Date.now());
    await pass(LOOK);
    assert.equal(names(), "");
    devices.close();
  });

  folderTest(`${what} is about what happened then, and not about the same once more`, async (folder) => {
    const { write, names, pass, devices } = await watched(folder, fleet(1));
    await give(folder, Date.now());
    for (const before of ["", "gw1"]) {
      write("");
      await pass(LOOK);
      assert.equal(names(), before);
      write(fleet(1));
      await pass(LOOK);
      assert.equal(names(), "gw1");
    }
    devices.close();
  });

  folderTest(`${what} from before the start is not about what comes after it`, async (folder) => {
    await give(folder, Date.now());
    const { write, names, pass, devices } = await watched(folder, fleet(1));
    write("");
    await pass(LOOK);
    assert.equal(names(), "gw1");
    devices.close();
  });
}

folderTest(
  "a text that was confirmed without need is not confirmed any more when another was taken up",
  async (folder) => {
    const { write, names, pass, devices } = await watched(folder, fleet(1));
    await consentToFile(folder, fleet(1));
    write(fleet(1, 2, 3, 4, 5));
    await pass(LOOK);
    write(fleet(1));
    await pass(LOOK);
    assert.equal(names(), "gw1,gw2,gw3,gw4,gw5");
    devices.close();
  },
);

folderTest("what was confirmed by a version that noted no time is confirmed no more", async (folder) => {
  await Deno.writeTextFile(`${folder}/consent.toml`, `file = "${"ab".repeat(32)}"\n[revoked]\n`, { mode: 0o600 });
  assert.deepEqual(await readConsent(folder), { revoked: new Map() });
});
