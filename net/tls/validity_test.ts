import assert from "node:assert/strict";
import { CERTIFICATE_WARNING_MS } from "../limits.ts";
import { issue, newKey, rawKey, TestAuthority } from "./_tls_fixture_test.ts";
import { pem, pinnedAnchor } from "./certificate.ts";
import { test } from "../../tests/rig/test.ts";
import { certificateEnd, DailyWarning, endWarning, pemEnd } from "./validity.ts";

const DAY_MS = 86_400_000;
const END = Date.UTC(2026, 11, 11, 12, 0, 0);

test("the end of a certificate is read from either form of date", async () => {
  const authority = await TestAuthority.make();
  const { cert } = await authority.certify(["relay.example"], { notAfter: "261211120000Z" });
  assert.equal(pemEnd(cert), END);
  assert.equal(pemEnd(`Bag Attributes\n  friendlyName: x\n${cert}${authority.cert}`), END, "the first one counts");
  const old = await authority.certify(["relay.example"], { notAfter: "500101000000Z" });
  assert.equal(pemEnd(old.cert), Date.UTC(1950, 0, 1));
  const pinned = pinnedAnchor(await rawKey(await newKey())); // with a GeneralizedTime
  assert.equal(pemEnd(pinned), Date.UTC(9999, 11, 31, 23, 59, 59));
});

test("of what is no whole certificate, no date is known", async () => {
  const keyPair = await newKey();
  const { cert } = await (await TestAuthority.make()).certify(["relay.example"]);
  const bytes = Uint8Array.from(atob(cert.replaceAll(/-----.*-----|\n/g, "")), (char) => char.charCodeAt(0));
  for (let size = 0; size < bytes.length; size++) assert.equal(certificateEnd(bytes.subarray(0, size)), undefined);
  assert.notEqual(certificateEnd(bytes), undefined);
  const odd = await issue({ subject: "x", notAfter: "2612111200+0100" }, keyPair, { name: "x", keyPair });
  for (
    const text of ["", "text", pem("CERTIFICATE", new Uint8Array(3)), cert.replace(/.{5}\n-----END/, "\n-----END"), odd]
  ) {
    assert.equal(pemEnd(text), undefined, text);
  }
});

test("an end is told from thirty days before it on, with how long that is", () => {
  const at = (before: number) => endWarning(END, END - before);
  assert.equal(at(CERTIFICATE_WARNING_MS + 1), undefined);
  assert.equal(endWarning(undefined, END), undefined);
  assert.deepEqual(at(CERTIFICATE_WARNING_MS), { isOver: false, text: "ends in 30 days, on 2026-12-11" });
  assert.equal(at(2 * DAY_MS - 1)?.text, "ends in 1 day, on 2026-12-11");
  assert.equal(at(1)?.text, "ends in less than a day, on 2026-12-11");
  assert.deepEqual(at(0), { isOver: true, text: "ended on 2026-12-11" });
});

test("a warning is said at once, each day after that, and when the end has come; a clock set back keeps it going", () => {
  const daily = new DailyWarning();
  const says = (wall: number) => daily.due(END, wall)?.isOver;
  const start = END - 3 * DAY_MS - 5;
  assert.equal(says(start), false);
  assert.equal(says(start + DAY_MS - 1), undefined);
  assert.equal(says(start + DAY_MS), false);
  assert.equal(says(start - DAY_MS), false, "two days back");
  assert.equal(says(END - 1), false);
  assert.equal(says(END), true);
  assert.equal(says(END + DAY_MS - 1), undefined);
  assert.equal(says(END + DAY_MS), true);
  assert.equal(daily.due(END + 400 * DAY_MS, END + DAY_MS), undefined, "it was renewed");
  assert.equal(says(END + DAY_MS), true, "and the old one came back");
});
