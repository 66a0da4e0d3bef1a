import assert from "node:assert/strict";
import { runProgram } from "../../../tests/rig/processes/program.ts";
import { folderTest } from "../../../tests/rig/test.ts";
import { decodeEnrolment } from "../../../protocol/enrolment.ts";
import { ExitCode } from "../../../app/exit_codes.ts";
import { loadIdentity } from "../../../app/files/state.ts";
import { parsePublicAddress, publicAddresses } from "../../state/enroll.ts";
import { Enrolments } from "../../state/enrolments.ts";
import { writeFacts } from "../../state/facts.ts";
import { LiveState, readLiveState } from "../../state/live_state.ts";
import { systemClock } from "../../../base/clock.ts";
import { silentLogger } from "../../../base/logger.ts";
import { key, rawKey } from "../../devices/_state_fixture_test.ts";

/** A program as the server's is: options of its own with the same words, and the commands below it. */
const PROGRAM = `
import { Command, Option } from "commander";
import { runProcess } from "./app/run.ts";
import { addOptions } from "./app/options.ts";
import { SERVER_OPTIONS } from "./server/cli/config.ts";
import { devicesCommands } from "./server/cli/files/devices.ts";
await runProcess("sallyport server", async () => {
  const server = new Command("server").exitOverride().addOption(new Option("--config <FILE>")).action(() => {});
  addOptions(server, SERVER_OPTIONS, true);
  for (const command of devicesCommands("sallyport server")) server.addCommand(command);
  await server.parseAsync(Deno.args, { from: "user" });
});
`;

/** Runs one command line. */
const run = (args: string[]) => runProgram(PROGRAM, args);

folderTest(
  "enrolling before a server ever ran makes its key, and prints one string that lets a device in",
  async (folder) => {
    const state = `${folder}/state`;
    const missing = await run(["enroll", "gw1", "--service", "ssh=0.0.0.0:2201", "--state", state]);
    assert.equal(missing.code, ExitCode.USAGE);
    assert.match(missing.err, /no server has run with this state yet.*--public-address relay\.example:7443/);
    assert.equal(missing.out, "");
    const { code, out, err } = await run([
      "enroll",
      "gw1",
      "--state",
      state,
      "--service",
      "ssh=0.0.0.0:2201",
      "--service",
      "web=127.0.0.1:8000-8099",
      "--public-address",
      "relay.example:443",
      "--public-address",
      "[2001:db8::1]",
      "--expires",
      "90d",
      "--comment",
      "roof, building 7",
    ]);
    const where = "ssh at 0.0.0.0:2201 (every address of this host), web at 127.0.0.1:8000-8099";
    assert.deepEqual([code, err], [0, `clients will reach ${where}`]);
    const enrolment = decodeEnrolment(out);
    assert.deepEqual(enrolment.serverKey, (await loadIdentity(`${state}/server`)).publicKey);
    assert.deepEqual([enrolment.security, enrolment.addresses], ["pinned", [
      { host: "relay.example", port: 443 },
      { host: "2001:db8::1", port: 7443 },
    ]]);
    const enrolments = new Enrolments(`${state}/server`, `${state}/server/devices.toml`);
    assert.deepEqual(await enrolments.redeem(enrolment.tokenId, rawKey(1)), { ok: true, device: "gw1" });
    const text = await Deno.readTextFile(`${state}/server/devices.toml`);
    assert.match(text, /services = \{ ssh = "0\.0\.0\.0:2201", web = "127\.0\.0\.1:8000-8099" \}/);
    assert.match(text, /comment = "roof, building 7"/);
  },
);

