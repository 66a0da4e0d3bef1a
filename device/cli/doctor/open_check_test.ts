import assert from "node:assert/strict";
import { test } from "../../../tests/rig/test.ts";
import { notGrantedText } from "../../../protocol/v2/not_granted.ts";
import { notOpenAdvice } from "./open_check.ts";

function advice(error: string | null, more = {}) {
  return notOpenAdvice({ name: "a", kind: "tcp", localAddress: "127.0.0.1:53", error, ...more }, "gw1");
}

test("what would do about a service that is not open goes by why it is not", () => {
  assert.equal(
    advice("not-granted: granted to gw1: b"),
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
