import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { addStored, moveStored, optionsLost, removeStored } from "./stored_services.ts";

const STORED = ["ssh=127.0.0.1:22", "web=127.0.0.1:80,proxy=v2,down=refuse", "date=unix:/run/date.sock"];

/** What stands for the second one when it was moved. */
const ENDPOINTS = [
  "web=127.0.0.1:81",
  "web=[::1]:81,proxy=v1",
  "web=127.0.0.1:9000-9010",
  "web=udp:127.0.0.1:161",
  "web=unix:/run/web.sock,proxy=v2",
  'web=exec:["/usr/bin/date","-u"],pty,max-clients=2',
  "web=serial:/dev/ttyUSB0,115200,8n1",
  "web=can:can0",
];

Deno.test("a service that is moved to an endpoint of any kind keeps its place, and all others are as they were", () => {
  for (const text of ENDPOINTS) assert.deepEqual(moveStored(STORED, text), [STORED[0], text, STORED[2]]);
  assert.deepEqual(moveStored(["ssh=127.0.0.1:22"], "ssh=127.0.0.1:2022"), ["ssh=127.0.0.1:2022"]);
});

Deno.test("what cannot be moved, added or removed says what would do", () => {
  const failures: [() => unknown, RegExp][] = [
    [
      () => moveStored(STORED, "db=127.0.0.1:1"),
      /no service "db"; there are: ssh, web, date; "service add" offers one/,
    ],
    [() => addStored(STORED, "ssh=127.0.0.1:1"), /is there already, as ssh=127\.0\.0\.1:22; "service move" gives it/],
    [() => removeStored(STORED, "db"), /^there is no service "db"; there are: ssh, web, date$/],
    [() => removeStored(["ssh=127.0.0.1:22"], "ssh"), /"ssh" is the only service; "service move" gives it another/],
  ];
  for (const [edit, says] of failures) {
    assert.throws(edit, (error) => error instanceof ConfigError && says.test(error.message));
  }
});

Deno.test("services that could not run together are not stored, however they come there", () => {
  const before = ["web-1=127.0.0.1:80", "web=127.0.0.1:81"];
  const range = "web=127.0.0.1:9000-9001";
  for (const edit of [() => moveStored(before, range), () => addStored(before.slice(0, 1), range)]) {
    assert.throws(edit, { name: "ConfigError", message: "not stored: web-1 is given twice; give each its own name" });
  }
  const many = Array.from({ length: 256 }, (_, at) => `a${at}=127.0.0.1:1`);
  assert.throws(
    () => addStored(many, "b=127.0.0.1:1"),
    /^ConfigError: not stored: has 257 services, .* can offer 256$/,
  );
});

Deno.test("options that a service had and has no more are told, and none of its endpoint's", () => {
  const before = "web=127.0.0.1:80,proxy=v2, down=refuse,max-clients=2";
  assert.deepEqual(optionsLost(before, "web=127.0.0.1:81"), ["proxy=v2", "down=refuse", "max-clients=2"]);
  assert.deepEqual(optionsLost(before, "web=127.0.0.1:81,proxy=v1,max-clients=2"), ["down=refuse"]);
  assert.deepEqual(optionsLost("a=serial:/dev/ttyUSB0,115200,share=watch", "a=serial:/dev/ttyUSB1"), []);
});
