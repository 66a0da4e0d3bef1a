import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { ServerCertificateWatch } from "./server_certificate.ts";

const DAY_MS = 86_400_000;

test("a device warns of a server's certificate that ends soon, once a day however often it dials", () => {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const watch = new ServerCertificateWatch(clock, logger);
  const ends = clock.wall() + 3.5 * DAY_MS;
  const remote = "192.0.2.1:7443";
  const dial = (end: number | undefined) => watch.saw({ remote, peerEnds: () => end });
  watch.saw({ remote });
  dial(undefined);
  dial(clock.wall() + 400 * DAY_MS);
  assert.deepEqual(logger.said, []);
  for (let links = 0; links < 3; links++) dial(ends);
  assert.equal(logger.said.length, 1);
  assert.match(
    logger.said[0]!,
    /^warn: the certificate of the server at 192\.0\.2\.1:7443 ends in 3 days, on \S+: whoever/,
  );
  clock.jump(DAY_MS);
  dial(ends);
  dial(ends);
  assert.equal(logger.said.length, 2);
});