folderTest("what cannot be enrolled is told in a line, and nothing is printed for a script to take", async (folder) => {
  const place = ["--public-address", "relay.example", "--state", folder];
  const mistakes: [args: string[], says: RegExp][] = [
    [["enroll", "gw1", ...place], /--service is missing; for example: --service ssh=0\.0\.0\.0:2201/],
    [["enroll", "g w", "--service", "a=0.0.0.0:1", ...place], /"g w" is not a name/],
    [["enroll", "gw1", "--service", "a=0.0.0.0:1,a=0.0.0.0:2", ...place], /--service a is given twice/],
    [["enroll", "gw1", "--service", "a=0.0.0.0:1", "--expires", "soon", ...place], /neither a date.* nor a span/],
    [
      ["enroll", "gw1", "--service", "a=0.0.0.0:1", "--expires", "90", ...place],
      /--expires: "90" has no unit; write 90d/,
    ],
    [["expire", "gw1", "90", "--state", folder], /"90" has no unit; write 90d for days/],
    [
      ["enroll", "gw1", "--service", "a=0.0.0.0:1", "--expires", "2020-01-31", ...place],
      /"2020-01-31" is past; the device could never link up$/,
    ],
    [
      ["enroll", "gw1", "--service", "a=0.0.0.0:1", "--replace", ...place],
      /there is no device "gw1"; there are none yet/,
    ],
  ];
  await Promise.all(mistakes.map(async ([args, says]) => {
    const { code, out, err } = await run(args);
    assert.deepEqual([code, out], [ExitCode.USAGE, ""], args.join(" "));
    assert.match(err, says);
  }));
});

folderTest("devices are shown, disabled, enabled, renamed and revoked", async (folder) => {
  const state = `${folder}/server`;
  const file = `${state}/devices.toml`;
  const here = ["--state", folder];
  await writeFacts(state, { addresses: [{ host: "127.0.0.1", port: 1 }], security: "plain" });
  assert.deepEqual(await run(["devices", ...here]), {
    code: 0,
    out: "",
    err: `no devices yet in ${file}; enroll lets one in`,
  });
  assert.equal((await run(["devices", "--json", ...here])).out, "[]");
  const source = `# mine\n[gw1]\nkey = "${key(1)}"\nservices = { ssh = "0.0.0.0:2201" }\n\n` +
    `[old]\nkey = "${key(2)}"\nexpires = 2020-01-01\n`;
  await Deno.writeTextFile(file, source);
  const { out, err: dialled } = await run(["enroll", "gw3", "--service", "any=0.0.0.0:0", ...here]);
  assert.equal(
    dialled.split("\n").at(-1),
    "devices will dial 127.0.0.1:1; if they cannot, say --public-address relay.example",
  );
  assert.equal(decodeEnrolment(out).security, "plain");
  assert.deepEqual(decodeEnrolment(out).addresses, [{ host: "127.0.0.1", port: 1 }]);

  const { out: text, err } = await run(["devices", ...here]);
  const table = text.split("\n");
  assert.deepEqual(table.map((line) => line.split(/ {2,}/).slice(0, 5).filter((_, column) => column !== 1)), [
    ["NAME", "STATE", "LINK", "EXPIRES"],
    ["gw1", "active", "unknown", "never"],
    ["gw3", "enrolling", "-", "never"],
    ["old", "expired", "unknown", "2020-01-01"],
  ]);
  assert.deepEqual(table.slice(1).map((line) => line.split(/ {2,}/).at(-1)), [
    "ssh=0.0.0.0:2201",
    "any=0.0.0.0:0",
    "-",
  ]);
  assert.match(table[2]!, / until 20\d\d-/);
  assert.match(err, /^whether devices are online is unknown: the server is not running$/);
  assert.match(table[1]!, /^gw1 +[0-9a-f]{2}(:[0-9a-f]{2}){7} +active/);

  assert.equal((await run(["disable", "gw1", ...here])).err, '"gw1" is disabled');
  const rows = JSON.parse((await run(["devices", "--json", ...here])).out);
  assert.deepEqual(rows.map(({ name, state, key }: Record<string, unknown>) => [name, state, key]), [
    ["gw1", "disabled", key(1)],
    ["gw3", "enrolling", null],
    ["old", "expired", key(2)],
  ]);
  assert.equal(
    (await run(["enable", "gw1", ...here])).err,
    '"gw1" is enabled; it asks again within seconds if it was disabled lately, within a minute else',
  );
  assert.equal((await run(["rename", "gw1", "roof", ...here])).err, '"gw1" is "roof" from now on');
  assert.match((await run(["rename", "roof", "old", ...here])).err, /there is a device "old" already/);
  const again = await run(["enroll", "gw3", "--service", "any=0.0.0.0:0", ...here]);
  assert.match(again.err, /^the string made for "gw3" before is void now$/m);
  const known = await run(["enroll", "roof", ...here]);
  assert.deepEqual([known.code, known.out], [ExitCode.USAGE, ""]);
  assert.match(
    known.err,
    /there is a device "roof" already; --replace gives it a new key/,
  );
  const taken = await run(["rename", "roof", "gw3", ...here]);
  assert.equal(taken.code, ExitCode.USAGE);
  assert.match(taken.err, /: an enrolment of "gw3" waits; revoke that first, or take another name$/);
  assert.match((await run(["revoke", "gw9", ...here])).err, /no device "gw9"; there are: roof, old, gw3$/);
  assert.equal((await run(["revoke", "old", ...here])).err, '"old" is revoked');
  assert.equal((await run(["revoke", "gw3", ...here])).err, '"gw3" is revoked, with the enrolment that waited');
  const wrong = await run(["revoke", "rof", ...here]);
  assert.deepEqual([wrong.code, wrong.err], [
    ExitCode.USAGE,
    'sallyport server: there is no device "rof"; there are: roof',
  ]);
  assert.equal(
    await Deno.readTextFile(file),
    `# mine\n[roof]\ndisabled = false\nkey = "${key(1)}"\nservices = { ssh = "0.0.0.0:2201" }\n\n`,
  );
});

