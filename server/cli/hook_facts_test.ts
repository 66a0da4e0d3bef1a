import assert from "node:assert/strict";
import type { ServerEvent } from "../events.ts";
import { serverNotice } from "./hook_facts.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };
const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const LINK = { listen: "0.0.0.0:7443", device: "gw1", remote: "192.0.2.7:51234" };
const COMMON = { TIME: "2026-01-02T03:04:05.006Z", DEVICE: "gw1", LISTENER: "0.0.0.0:7443", REMOTE: "192.0.2.7:51234" };

Deno.test("each event of a link is a hook's event, with all that it says", STRICT, () => {
  const events: [event: ServerEvent, name: string, facts: Record<string, unknown>][] = [
    [{ type: "link-up", ...LINK }, "online", {}],
    [
      { type: "link-interrupted", ...LINK, reason: "connection-lost", detail: "reset", expiration: 15_000, clients: 3 },
      "interrupted",
      { REASON: "connection-lost", DETAIL: "reset", EXPIRATION_MS: 15_000, CLIENTS: 3 },
    ],
    [
      { type: "link-resumed", ...LINK, interrupted: 640, replayed: 0 },
      "resumed",
      { INTERRUPTED_MS: 640, REPLAYED_BYTES: 0 },
    ],
    [
      { type: "link-down", ...LINK, reason: "expired", detail: undefined, duration: 99, clients: 4 },
      "lost",
      { REASON: "expired", DETAIL: undefined, DURATION_MS: 99, CLIENTS: 4 },
    ],
  ];
  for (const [event, name, facts] of events) {
    const notice = serverNotice(event, NOW);
    assert.deepEqual(notice, { event: name, subject: "gw1", facts: { ...COMMON, ...facts }, late: false });
  }
});

Deno.test("a session whose device is back already is told late, and what clients do is not told", STRICT, () => {
  const down = { type: "link-down", ...LINK, detail: undefined, duration: 1 } as const;
  assert.equal(serverNotice({ ...down, reason: "replaced" })?.late, true);
  assert.equal(
    serverNotice({
      type: "refused",
      listen: LINK.listen,
      remote: LINK.remote,
      reason: "unknown-device",
      why: "no key",
    }),
    undefined,
  );
});

Deno.test("on v1, where devices have no names, the listener stands for its one device", STRICT, () => {
  const notice = serverNotice({ type: "link-up", ...LINK, device: LINK.remote }, NOW);
  assert.equal(notice?.subject, LINK.listen);
  assert.equal(notice?.facts["DEVICE"], LINK.remote);
});

Deno.test("a move to another link is no interruption, and hooks hear nothing of it", STRICT, () => {
  const moved = { type: "link-resumed", ...LINK, interrupted: 3, replayed: 0, moved: true } as const;
  assert.equal(serverNotice(moved, NOW), undefined);
});
