import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { notClosedText } from "./grant_table.ts";
import { parseGrant } from "./service_grant.ts";

test("what closes a service of a range is written for the range, as nothing else is taken", () => {
  const known = [parseGrant("ssh=0.0.0.0:2201"), parseGrant("web=0.0.0.0:8000-8002,each")];
  assert.match(
    notClosedText("gw1", "web-3", known),
    /write web = \{ listen = "0\.0\.0\.0:8000-8002,each", closed = true \}/,
  );
  assert.match(notClosedText("gw1", "ssh", known), /write ssh = \{ listen = "0\.0\.0\.0:2201", closed = true \}/);
  assert.match(notClosedText("gw1", "web-4", known), /has no service "web-4"; there are: ssh, web-1 to web-3/);
});
