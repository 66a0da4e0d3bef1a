import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import { checkGrants, grantError } from "./granted_address.ts";

test("what is granted at an address, withdrawn or refused is passed on", () => {
  const results = [
    { number: 0, code: "granted", text: "127.0.0.1:22" },
    { number: 1, code: "granted", text: "[::1]:22" },
    { number: 2, code: "granted", text: "" },
    { number: 3, code: "not-granted", text: "no, \u001b[2J" },
  ] as Parameters<typeof checkGrants>[0];
  assert.equal(checkGrants(results), results);
});

for (const text of ["\u001b[2J:1", "127.0.0.1:22\nonline x", "a b:1", "\u202e127.0.0.1:22", "relay.example"]) {
  Deno.test(`a service is not granted at ${JSON.stringify(text)}: that breaks the protocol`, () => {
    assert.throws(
      () => checkGrants([{ number: 7, code: "granted", text }]),
      (error) => error instanceof ProtocolError && error.code === "bad-field" && /service 7/.test(error.message),
    );
  });
}

test("why a host port is not open says once which service it is of, and that it is on the server", () => {
  const error = (code: "port-unavailable" | "not-granted" | "granted", text: string) =>
    grantError("busy", { number: 1, code, text });
  const why = "Cannot listen on 127.0.0.1:29022: the port is in use";
  assert.equal(error("port-unavailable", `busy: ${why}`), `port-unavailable: on the server: ${why}`);
  assert.equal(error("port-unavailable", why), `port-unavailable: on the server: ${why}`);
  assert.equal(error("port-unavailable", "busybox: full"), "port-unavailable: on the server: busybox: full");
  assert.equal(error("not-granted", "granted to gw1: web"), "not-granted: granted to gw1: web");
  assert.equal(error("granted", "127.0.0.1:1"), undefined);
});
