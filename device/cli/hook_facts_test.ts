import assert from "node:assert/strict";
import type { DeviceEvent } from "../events.ts";
import { DeviceNotices } from "./hook_facts.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };
const NOW = Date.UTC(2026, 0, 2);
const SERVER = "relay.example:7443";
const LOCAL = "192.0.2.7:51234";

Deno.test(
  "each event of the link is a hook's event with all that it says, and the name that the server gave",
  STRICT,
  () => {
    const notices = new DeviceNotices();
    const common = { TIME: "2026-01-02T00:00:00.000Z", DEVICE: "gw1", SERVER };
    const events: [event: DeviceEvent, facts: Record<string, unknown>][] = [
      [{ type: "online", server: SERVER, local: LOCAL, device: "gw1" }, { LOCAL }],
      [
        { type: "interrupted", server: SERVER, reason: "keep-alive-timeout", detail: undefined, retryIn: 70 },
        { REASON: "keep-alive-timeout", DETAIL: undefined, RETRY_IN_MS: 70 },
      ],
      [
        { type: "resumed", server: SERVER, local: LOCAL, interrupted: 640, replayed: 17 },
        { LOCAL, INTERRUPTED_MS: 640, REPLAYED_BYTES: 17 },
      ],
      [
        {
          type: "lost",
          server: SERVER,
          reason: "goodbye",
          detail: "shutting-down",
          goodbye: "shutting-down",
          duration: 9,
          retryIn: 500,
          clients: 2,
        },
        {
          REASON: "goodbye",
          DETAIL: "shutting-down",
          GOODBYE: "shutting-down",
          DURATION_MS: 9,
          RETRY_IN_MS: 500,
          CLIENTS: 2,
        },
      ],
    ];
    for (const [event, facts] of events) {
      assert.deepEqual(notices.of(event, NOW), {
        event: event.type,
        subject: "this device",
        facts: { ...common, ...facts },
        late: false,
      });
    }
  },
);

Deno.test("a session that the server has forgotten is told late, and tries to link up are not told", STRICT, () => {
  const notices = new DeviceNotices();
  const lost = {
    type: "lost",
    server: SERVER,
    detail: undefined,
    goodbye: undefined,
    duration: 0,
    retryIn: 0,
  } as const;
  assert.equal(notices.of({ ...lost, reason: "not-resumed" })?.late, true);
  assert.equal(notices.of({ type: "connecting", server: SERVER, attempt: 1 }), undefined);
});

Deno.test("a move to another link is no interruption, and hooks hear nothing of it", STRICT, () => {
  const moved = { type: "resumed", server: SERVER, local: LOCAL, interrupted: 3, replayed: 0, moved: true } as const;
  assert.equal(new DeviceNotices().of(moved, NOW), undefined);
});
