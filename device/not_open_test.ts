import assert from "node:assert/strict";
import { test } from "../tests/rig/test.ts";
import { grantedText, notGrantedText } from "../protocol/v2/not_granted.ts";
import { notOpenAdvice } from "./not_open.ts";

function advice(error: string | null, more = {}, offered: readonly string[] = []) {
  return notOpenAdvice({ name: "a", kind: "tcp", localAddress: "127.0.0.1:53", error, ...more }, "gw1", offered);
}

test("a name that is not granted is told beside the one that may have been meant, if the device has not that, too", () => {
  const error = `not-granted: ${grantedText("gw1", "ssh, web-1 to web-11")}`;
  const shh = { name: "shh" };
  const there = "on the server: sallyport server service add gw1 shh=HOST:PORT";
  assert.equal(
    advice(error, shh),
    'did you mean "ssh"? here: sallyport device service add ssh=127.0.0.1:53, then service remove shh; ' +
      `or, if it is "shh", ${there}`,
  );
  assert.match(advice(error, { name: "sh", kind: "exec" })!, /service add ssh=ENDPOINT, then service remove sh;/);
  assert.match(advice(error, { name: "web_1" })!, /^did you mean "web-1"/);
  assert.equal(advice(error, shh, ["ssh", "shh"]), there);
  for (const names of ["none", "database"]) {
    assert.equal(advice(`not-granted: ${grantedText("gw1", names)}`, shh), there);
  }
});

test("what would do about a service that is not open goes by why it is not", () => {
  assert.equal(
    advice("not-granted: granted to gw1: other"),
    "on the server: sallyport server service add gw1 a=HOST:PORT",
  );
  assert.equal(
    advice(`not-granted: ${notGrantedText("udp-offered", "a")}`, { kind: "udp" }),
    "on the server: sallyport server service move gw1 a=udp:HOST:PORT",
  );
  const byUdp = `not-granted: ${notGrantedText("udp-granted", "a")}`;
  assert.equal(
    advice(byUdp),
    "here: write a=udp:127.0.0.1:53; or, if it is TCP, on the server: sallyport server service move gw1 a=HOST:PORT",
  );
  assert.equal(
    advice(byUdp, { kind: "unix", localAddress: "unix:/run/a.sock" }),
    "on the server: sallyport server service move gw1 a=HOST:PORT",
    "what is no address has no UDP",
  );
  assert.match(
    advice(`not-granted: ${notGrantedText("defined", "a", "127.0.0.1:53")}`)!,
    /^here: leave a out; .* service remove gw1 a/,
  );
  assert.match(advice("port-unavailable: a: in use")!, /ss -ltnp.* service move gw1 a=HOST:PORT$/);
  assert.equal(advice('closed: "server open gw1/a" opens it'), "on the server: sallyport server open gw1/a --for 1h");
  assert.equal(advice("too-many-services: 4096 are the most"), undefined);
});
