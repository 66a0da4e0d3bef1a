import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { notGrantedText } from "../../protocol/v2/not_granted.ts";
import { notOpenAdvice } from "./not_open.ts";

test("what the server's doctor advises goes by why a service is not open", () => {
  const advice = (error: string) => notOpenAdvice({ device: "gw1", name: "a", error });
  assert.equal(advice(notGrantedText("udp-offered", "a")), "sallyport server service move gw1 a=udp:HOST:PORT");
  assert.equal(
    advice(notGrantedText("udp-granted", "a")),
    "at the device: a=udp:HOST:PORT; or, if it is TCP, here: sallyport server service move gw1 a=HOST:PORT",
  );
  assert.match(advice(notGrantedText("no-address", "a")), /^at the device: --allow, /);
  assert.equal(advice('closed: "server open gw1/a --for 1h" opens it'), "sallyport server open gw1/a --for 1h");
  assert.match(advice("127.0.0.1:80 is in use"), /ss -ltnp.*sallyport server service move gw1 a=HOST:PORT$/);
});
