/**
 * `doctor` of both roles: at what works, and at what does not.
 *
 * @module
 */

import assert from "node:assert/strict";
import { outcome, succeed } from "../rig/processes/commands.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay, V2Relay } from "../rig/processes/relay.ts";
import { startDevice } from "../rig/processes/daemons.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";
import { freePort } from "../rig/ports.ts";

interface Found {
  readonly check: string;
  readonly level: string;
  readonly text: string;
  readonly advice?: string;
}

async function doctor(role: "server" | "device", ...args: string[]) {
  const { code, stdout } = await outcome(role, [...args, "doctor", "--json"]);
  const found = JSON.parse(stdout.at(-1)!) as Found[];
  return { code, of: (check: string) => found.find((each) => each.check === check) };
}

processTest(
  "doctor finds nothing wrong with a relay that works, and says what is wrong with one that does not",
  [],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    const state = ["--state", relay.folder.path];
    const at = relay.server.address;
    const well = await doctor("device", ...state);
    assert.equal(well.code, 0);
    assert.match(well.of("running")!.text, /^online at /);
    assert.match(well.of(`server ${at}`)!.text, /by TCP and TLS, and it proves itself$/);
    assert.equal(well.of("service echo")!.level, "ok");

    assert.equal(well.of(`families ${at}`), undefined, "an address has one family");
    const named = at.replace("127.0.0.1", "localhost");
    const both = await doctor("device", "--server", named, "--server-key", await keyOf(state), ...state);
    const families = both.of(`families ${named}`)!;
    if (families.text.includes("IPv6")) { // else this machine's name has none
      assert.deepEqual([both.code, families.level], [0, "warn"]);
      assert.match(families.text, /IPv4 127\.0\.0\.1:\d+ answers in \d+ ms; IPv6 \[::1\]:\d+ does not answer: /);
    }
    const proxied = ["--proxy", `http://127.0.0.1:${freePort("127.0.0.1")}`, ...state];
    const noProxy = await doctor("device", ...proxied);
    const proxy = noProxy.of(proxied[1]!.replace("http://", "proxy "));
    assert.deepEqual([noProxy.code, proxy!.level, noProxy.of(`families ${at}`)], [1, "fail", undefined]);

    const server = await doctor("server", "--listen", at, ...state);
    assert.deepEqual([server.code, server.of(`listen ${at}`)!.text], [0, "the server that runs listens there"]);
    assert.equal(server.of("devices.toml")!.level, "ok");
    assert.match(server.of("capacity")!.text, /^1 link and 1 host port, which leaves \d+ descriptors for clients$/);
    assert.match(
      server.of("families")!.text,
      /^nobody but this machine reaches it, as it listens at 127\.0\.0\.1 alone/,
    );

    // What runs is asked for what it was started with, and --state may stand on either side of the word.
    for (const args of [[...state, "doctor"], ["doctor", ...state]]) {
      const asked = await outcome("server", [...args, "--json"]);
      const found = JSON.parse(asked.stdout.at(-1)!) as Found[];
      const listens = found.filter(({ check }) => check.startsWith("listen "));
      assert.deepEqual([asked.code, listens], [0, [{
        check: `listen ${at}`,
        level: "ok",
        text: "the server that runs listens there (v2, pinned)",
      }]]);
      const device = await outcome("device", [...args, "--json"]);
      assert.equal(device.code, 0, device.stderr);
    }
    const elsewhere = await doctor("server", "--listen", `127.0.0.1:${freePort("127.0.0.1")}`, ...state);
    assert.equal(elsewhere.code, 1);

    // Each look of a device's doctor has said what it was, but for that by one family, which only connects.
    const refused = await relay.command("events", "--type", "refused");
    const [mute, told] = [
      refused.filter((line) => line.includes(" reason=mute ")),
      refused.filter((line) => !line.includes(" reason=mute ")),
    ];
    assert.ok(told.length > 0 && mute.length <= 1, refused.join("\n"));
    for (const line of told) {
      assert.match(line, / reason=said-goodbye why="it said goodbye: shutting-down"/);
    }

    const warned = relay.server.child.stderr.filter((line) => /"warn".*"refused /.test(line));
    assert.deepEqual(warned, [], "who only looks is nothing to warn of");

    const nobody = freePort("127.0.0.1");
    const cut = await doctor("device", "--server", `127.0.0.1:${nobody}`, "--server-key", await keyOf(state), ...state);
    assert.deepEqual([cut.code, cut.of(`server 127.0.0.1:${nobody}`)!.level], [1, "fail"]);
    assert.match(cut.of(`server 127.0.0.1:${nobody}`)!.advice!, /^see whether the server runs/);
    const lost = await doctor("device", "--server", "no.invalid:1", "--server-key", await keyOf(state), ...state);
    for (const check of ["name no.invalid", "server no.invalid:1"]) {
      assert.match(lost.of(check)!.advice!, /^correct the name/);
    }
    assert.equal(lost.of("families no.invalid:1")!.level, "warn", "told once");
    const [other] = (await outcome("device", ["key", ...state])).stdout;
    const wrong = await doctor("device", "--server", at, "--server-key", other!.split(" ")[0]!, ...state);
    assert.deepEqual([wrong.code, wrong.of(`server ${at}`)!.level], [1, "fail"]);
    assert.match(wrong.of(`server ${at}`)!.advice!, /^if the server was set up anew/);
    const down = await doctor("device", "--service", `echo=127.0.0.1:${nobody}`, ...state);
    assert.deepEqual([down.code, down.of("service echo")!.level], [0, "warn"]);
    const behind = [
      "a=unix:/no/such.sock",
      'b=exec:["/bin/cat"]',
      "c=serial:/dev/no-such",
      "d=can:virtual:lab",
      "e=udp:127.0.0.1:1",
    ];
    const kinds = await doctor("device", ...behind.flatMap((each) => ["--service", each]), ...state);
    assert.equal(kinds.code, 0);
    assert.deepEqual(
      ["a", "b", "c", "d", "e"].map((name) => kinds.of(`service ${name}`)!.level),
      ["warn", "ok", "warn", "ok", "ok"],
    );

    const taken = await doctor("server", "--listen", at, "--state", `${relay.folder.path}/other`);
    assert.deepEqual([taken.code, taken.of(`listen ${at}`)!.level], [1, "fail"]);
    assert.equal(taken.of("state")!.level, "ok", "before the first start there is none");
  },
);

