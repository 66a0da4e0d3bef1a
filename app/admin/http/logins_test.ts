import assert from "node:assert/strict";
import { LOGIN_IDLE_MS, LOGIN_MS, LOGIN_TRIES, LOGIN_TRY_MS, MAX_LOGINS } from "../../limits.ts";
import { FakeClock } from "../../../tests/rig/clock.ts";
import { test } from "../../../tests/rig/test.ts";
import { ApiError } from "../api_error.ts";
import { type Login, Logins, PROOF_HEADER } from "./logins.ts";

const SECRET = "0123456789abcdef";

function logins(once = false) {
  const time = new FakeClock();
  return { time, logins: new Logins({ secret: SECRET, once, name: "7480", time }) };
}

function sent({ cookie, proof }: Login, name = "sallyport-7480"): Headers {
  return new Headers({ cookie: `other=1; ${name}=${cookie}`, [PROOF_HEADER]: proof });
}

function refused(fn: () => unknown, code: string): void {
  assert.throws(fn, (error: unknown) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

test("the token lets somebody in with a cookie and a proof, of which one alone is worth nothing", () => {
  const { logins: all } = logins();
  const login = all.enter(SECRET);
  const other = all.enter(SECRET);
  assert.equal(new Set([login.cookie, login.proof, other.cookie, other.proof, SECRET]).size, 5);
  assert.ok(all.isIn(sent(login)));
  for (
    const wrong of [
      sent({ ...login, proof: "" }),
      sent({ ...login, proof: other.proof }),
      sent({ ...login, cookie: "" }),
      sent(login, "sallyport-7481"),
      new Headers({ [PROOF_HEADER]: login.proof }),
      new Headers({ cookie: `sallyport-7480=${SECRET}`, [PROOF_HEADER]: SECRET }),
    ]
  ) assert.ok(!all.isIn(wrong));
  all.leave(sent({ ...login, proof: "" }));
  assert.ok(all.isIn(sent(login)), "who has no proof ends nothing");
  all.leave(sent(login));
  assert.deepEqual([all.isIn(sent(login)), all.isIn(sent(other))], [false, true]);
});

test("a login ends after its time, and sooner if it is not used", () => {
  const { logins: all, time } = logins();
  const idle = all.enter(SECRET);
  const busy = all.enter(SECRET);
  for (let at = 0; at < LOGIN_MS - 1_000; at += LOGIN_IDLE_MS / 2) {
    assert.ok(all.isIn(sent(busy)), `after ${at} ms`);
    assert.equal(all.isIn(sent(idle), false), at < LOGIN_IDLE_MS, "to look is no use");
    time.jump(LOGIN_IDLE_MS / 2);
  }
  assert.ok(!all.isIn(sent(busy)));
  assert.ok(!all.isIn(sent(idle)));
});

test("there are so many logins at once, and those that are used stay", () => {
  const { logins: all } = logins();
  const first = all.enter(SECRET);
  const second = all.enter(SECRET);
  for (let n = 0; n < MAX_LOGINS - 1; n++) {
    assert.ok(all.isIn(sent(first)));
    all.enter(SECRET);
  }
  assert.deepEqual([all.size, all.isIn(sent(first)), all.isIn(sent(second))], [MAX_LOGINS, true, false]);
});

test("after some wrong tokens others have to wait that are wrong; the right one is let in at any time", () => {
  const { logins: all, time } = logins();
  const login = all.enter(SECRET);
  for (let n = 0; n < LOGIN_TRIES; n++) refused(() => all.enter(`wrong ${n}`), "unauthorized");
  for (let n = 0; n < 100; n++) refused(() => all.enter("wrong"), "too-busy");
  assert.ok(all.isIn(sent(login)));
  assert.ok(all.isIn(sent(all.enter(SECRET))), "those who know it are not kept out by those who do not");
  time.jump(LOGIN_TRY_MS);
  refused(() => all.enter("wrong"), "unauthorized");
  refused(() => all.enter("wrong"), "too-busy");
});

test("a secret that is good once lets one in, and nobody after", () => {
  const { logins: all } = logins(true);
  refused(() => all.enter("wrong"), "unauthorized");
  const login = all.enter(SECRET);
  refused(() => all.enter(SECRET), "unauthorized");
  assert.ok(all.isIn(sent(login)));
});
