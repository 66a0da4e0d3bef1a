import assert from "node:assert/strict";
import { FIRST_FRAME_TIMEOUT_MS } from "../limits.ts";
import { socketsSettled } from "../../tests/rig/cable.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { Stream } from "../../tests/rig/stream.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { Turns } from "../../base/slices.ts";
import { DeviceServices } from "./device_services.ts";
import type { ServerEvent } from "../events.ts";
import type { V2Session } from "./session.ts";
import { serverSettings } from "../options.ts";
import { parseGrant } from "../devices/service_grant.ts";
import { key } from "../devices/_state_fixture_test.ts";
import { test } from "../../tests/rig/test.ts";

/** Longest time that 38,400 offers may take, in milliseconds; each that waits for all before it would take hours. */
const ALL_WITHIN_MS = 5_000;

/** The services of a device without a link that was granted `ssh`. */
function setUp(link: () => V2Session | undefined = () => undefined, clock = new FakeClock()) {
  const opened = Promise.withResolvers<string>();
  const events: ServerEvent[] = [];
  const ports = new Map<string, number>();
  const services = new DeviceServices({
    device: { name: "gw1", key: key(1), services: [parseGrant("ssh=127.0.0.1:0")], disabled: false },
    settings: serverSettings({ listen: [], clock }),
    link,
    namesAddresses: () => false,
    turns: new Turns(clock),
    kept: (service) => ({
      get: () => ports.get(service),
      set: (port) => void ports.set(service, port),
    }),
    emit: (event) => {
      events.push(event);
      if (event.type === "host-open" && events.length > 1) opened.resolve(event.hostAddress);
    },
  });
  return { services, events, opened: opened.promise };
}

const offer = (offered: boolean) => ({ number: 0, offered, name: "ssh" });

test("a service that is offered and withdrawn thousands of times in no time is opened once, where it was", async () => {
  const { services, events, opened } = setUp();
  const [before] = services.offer([offer(true)]);
  const turns = Array.from({ length: 256 }, (_, n) => offer(n % 2 === 1));
  const since = performance.now();
  for (let frame = 0; frame < 150; frame++) services.offer(turns);
  assert.equal(await opened, before!.text);
  const took = performance.now() - since;
  assert.ok(took < ALL_WITHIN_MS, `it took ${took} ms`);
  assert.equal(events.length, 2);
  services.close("shutting-down");
  await services.freed();
  using _free = Deno.listen({ hostname: "127.0.0.1", port: Number(before!.text.split(":")[1]) });
});

test("a service that is asked for is not opened, and answered by why it would not be granted", () => {
  const { services, events } = setUp();
  const asked = { offered: false, asked: true } as const;
  const answers = services.offer([
    { ...asked, number: 1, name: "ssh" },
    { ...asked, number: 2, name: "shh" },
    { number: 3, offered: false, name: "web" },
  ]);
  assert.deepEqual(answers, [
    { number: 1, code: "granted", text: "" },
    { number: 2, code: "not-granted", text: "granted to gw1: ssh" },
    { number: 3, code: "granted", text: "" },
  ]);
  const [byUdp] = services.offer([{ ...asked, number: 1, name: "ssh", datagrams: true }]);
  assert.deepEqual([byUdp!.code, byUdp!.text.startsWith("ssh is udp: at the device")], ["not-granted", true]);
  assert.deepEqual([services.status, events], [[], []]);
});

test("clients wait for a new link's first offer, and not for ever", async () => {
  const clock = new FakeClock();
  const { services, events } = setUp(() => ({ links: { online: true } }) as unknown as V2Session, clock);
  const [granted] = services.offer([offer(true)]);
  services.linkUp();
  using client = await Stream.connect(portOf(granted!.text));
  await socketsSettled();
  const ends = () => events.flatMap((event) => event.type === "client-end" ? event.reason : []);
  clock.tick(FIRST_FRAME_TIMEOUT_MS - 1);
  assert.deepEqual(ends(), []);
  clock.tick(1);
  assert.equal((await client.readToEnd()).length, 0);
  using late = await Stream.connect(portOf(granted!.text));
  assert.equal((await late.readToEnd()).length, 0);
  assert.deepEqual(ends(), ["link-lost", "link-lost"]);
  services.linkDown();
  await services.freed();
  assert.equal(clock.pending, 0);
});