processTest("doctor of both sides says which services are not open, why, and what would do", [], async () => {
  using blocker = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const services = ["a=127.0.0.1:1", "b=127.0.0.1:2"];
  await using relay = await V2Relay.start(services, { device: ["--service", "c=127.0.0.1:3"] });
  const state = ["--state", relay.folder.path];
  assert.equal((await doctor("server", ...state)).of("services")!.level, "ok");
  const there = `b=127.0.0.1:${blocker.addr.port}`;
  await succeed("server", ["service", "move", "gw1", there, ...state]);
  await relay.device.child.line(/port-unavailable/);
  const device = await doctor("device", ...state);
  assert.equal(device.code, 0);
  const [b, c] = [device.of("service b")!, device.of("service c")!];
  assert.deepEqual([b.level, c.level], ["warn", "warn"]);
  assert.match(b.text, /^port-unavailable: /);
  assert.match(b.advice ?? "", /service move gw1 b=HOST:PORT/);
  assert.match(c.text, /^not-granted: /);
  assert.match(c.advice ?? "", /service add gw1 c=HOST:PORT/);
  const server = await doctor("server", ...state);
  assert.deepEqual([server.code, server.of("services")!.level], [0, "warn"]);
  assert.match(server.of("services")!.text, /^gw1\/b: /);
});