folderTest(
  "services are added, moved and removed, and times set, of devices that are known; a mistake changes nothing",
  async (folder) => {
    const file = `${folder}/server/devices.toml`;
    const place = ["--state", folder];
    await loadIdentity(`${folder}/server`);
    await Deno.writeTextFile(file, `# mine\n[gw1]\nkey = "${key(1)}" # roof\nservices = { ssh = "0.0.0.0:2201" }\n`);
    const said = async (...args: string[]) => (await run([...args, ...place])).err;
    assert.equal(
      await said("service", "add", "gw1", "web=0.0.0.0:8080", "--max-clients", "20"),
      '"gw1" may offer "web" at 0.0.0.0:8080 (every address of this host), which opens once the device offers it beside those it has: ' +
        "sallyport device service add web=HOST:PORT",
    );
    assert.match(
      await said("service", "add", "gw1", "adm=unix:/run/adm.sock", "--closed"),
      /^"gw1" may offer "adm" at unix:\/run\/adm.sock, which "sallyport server open gw1\/adm --for 1h" opens, once /,
    );
    assert.equal(await said("service", "remove", "gw1", "adm"), '"gw1" may not offer "adm" any more');
    assert.equal(
      await said("service", "move", "gw1", "web=127.0.0.1:8081"),
      '"web" of "gw1" is at 127.0.0.1:8081 from now on',
    );
    assert.equal(await said("service", "remove", "gw1", "ssh"), '"gw1" may not offer "ssh" any more');
    assert.equal(await said("expire", "gw1", "2099-01-31"), '"gw1" may link up until 2099-01-31');
    assert.match(await said("expire", "gw1", "90d"), /^"gw1" may link up until 20\d\d-\d\d-\d\dT/);
    assert.equal(await said("expire", "gw1", "never"), '"gw1" never expires');
    const text = `# mine\n[gw1]\nkey = "${key(1)}" # roof\n` +
      'services = { web = { listen = "127.0.0.1:8081", max-clients = 20 } }\n';
    assert.equal(await Deno.readTextFile(file), text);

    const enrol = ["enroll", "gw2", "--service", "a=0.0.0.0:0", "--public-address", "a.example", ...place];
    assert.equal((await run(enrol)).code, 0);
    const mistakes: [args: string[], says: RegExp][] = [
      [
        ["service", "add", "gw1", "web=0.0.0.0:1"],
        /"gw1" has the service "web" already, at 127\.0\.0\.1:8081; "service move"/,
      ],
      [["service", "add", "gw9", "web=0.0.0.0:1"], /there is no device "gw9"; there are: gw1$/],
      [["service", "add", "gw2", "web=0.0.0.0:1"], /"gw2" has not used its enrolment string yet; enroll it anew/],
      [["service", "add", "gw1", "web"], /"web" is not a service; write NAME=HOST:PORT/],
      [["service", "move", "gw1", "ssh=0.0.0.0:1"], /"gw1" has no service "ssh"; there are: web$/],
      [["service", "remove", "gw1", "ssh"], /"gw1" has no service "ssh"; there are: web$/],
      [["expire", "gw1", "soon"], /"soon" is neither a date/],
      [["expire", "gw1", "2020-01-01"], /"2020-01-01" is past/],
      [["service", "ad", "gw1"], /unknown command "ad"; did you mean "add"\?$/],
      [["service", "list", "gw1"], /unknown command "list"; did you mean "server devices"\?$/],
      [
        ["enroll", "gw1", "--service", "x=0.0.0.0:1", "--public-address", "a.example"],
        /there is a device "gw1" already; --replace gives it a new key; .* \(web=127\.0\.0\.1:8081\) .*: "service add"/,
      ],
    ];
    await Promise.all(mistakes.map(async ([args, says]) => {
      const { code, out, err } = await run([...args, ...place]);
      assert.deepEqual([code, out], [ExitCode.USAGE, ""], args.join(" "));
      assert.match(err, says);
    }));
    assert.equal(await Deno.readTextFile(file), text);
  },
);

