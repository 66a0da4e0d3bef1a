import assert from "node:assert/strict";
import fc from "fast-check";
import { ConfigError } from "../../app/toml/config_error.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { systemClock } from "../../base/clock.ts";
import { formatPublicKey } from "../../net/tls/identity.ts";
import { atOnce, inSlices } from "../../base/slices.ts";
import { type AuthorizedDevice, readDevice } from "./entry.ts";
import { DeviceReader, parseDevices } from "./reader.ts";
import { findChanges } from "./differences.ts";
import { cutSections } from "./sections.ts";
import { key } from "./_state_fixture_test.ts";
import { folderTest } from "../../tests/rig/test.ts";

const keyOf = (n: number) =>
  formatPublicKey(Uint8Array.from({ length: 32 }, (_, at) => at < 4 ? (n >> (8 * at)) & 0xff : 7));
const entry = (n: number, address = "0.0.0.0:0") =>
  `[dev${n}]\nkey = "${keyOf(n)}"\nservices = { ssh = "${address}" }\n\n`;
const fleet = (count: number, address?: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => entry(n, address?.(n))).join("");

folderTest("a text is cut into one section for each device, with all that is below it", () => {
  const source = `# ours\n\n[a]\nkey = 1\n[a.services]\nx = [\n  "1",\n]\n# of b\n\n["b.c"]\nx = 1\n [ d ]\n[d.e]`;
  assert.deepEqual(
    atOnce(cutSections(source)).map(({ name, start, end, line }) => [name, line, source.slice(start, end)]),
    [
      ["", 0, "# ours\n\n"],
      ["a", 2, '[a]\nkey = 1\n[a.services]\nx = [\n  "1",\n]\n# of b\n\n'],
      ["b.c", 10, '["b.c"]\nx = 1\n'],
      ["d", 12, " [ d ]\n[d.e]"],
    ],
  );
  const inline = 'a = { key = "x" }\nb.key = "y"\nb.services.s = "z"\n[c]\nkey = "w"\n';
  assert.deepEqual(atOnce(cutSections(inline)).map(({ name }) => name), ["a", "b", "c"]);
});

folderTest("whatever is written, in sections it means what it means as a whole", () => {
  const name = fc.constantFrom("a", "b", '"c"', "'c'", "d-1", '"e.f"');
  const line = fc.oneof(
    name.map((name) => `[${name}]`),
    name.map((name) => ` [ ${name} ] # it`),
    name.map((name) => `[${name}.services]`),
    name.map((name) => `[${name}.services.s]`),
    name.map((name) => `[[${name}]]`),
    fc.constantFrom('["\\u0061"]', '["\\u0062".services]', 'services.u = """\\\n[a]\n"""', "x = [[\n[a]\n],[]]"),
    name.chain((name) => fc.nat(3).map((n) => `${name} = { key = "${key(n)}" }`)),
    name.chain((name) => fc.nat(3).map((n) => `${name}.key = "${key(n)}"`)),
    fc.nat(3).map((n) => `key = "${key(n)}"`),
    fc.constantFrom(
      'services = { s = "0.0.0.0:0" }',
      'services.t = "0.0.0.0:1"',
      't = "0.0.0.0:1"',
      'listen = "0.0.0.0:0"',
      'comment = "x"',
      'comment = """',
      '"""',
      "x = [",
      "]",
      "# c",
      "",
      "disabled = true",
      "oops",
      " ",
      "\t",
      "\\",
      '"',
      "comment = '''",
      "'''",
      "services = {",
      "}",
      "expires = 2027-01-01",
      "\uFEFF",
      "\0",
      "\r",
    ),
  );
  const layout = fc.record({
    mark: fc.constantFrom("", "\uFEFF"),
    head: fc.constantFrom("", entry(1)),
    end: fc.constantFrom("\n", "\r\n", "\n\n", ""),
    tail: fc.constantFrom("", `\n${entry(2)}`),
  });
  const outcome = (read: () => unknown) => {
    try {
      return read();
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      return "refused";
    }
  };
  const reused = new DeviceReader("d");
  fc.assert(
    fc.property(fc.array(line, { maxLength: 9 }), layout, (lines, { mark, head, end, tail }) => {
      const source = `${mark}${head}${lines.join(end)}${tail}`;
      const read = (reader: DeviceReader) =>
        outcome(() => new Map(atOnce(reader.read(source)).devices.map((device) => [device.name, device])));
      const inSections = read(new DeviceReader("d"));
      assert.deepEqual(read(reused), inSections);
      assert.deepEqual(inSections, outcome(() => new Map(wholly(source).map((device) => [device.name, device]))));
    }),
    { numRuns: 2_000 },
  );
});