processTest("what is UDP on one side alone is told by all who ask, with what would do", [], async () => {
  await using relay = await V2Relay.start(["a=udp:127.0.0.1:53", "b=127.0.0.1:53"], {
    grants: ["a=udp:127.0.0.1:0", "b=127.0.0.1:0"],
  });
  const state = ["--state", relay.folder.path];
  await relay.command("service", "move", "gw1", "a=127.0.0.1:0");
  await relay.command("service", "move", "gw1", "b=udp:127.0.0.1:0");
  for (const name of ["a", "b"]) await relay.device.child.line(new RegExp(`^service ${name} not-granted: `));

  const server = (await doctor("server", ...state)).of("services")!;
  assert.deepEqual([server.level, server.advice], [
    "warn",
    "sallyport server service move gw1 a=udp:HOST:PORT",
  ]);
  assert.match(server.text, /^gw1\/a: a is udp: at the device: .*; and 1 more: /);
  await poll(async () => {
    const [row] = JSON.parse((await relay.command("devices", "--json"))[0]!) as { unbound: Record<string, string> }[];
    return /^a is udp: at the device/.test(row!.unbound["a"]!) && /^b is granted by UDP/.test(row!.unbound["b"]!);
  }, () => "devices does not say why");
  const device = await doctor("device", ...state);
  const [a, b] = [device.of("service a")!, device.of("service b")!];
  assert.equal(a.advice, "on the server: sallyport server service move gw1 a=udp:HOST:PORT");
  assert.match(
    b.advice!,
    /^here: write b=udp:127\.0\.0\.1:53; or, if it is TCP, on the server: .* move gw1 b=HOST:PORT$/,
  );

  const from = relay.device.child.stdout.length;
  await relay.command("service", "move", "gw1", "a=udp:127.0.0.1:0"); // as advised
  await relay.command("service", "move", "gw1", "b=127.0.0.1:0");
  for (const name of ["a", "b"]) await relay.device.child.line(new RegExp(`^service ${name} (udp:)?127\\.`), from);
  assert.equal((await doctor("server", ...state)).of("services")!.level, "ok");
});

processTest("a device without a link is told with why, also if it runs with options of its own", [], async () => {
  await using relay = await V2Relay.start(["a=127.0.0.1:1"]);
  const state = ["--state", relay.folder.path];
  await relay.command("disable", "gw1");
  await relay.device.child.line(/^lost .* disabled$/);
  const disabled = (await doctor("device", ...state)).of("running")!;
  assert.match(disabled.text, /; it said disabled: gw1 is disabled$/);
  assert.match(disabled.advice!, /^on the server: sallyport server enable gw1/);

  using folder = new TempFolder();
  const nobody = `127.0.0.1:${freePort("127.0.0.1")}`;
  const key = await keyOf(state);
  const own = ["--state", folder.path, "--server", nobody, "--server-key", key, "--service", "a=127.0.0.1:1"];
  await using device = startDevice(own);
  await device.logged(/^cannot reach /);
  const found = await doctor("device", "--state", folder.path);
  assert.match(found.of("running")!.text, /, 127\.0\.0\.1:\d+; last: .*refused/i);
  assert.ok(found.of("running")!.advice);
  assert.equal(found.of("name 127.0.0.1")!.level, "ok");
  assert.deepEqual([found.code, found.of(`server ${nobody}`)!.level], [1, "fail"]);
});

processTest("doctor names the state that it was given, and tells a broken devices.toml once", [], async () => {
  using folder = new TempFolder();
  const state = ["--state", folder.path];
  const none = await outcome("device", ["doctor", ...state]);
  assert.match(none.stderr, new RegExp(`has not joined a server: ${folder.path}/device has none; `));
  const file = (text: string) => {
    Deno.mkdirSync(`${folder.path}/server`, { recursive: true, mode: 0o700 });
    Deno.writeTextFileSync(`${folder.path}/server/devices.toml`, text, { mode: 0o600 });
  };
  file("[gw1\n");
  const listen = ["--listen", `127.0.0.1:${freePort("127.0.0.1")}`];
  const broken = await doctor("server", ...listen, ...state);
  assert.deepEqual(
    [broken.code, broken.of("devices.toml")!.level, broken.of("capacity")!.level],
    [1, "fail", "warn"],
  );
  assert.doesNotMatch(broken.of("capacity")!.text, /TOML/);
  const [identity] = (await outcome("device", ["key", ...state])).stdout;
  file(`[gw1]\nkey = "${identity!.split(" ")[0]}"\nservices = { a = "127.0.0.1:22222" }\n`);
  const whole = await doctor("server", ...listen, ...state);
  assert.match(whole.of("devices.toml")!.text, /^1 device, 1 port of its own, in /);
});

async function keyOf(state: readonly string[]): Promise<string> {
  return (await outcome("server", ["key", ...state])).stdout[0]!.split(" ")[0]!;
}