folderTest(
  "while the server runs, devices are shown with their links, and services with what is bound",
  async (folder) => {
    const state = `${folder}/server`;
    const live = await LiveState.open(state, systemClock, silentLogger);
    try {
      const grants = `ssh = "0.0.0.0:2200-2299", web = "0.0.0.0:80", mail = "0.0.0.0:25"`;
      const source = `[gw1]\nkey = "${key(1)}"\nservices = { ${grants} }\n` +
        `[gw2]\nkey = "${key(2)}"\nservices = { ssh = "0.0.0.0:0" }\n[gw3]\nkey = "${key(3)}"\n`;
      await Deno.writeTextFile(`${state}/devices.toml`, source);
      const since = Date.UTC(2026, 0, 2, 3, 4, 5);
      const ssh = { name: "ssh", hostAddress: "0.0.0.0:2207", open: true, error: undefined };
      const web = { name: "web", hostAddress: "0.0.0.0:80", open: false, error: "0.0.0.0:80 is in use" };
      live.watch(() => [
        { key: key(1), online: true, since, remote: "192.0.2.7:4711", services: [ssh, web] },
        { key: key(2), online: false, since, remote: undefined, services: [] },
      ]);
      while (await readLiveState(state) === undefined); // until it is written

      const { out, err } = await run(["devices", "--state", folder]);
      const age = "some time";
      assert.deepEqual(err.split("\n"), [
        "gw1/web: 0.0.0.0:80 is in use",
        "gw1/mail: not offered now: down, with down=refuse, or not a service of the device",
      ]);
      assert.deepEqual(
        out.replaceAll(/(?<=line )\d[\ddhms ]*?(?= {2})/g, age).split("\n").map((line) =>
          line.split(/ {2,}/).filter((_, column) => column === 3 || column === 5)
        ),
        [
          ["LINK", "SERVICES"],
          [`online ${age}`, "web: not open mail: not offered ssh=0.0.0.0:2207"],
          [`offline ${age}`, "ssh=0.0.0.0:0"],
          ["offline", "-"],
        ],
      );
      const rows = JSON.parse((await run(["devices", "--json", "--state", folder])).out) as Record<string, unknown>[];
      assert.deepEqual(rows.map(({ online, since, remote, bound }) => ({ online, since, remote, bound })), [
        { online: true, since: "2026-01-02T03:04:05.000Z", remote: "192.0.2.7:4711", bound: { ssh: "0.0.0.0:2207" } },
        { online: false, since: "2026-01-02T03:04:05.000Z", remote: null, bound: {} },
        { online: false, since: null, remote: null, bound: {} },
      ]);
      assert.deepEqual(rows[0]!["unbound"], {
        web: "0.0.0.0:80 is in use",
        mail: "not offered now: down, with down=refuse, or not a service of the device",
      });
    } finally {
      await live.close();
    }
    const [row] = JSON.parse((await run(["devices", "--json", "--state", folder])).out) as Record<string, unknown>[];
    assert.deepEqual([row!["online"], row!["bound"]], [null, {}], "the server is not running");
  },
);

folderTest("an enrolment whose device could not come any more is shown as expired", async (folder) => {
  const state = `${folder}/server`;
  const enrolments = new Enrolments(state, `${state}/devices.toml`);
  await enrolments.create({ device: "gw1", services: [], expires: Date.UTC(2020, 0, 1), replace: false });
  const [row] = JSON.parse((await run(["devices", "--json", "--state", folder])).out);
  assert.deepEqual([row.state, row.expires], ["expired", "2020-01-01T00:00:00.000Z"]);
});