/** What a text means to whoever reads it in one go. */
function wholly(source: string): AuthorizedDevice[] {
  const top = TomlTable.parse("d", source);
  const devices = top.names.map((name) => readDevice(name, top.table(name)!));
  top.rejectUnknown();
  if (new Set(devices.map(({ key }) => key)).size < devices.length) throw new ConfigError("two have one key");
  const ports = devices.flatMap(({ services, disabled }) =>
    disabled ? [] : services.map(({ listen }) => "from" in listen ? listen.from : -1)
  );
  const taken = ports.filter((port) => port !== 0);
  if (new Set(taken).size < taken.length) throw new ConfigError("two have one port");
  return devices;
}

/** A device that sections cannot have, as a line of its comment looks like another one. */
const WHOLE = `[zz]\nkey = "${key(99)}"\ncomment = """\\\n[yy]"""\n`;

folderTest("a mistake is named with its place, however far down it stands", () => {
  for (
    const [text, says] of [
      [`[x]\nkye = 1\n`, /^d:4002:1: unknown key "kye"/],
      ["[x\n", /^d:4001:\d+: not TOML/],
      [`[dev7]\nkey = "${key(1)}"\n`, /^d:4001:\d+: not TOML/],
      [`[x]\nkey = "${keyOf(7)}"\n`, /^d:4002:1: "dev7" has the same key/],
      [`[x]\nkey = "${key(1)}"\nservices = { s = "1:1:1" }\n`, /^d:4003:14: "s"/],
    ] as const
  ) {
    assert.throws(() => parseDevices("d", fleet(1000) + text), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, says);
      return true;
    }, text);
  }
});

folderTest("reading again costs what has changed, and what did not is the same object", () => {
  const reader = new DeviceReader("d");
  const before = atOnce(reader.read(fleet(1000)));
  assert.equal(reader.sectionsRead, 1000);
  const after = atOnce(reader.read(fleet(1000).replace(entry(500), "") + entry(1000)));
  assert.equal(reader.sectionsRead, 1001);
  assert.equal(after.devices[998], before.devices[999]);
  const [change, ...more] = atOnce(findChanges(before, after));
  assert.deepEqual([change!.added.length, change!.removed.length, change!.changed.length, more.length], [1, 1, 0, 0]);
});

for (const [what, address] of [["port 0", undefined], ["one range", () => "0.0.0.0:20000-29999"]] as const) {
  folderTest(`twice as many devices that share ${what} take about twice the steps, none of them long`, async () => {
    const steps = (count: number) => {
      let taken = 0;
      const reading = new DeviceReader("d").read(fleet(count, address));
      while (!reading.next().done) taken++;
      return taken;
    };
    assert.ok(steps(2_000) <= 2.1 * steps(1_000));
    const source = fleet(20_000, address);
    let [longest, turned] = [0, performance.now()];
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - turned);
      turned = performance.now();
    }, 1);
    const { devices } = await inSlices(new DeviceReader("d").read(source), systemClock);
    clearInterval(timer);
    assert.equal(devices.length, 20_000);
    assert.ok(longest < 250, `a turn of ${longest} ms`); // on a machine that does other things, too
  });
}

folderTest("many devices with one port on a host each are told apart quickly, and who clashes is found", () => {
  const source = fleet(5_000, (n) => `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}:22`);
  assert.equal(parseDevices("d", source).length, 5_000);
  assert.throws(() => parseDevices("d", source + entry(6_000, "0.0.0.0:22")), /"dev0" has 10\.0\.0\.0:22/);
});

folderTest("the whole text is what counts where a line only looks like a device", () => {
  const tricky = `${WHOLE}[b]\nkey = "${key(2)}"\n`;
  assert.deepEqual(parseDevices("d", tricky).map(({ name, comment }) => [name, comment]), [["zz", "[yy]"], [
    "b",
    undefined,
  ]]);
  assert.throws(() => parseDevices("d", `[a]\nkey = "${key(1)}"\ncomment = '''\n[b]\n'''\n`), /a comment is one line/);
});

