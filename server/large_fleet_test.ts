import assert from "node:assert/strict";
import { systemClock } from "../base/clock.ts";
import { formatPublicKey } from "../net/tls/identity.ts";
import { silentLogger } from "../base/logger.ts";
import { AuthorizedDevices } from "./devices/authorized_devices.ts";
import { Enrolments } from "./state/enrolments.ts";
import { parseGrant } from "./devices/service_grant.ts";
import { rawKey } from "./devices/_state_fixture_test.ts";
import { folderTest } from "../tests/rig/test.ts";

/** Devices in the file. */
const COUNT = 20_000;

/** Longest turn of the event loop, in milliseconds, on a machine that does other things, too; one of its own: 20. */
const LONGEST_TURN_MS = 250;

/** The longest turn of the event loop while `fn` runs. */
async function longestTurn(fn: () => Promise<void>): Promise<number> {
  let [longest, last] = [0, performance.now()];
  const look = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  const timer = setInterval(look, 1);
  await fn();
  clearInterval(timer);
  look();
  return longest;
}

const key = (n: number) =>
  formatPublicKey(Uint8Array.from({ length: 32 }, (_, at) => at < 4 ? (n >> (8 * at)) & 255 : 7));

folderTest(`with ${COUNT} devices nothing that becomes of their file keeps links from their turns`, async (folder) => {
  const file = `${folder}/devices.toml`;
  const text = (address: string) =>
    Array.from({ length: COUNT }, (_, n) => `[dev${n}]\nkey = "${key(n)}"\nservices = { ssh = "${address}" }\n`)
      .join("\n");
  await Deno.writeTextFile(file, text("0.0.0.0:0"));
  const devices = new AuthorizedDevices(file, systemClock, silentLogger);
  const enrolments = new Enrolments(folder, file, { read: (source) => devices.parse(source) });
  const told: number[] = [];
  devices.subscribe(({ added, changed }) => told.push(added.length + changed.length));
  const { tokenId } = await enrolments.create({
    device: "new",
    services: [parseGrant("ssh=0.0.0.0:0")],
    replace: false,
  });
  const replacing = await enrolments.create({ device: "dev7", replace: true });
  const read = devices.sectionsRead;
  const ways: [what: string, fn: () => Promise<void>][] = [
    ["an enrolment", async () => {
      assert.ok((await enrolments.redeem(tokenId, rawKey(9))).ok);
      await devices.reload();
      assert.equal(devices.byKey(rawKey(9))?.name, "new");
      assert.ok(devices.sectionsRead - read <= 2, "its own, and the one that it stands behind");
    }],
    ["a new key for a device", async () => {
      assert.ok((await enrolments.redeem(replacing.tokenId, rawKey(10))).ok);
      await devices.reload();
      assert.equal(devices.byKey(rawKey(10))?.name, "dev7");
    }],
    ["another address for all", async () => {
      await Deno.writeTextFile(file, text("0.0.0.0:20000-29999"));
      await devices.reload();
      assert.ok(told.length > 100, "many small changes");
    }],
    ["a mistake", async () => {
      await Deno.writeTextFile(file, `${text("0.0.0.0:0")}[x\n`);
      await devices.reload();
      assert.match(devices.trouble!, /not TOML/);
    }],
    ["a file that was cut off", async () => {
      await Deno.writeTextFile(file, text("0.0.0.0:0").slice(0, 100_000));
      await devices.reload();
      assert.equal(devices.byName(`dev${COUNT - 1}`)?.key, key(COUNT - 1));
    }],
  ];
  for (const [what, fn] of ways) {
    const longest = await longestTurn(fn);
    assert.ok(longest < LONGEST_TURN_MS, `${what}: a turn of ${longest} ms`);
  }
  devices.close();
});