folderTest("devices says when the server that runs does not go by the file", async (folder) => {
  const file = `${folder}/server/devices.toml`;
  const live = await LiveState.open(`${folder}/server`, systemClock, silentLogger);
  try {
    await writeFacts(`${folder}/server`, { addresses: [{ host: "127.0.0.1", port: 1 }], security: "pinned" });
    live.watch(() =>
      [1, 2, 3].map((id) => ({ key: key(id), online: id === 1, since: undefined, remote: undefined, services: [] }))
    );
    while (await readLiveState(`${folder}/server`) === undefined); // until it is written
    const all = [1, 2, 3].map((id) => `[gw${id}]\nkey = "${key(id)}"\n${id === 3 ? "disabled = true\n" : ""}`);
    const errors = async (source: string | undefined, ...more: string[]) => {
      if (source === undefined) await Deno.remove(file);
      else await Deno.writeTextFile(file, source);
      return (await run(["devices", "--state", folder, ...more])).err;
    };
    assert.equal(await errors(all.join("")), "");
    const goesOn = (devices: string) =>
      `the server goes on with ${devices} that ${file} does not let in; if that lasts`;
    assert.ok((await errors(all[0]! + all[1])).startsWith(goesOn("1 device")));
    assert.ok((await errors(`${all[0]}disabled = true\n${all[1]}${all[2]}`, "--json")).startsWith(goesOn("1 device")));
    for (const source of ["", undefined]) {
      const said = await errors(source);
      assert.ok(said.startsWith(goesOn("3 devices")), said);
      assert.equal(said.split("\n").length, 1);
    }
    assert.equal(
      await errors("", "--devices", `${folder}/devises.toml`),
      `the server that runs goes by ${file}, and not by ${folder}/devises.toml`,
    );
  } finally {
    await live.close();
  }
});

folderTest("a file with a mistake is told by its place, and no command changes it", async (folder) => {
  const file = `${folder}/mine.toml`;
  const source = `[gw1]\nkey = "${key(1)}"\nexpires = "soon"\n`;
  await Deno.writeTextFile(file, source);
  for (const args of [["devices"], ["revoke", "gw1"]]) {
    const { code, err } = await run([...args, "--devices", file, "--state", `${folder}/state`]);
    assert.equal(code, ExitCode.USAGE);
    assert.ok(err.startsWith(`sallyport server: ${file}:3:1: "expires": "soon" is not a date`), err);
  }
  assert.equal(await Deno.readTextFile(file), source);
});

folderTest("many who enrol at once are all kept", async (folder) => {
  const state = `${folder}/server`;
  await loadIdentity(state);
  const runs = await Promise.all(
    ["a", "b", "c", "d"].map((name) =>
      run(["enroll", name, "--service", "s=0.0.0.0:0", "--public-address", "relay.example", "--state", folder])
    ),
  );
  assert.deepEqual(runs.map(({ code }) => code), [0, 0, 0, 0]);
  const waiting = await new Enrolments(state, `${state}/devices.toml`).waiting();
  assert.deepEqual(waiting.map(({ device }) => device).sort(), ["a", "b", "c", "d"]);
});