folderTest("a device is one however its name is written, and wherever its tables stand", () => {
  const apart = `["\\u0061"]\nkey = "${key(1)}"\n[b]\nkey = "${key(2)}"\n[a.services]\ns = "0.0.0.0:0"\n`;
  assert.deepEqual(parseDevices("d", apart).map(({ name, services }) => [name, services.length]), [["a", 1], ["b", 0]]);
  assert.throws(() => parseDevices("d", `${apart}[b.services]\ns = "x"\n`), /^ConfigError: d:8:1: /);
  assert.throws(() => parseDevices("d", `${apart}["\\u0062"]\n`), /^ConfigError: d:7:2: not TOML: trying to redefine/);
});

/** What is written in another way than most, all of it in a fleet of many. */
const ODD: Record<string, (source: string) => string> = {
  "a device whose tables are apart": (source) => `${source}[dev7.services.web]\nlisten = "0.0.0.0:0"\n`,
  "a text that looks like a device": (source) => source.replace(`[dev7]\n`, `[dev7]\ncomment = """\\\n[dev8]"""\n`),
  "a list that looks like one": (source) =>
    source.replace("[dev7]\n", "[dev7]\nservices.x = { listen = '0.0.0.0:0', proxy-from = [\n'10.0.0.0/8',\n] }\n"),
  "a header twice": (source) => source + entry(7),
  "a table of a device that it does not have": (source) => `${source}[dev7.extra]\nx = 1\n`,
  "a text that never ends": (source) => source.replace(`[dev7]\n`, `[dev7]\ncomment = """\n`),
  "a list that never ends": (source) => source.replace(`[dev7]\n`, `[dev7]\nx = [\n`),
  "a name written otherwise": (source) => `${source}["dev\\u0037"]\nkey = 1\n`,
};

/** The longest step of a reading, in milliseconds, be it the one that finds a mistake. */
function longestStep(reading: Generator<void, unknown, void>): number {
  for (let [longest, done] = [0, false];;) {
    if (done) return longest;
    const before = performance.now();
    try {
      done = reading.next().done === true;
    } catch (error) {
      assert.ok(error instanceof ConfigError, String(error));
      done = true;
    }
    longest = Math.max(longest, performance.now() - before);
  }
}

folderTest("in a large file whatever is written oddly is read in small steps, and alone", () => {
  const source = fleet(20_000);
  const fastest = (measure: () => number) => Math.min(measure(), measure(), measure());
  const whole = fastest(() => {
    const before = performance.now();
    TomlTable.parse("d", source);
    return performance.now() - before;
  });
  const reader = new DeviceReader("d");
  for (const [what, change] of Object.entries(ODD)) {
    let longest = Infinity; // what else the machine does can only make a step longer
    for (let tries = 0; tries < 10 && longest >= whole / 2; tries++) {
      atOnce(reader.read(source));
      longest = Math.min(longest, longestStep(reader.read(change(source))));
    }
    assert.ok(longest < whole / 2, `${what}: a step of ${longest} ms, where all at once takes ${whole} ms`);
    atOnce(reader.read(source));
    const before = reader.sectionsRead;
    longestStep(reader.read(change(source)));
    assert.ok(reader.sectionsRead - before < 10, `${what}: ${reader.sectionsRead - before} sections were read`);
  }
});

folderTest(
  "[defaults] has the rules for all; where it changes, no device is read again, and none can have its name",
  () => {
    const reader = new DeviceReader("devices.toml");
    const devices = ["a", "b"].map((name, n) => `[${name}]\nkey = "${keyOf(n)}"\nmax-clients = ${n + 1}\n`).join("\n");
    const read = (text: string) => atOnce(reader.read(text));
    const first = read(`${devices}\n[defaults]\ndeny-from = ["10.0.0.0/8"]\n`);
    assert.deepEqual(first.defaults, { denyFrom: ["10.0.0.0/8"] });
    assert.deepEqual(first.devices.map(({ name, access }) => [name, access]), [["a", { maxClients: 1 }], ["b", {
      maxClients: 2,
    }]]);
    const before = reader.sectionsRead;
    const second = read(`${devices}\n[defaults]\nmax-clients = 7\n`);
    assert.equal(reader.sectionsRead - before, 1);
    assert.deepEqual(second.defaults, { maxClients: 7 });
    assert.deepEqual(second.devices, first.devices);
    assert.deepEqual(read(devices).defaults, {});
    assert.throws(() => read(`[defaults]\nkey = "${keyOf(0)}"\n`), /give the device of this key another name/);
    assert.throws(() => read("[defaults]\nmax-client = 1\n"), /did you mean "max-clients"/);
  },
);