folderTest(
  "a public address without a port has the one where the running server listens, else the configured one",
  async (folder) => {
    const state = `${folder}/server`;
    const enroll = async (args: string[] = [], before: string[] = []) => {
      const place = ["--service", "s=0.0.0.0:0", "--public-address", "relay.example", "--state", folder];
      const { out, err } = await run([...before, "enroll", "gw1", ...place, ...args]);
      const told = err.split("\n").find((line) => line.startsWith("devices will dial"));
      return [decodeEnrolment(out).addresses[0]!.port, told];
    };
    const told = (port: number) => `devices will dial relay.example:${port}, as the server listens at ${port}`;
    const config = `${folder}/server.toml`;
    const sections = `[[listen]]\nprofile = "v1"\naddress = "0.0.0.0:1"\n[[listen]]\naddress = "127.0.0.1:2"\n`;
    await Deno.writeTextFile(config, `${sections}[[listen]]\naddress = "0.0.0.0:3"\n`);
    assert.deepEqual(await enroll(), [7443, undefined]);
    assert.deepEqual((await enroll([], ["--config", config]))[0], 3);
    assert.deepEqual((await enroll([], ["--listen", "0.0.0.0:4", "--config", config]))[0], 4);
    const addresses = [{ host: "127.0.0.1", port: 5 }, { host: "::", port: 8443 }];
    await writeFacts(state, { addresses, security: "pinned" });
    assert.deepEqual((await enroll())[0], 8443, "where it listened when it ran");
    assert.deepEqual((await enroll([], ["--listen", "0.0.0.0:4"]))[0], 4, "where it will");
    assert.deepEqual((await enroll(["--public-address", "relay.example:9"]))[0], 8443, "each has its own");
    const own = await run([
      ...["enroll", "gw2", "--service", "s=127.0.0.1:8443,t=127.0.0.1:6", "--public-address", "a.example:1"],
      ...["--state", folder],
    ]);
    assert.equal(
      own.err.split("\n").at(-1),
      'the server itself listens at the port of 127.0.0.1:8443: "s" cannot open there',
    );
    const live = await LiveState.open(state, systemClock, silentLogger);
    try {
      live.watch(() => []);
      while (await readLiveState(state) === undefined); // until it is written
      assert.deepEqual(await enroll([], ["--listen", "0.0.0.0:4"]), [8443, told(8443)], "where it does");
    } finally {
      await live.close();
    }
  },
);

folderTest(
  "devices dial what was said, else where the server listens, by this host's name if that is everywhere",
  () => {
    const facts = {
      addresses: [{ host: "::", port: 7443 }, { host: "0.0.0.0", port: 7443 }],
      security: "pinned" as const,
    };
    assert.deepEqual(publicAddresses(undefined, facts, () => "relay"), [{ host: "relay", port: 7443 }]);
    const given = [{ host: "relay.example", port: 1 }];
    assert.deepEqual(publicAddresses(given, facts, () => "relay"), given);
    const denied = () => {
      throw new Deno.errors.NotCapable("sys");
    };
    assert.throws(
      () => publicAddresses(undefined, facts, denied),
      /Cannot tell this host's name; say what devices dial/,
    );
    const many = Array.from({ length: 5 }, (_, n) => ({ host: "relay.example", port: n + 1 }));
    assert.throws(() => publicAddresses(many, undefined), /5 addresses are too many; 4 have room/);
    assert.deepEqual(parsePublicAddress("[::1]"), { host: "::1" });
    assert.throws(() => parsePublicAddress("bücher.example"), /write it as xn--bcher-kva\.example$/);
    assert.deepEqual(parsePublicAddress("relay.example:8"), { host: "relay.example", port: 8 });
    for (const text of ["0.0.0.0:7443", "[::]:7443", "relay.example:0", "0.0.0.0"]) {
      assert.throws(() => parsePublicAddress(text), /is nothing to dial; write what devices dial/, text);
    }
    assert.throws(() => parsePublicAddress("7443"), /has no host/);
  },
);

folderTest("commands about devices say that no server has run with a state, and make none", async (folder) => {
  const commands = [["devices"], ["devices", "--json"], ["revoke", "gw1"], ["disable", "gw1"], [
    "rename",
    "gw1",
    "gw2",
  ]];
  for (const args of commands) {
    const { code, out, err } = await run([...args, "--state", `${folder}/state`]);
    assert.equal(code, ExitCode.USAGE, args[0]);
    assert.equal(out, "");
    assert.match(
      err,
      /no server has run with a state in .*\/state\/server, which is not there; run this as the server's/,
    );
  }
  await assert.rejects(Deno.stat(`${folder}/state`), Deno.errors.NotFound);
  await Deno.mkdir(`${folder}/state/server`, { recursive: true, mode: 0o700 });
  assert.match((await run(["devices", "--state", `${folder}/state`])).err, /no server has run with the state in /);
  await Deno.writeTextFile(`${folder}/state/server/devices.toml`, "");
  const empty = await run(["devices", "--state", `${folder}/state`]);
  assert.deepEqual([empty.code, /^no devices yet in .*; enroll lets one in$/.test(empty.err)], [ExitCode.OK, true]);
});
