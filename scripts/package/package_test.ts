import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { TomlTable } from "../../app/toml/table.ts";
import { folderTest, test } from "../../tests/rig/test.ts";
import { packageAll } from "./all.ts";
import { commentedOut, documentsOf, unitFor } from "./contents.ts";
import { deb } from "./deb.ts";
import { glibcOf, platformOf, runtimeOf } from "./elf.ts";
import { ociLayout } from "./oci.ts";
import { type Lock, sbom } from "./sbom.ts";
import { type Entry, tar } from "./tar.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TIME = 1_700_000_000;
const bytes = (text: string) => new TextEncoder().encode(text);
const read = (path: string) => Deno.readTextFileSync(ROOT + path);

/** What begins like a program for a machine, and says what programs say. */
function program(machine: number): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(64);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head[18] = machine;
  return new Uint8Array([...head, ...bytes("\0GLIBC_2.4\0GLIBC_2.31\0GLIBC_2.9.1\0GLIBC_2.99 is text, Deno/1.2.3 ")]);
}

/** Runs a program with bytes for its input. */
async function run(command: readonly string[], input: Uint8Array<ArrayBuffer>): Promise<string> {
  const options = { args: command.slice(1), stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const child = new Deno.Command(command[0]!, options).spawn();
  const writer = child.stdin.getWriter();
  const [{ success, stdout }] = await Promise.all([child.output(), writer.write(input).then(() => writer.close())]);
  assert.ok(success, command.join(" "));
  return new TextDecoder().decode(stdout);
}

const ENTRIES: readonly Entry[] = [
  { path: "usr/bin/tool", mode: 0o755, bytes: bytes("#!/bin/sh\n") },
  { path: "etc/tool/tool.toml", mode: 0o644, bytes: bytes("# nothing\n") },
  { path: "usr/bin/other", mode: 0o777, link: "tool" },
  { path: `usr/${"deep/".repeat(30)}file`, mode: 0o600, bytes: new Uint8Array(513), owner: 7 },
];

test("an archive has every entry with its rights, and the folders above", async () => {
  const listed = await run(["tar", "--numeric-owner", "-tvf", "-"], tar(ENTRIES, "", TIME));
  const lines = listed.trimEnd().split("\n").map((line) => line.split(/\s+/));
  const found = new Map(
    lines.map(([mode, owner, size, _day, _hour, name, _arrow, to]) => [name, [mode, owner, size, to]]),
  );
  assert.deepEqual(found.get("usr/bin/tool"), ["-rwxr-xr-x", "0/0", "10", undefined]);
  assert.deepEqual(found.get("usr/bin/other"), ["lrwxrwxrwx", "0/0", "0", "tool"]);
  assert.deepEqual(found.get(`usr/${"deep/".repeat(30)}file`), ["-rw-------", "7/7", "513", undefined]);
  assert.deepEqual(found.get("etc/tool/"), ["drwxr-xr-x", "0/0", "0", undefined]);
  assert.equal(lines.length, 4 + 2 + 2 + 30);
  assert.throws(() => tar([{ path: "x".repeat(101), mode: 0o644, bytes: bytes("") }], "", TIME), RangeError);
});

test("a package has its parts in their order, the same bytes each time, and its configuration named", async () => {
  const options = { control: { Package: "tool" }, scripts: { postinst: "#!/bin/sh\n" }, entries: ENTRIES, time: TIME };
  const made = deb(options);
  assert.deepEqual(made, deb({ ...options, entries: ENTRIES.toReversed() }));
  const text = new TextDecoder("latin1").decode(made);
  assert.ok(text.startsWith("!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n"));
  const at = text.indexOf("control.tar.gz");
  const size = Number(text.slice(at + 48, at + 58));
  const control = new Uint8Array(gunzipSync(made.subarray(at + 60, at + 60 + size)));
  assert.equal(await run(["tar", "-xOf", "-", "./conffiles"], control), "/etc/tool/tool.toml\n");
  assert.equal(await run(["tar", "-xOf", "-", "./control"], control), "Package: tool\nInstalled-Size: 3\n");
  const sums = await run(["tar", "-xOf", "-", "./md5sums"], control);
  assert.match(sums, new RegExp(`^${createHash("md5").update("#!/bin/sh\n").digest("hex")}  usr/bin/tool$`, "m"));
  assert.equal(made.length % 2, 0);
});

test("a program's file says for which machine it is, which glibc it takes and which Deno is in it", () => {
  assert.equal(platformOf(program(62)).debian, "amd64");
  assert.equal(platformOf(program(183)).debian, "arm64");
  assert.throws(() => platformOf(program(40)), /machine 40, neither/);
  assert.throws(() => platformOf(bytes("#!/bin/sh")), /no 64-bit program/);
  assert.equal(glibcOf(program(62)), "2.31");
  assert.equal(runtimeOf(program(62)), "1.2.3");
  assert.throws(() => runtimeOf(bytes("nothing")), /--runtime/);
});

test("the list of what is in the program has the packages of the lock file that are in it, with their sums", () => {
  const lock = JSON.parse(read("deno.lock")) as Lock;
  const facts = { version: "1.0.0", runtime: "2.9.6", time: TIME, testsOnly: ["fast-check", "toml-eslint-parser"] };
  const list = JSON.parse(sbom(lock, facts));
  const names = list.packages.map(({ name }: { name: string }) => name);
  for (const name of ["sallyport", "deno", "commander", "@logtape/logtape"]) assert.ok(names.includes(name), name);
  assert.ok(!names.includes("fast-check") && !names.includes("pure-rand"), "what tests use is not in it");
  const commander = list.packages.find(({ name }: { name: string }) => name === "commander");
  assert.match(commander.checksums[0].checksumValue, /^[0-9a-f]{128}$/);
  assert.equal(list.relationships.length, names.length);
  assert.equal(list.creationInfo.created, "2023-11-14T22:13:20Z");
  const ids = list.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID);
  assert.ok(ids.every((id: string) => /^SPDXRef-[A-Za-z0-9.-]+$/.test(id)) && new Set(ids).size === ids.length);
});

test("an image is made of blobs that are what their names say", () => {
  const image = {
    platform: platformOf(program(62)),
    version: "1.0.0",
    time: TIME,
    program: [ENTRIES[0]!],
    libraries: [],
  };
  const blobs = new Map(ociLayout([image]).map(({ path, bytes }) => [path, bytes!]));
  for (const [path, content] of blobs) {
    const [, digest] = /^blobs\/sha256\/(.*)$/.exec(path) ?? [];
    if (digest !== undefined) assert.equal(createHash("sha256").update(content).digest("hex"), digest);
  }
  const json = (path: string) => JSON.parse(new TextDecoder().decode(blobs.get(path)!));
  const blob = (digest: string) => json(`blobs/sha256/${digest.replace("sha256:", "")}`);
  const [found] = json("index.json").manifests;
  const manifest = blob(found.digest);
  const config = blob(manifest.config.digest);
  assert.deepEqual([config.architecture, config.config.Entrypoint], ["amd64", ["/usr/bin/sallyport"]]);
  const layers = manifest.layers.map(({ digest }: { digest: string }) =>
    blobs.get(`blobs/sha256/${digest.replace("sha256:", "")}`)!
  );
  const diffIds = layers.map((layer: Uint8Array) =>
    `sha256:${createHash("sha256").update(gunzipSync(layer)).digest("hex")}`
  );
  assert.deepEqual(config.rootfs.diff_ids, diffIds);
});

test("images for several platforms are one name in a layout", () => {
  const images = [62, 183].map((machine) => ({
    platform: platformOf(program(machine)),
    version: "1.0.0",
    time: TIME,
    program: [ENTRIES[0]!],
    libraries: [],
  }));
  const blobs = new Map(ociLayout(images).map(({ path, bytes }) => [path, new TextDecoder().decode(bytes)]));
  const [list, ...more] = JSON.parse(blobs.get("index.json")!).manifests;
  assert.deepEqual(more, []);
  assert.equal(list.annotations["org.opencontainers.image.ref.name"], "1.0.0");
  const { manifests } = JSON.parse(blobs.get(`blobs/sha256/${list.digest.replace("sha256:", "")}`)!);
  const architectures = manifests.map(({ platform }: { platform: { architecture: string } }) => platform.architecture);
  assert.deepEqual(architectures, ["amd64", "arm64"]);
});

test("what is installed has units for its program, and a configuration in which nothing is set", () => {
  for (const role of ["server", "device"]) {
    const unit = unitFor(read(`examples/sallyport-${role}.service`), "usr");
    assert.match(unit, new RegExp(`^ExecStart=/usr/bin/sallyport ${role} --config /etc/sallyport/${role}.toml$`, "m"));
    assert.doesNotMatch(unit, /usr\/local/);
    const config = commentedOut(read(`examples/${role}.toml`));
    TomlTable.parse(`${role}.toml`, config).rejectUnknown();
    assert.ok(config.split("\n").length > 20);
  }
});

/** Puts programs of these names in front of the system's, each of which prints its text. */
async function pretend(folder: string, programs: Record<string, string>): Promise<Record<string, string>> {
  await Deno.mkdir(`${folder}/bin`, { recursive: true });
  for (const [name, body] of Object.entries(programs)) {
    await Deno.writeTextFile(`${folder}/bin/${name}`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }
  return { PATH: `${folder}/bin:${Deno.env.get("PATH")}` };
}

const MACHINE = {
  uname: "case $1 in -s) echo Linux ;; *) echo x86_64 ;; esac",
  getconf: "case $1 in LONG_BIT) echo 64 ;; *) echo glibc 2.36 ;; esac",
};

folderTest("install.sh says plainly why it cannot be on a machine that has no runtime", async (folder) => {
  const script = read("scripts/package/install.sh").replace("@GLIBC@", "2.31");
  await Deno.writeTextFile(`${folder}/install.sh`, script);
  const machine = (name: string) => `case $1 in -s) echo Linux ;; *) echo ${name} ;; esac`;
  const bits = (bits: number, libc: string) => `case $1 in LONG_BIT) echo ${bits} ;; *) ${libc} ;; esac`;
  const cases: [programs: Record<string, string>, said: RegExp][] = [
    [{ uname: "echo Darwin" }, /for Linux, and here is Darwin/],
    [{ ...MACHINE, uname: machine("armv7l") }, /32-bit ARM: the Deno runtime does not exist/],
    [{ ...MACHINE, uname: machine("mips64") }, /MIPS/],
    [{ ...MACHINE, uname: machine("riscv64") }, /riscv64: there is a runtime for x86_64 and aarch64 alone/],
    [{ ...MACHINE, getconf: bits(32, "echo glibc 2.36") }, /a 32-bit one on a 64-bit kernel/],
    [{ ...MACHINE, getconf: bits(64, "exit 1"), ls: "exit 0" }, /musl/],
    [{ ...MACHINE, getconf: bits(64, "exit 1"), ls: "exit 1" }, /no glibc/],
    [{ ...MACHINE, getconf: bits(64, "echo glibc 2.4") }, /glibc is 2\.4 here, and has to be 2\.31/],
    [MACHINE, /it runs here: amd64, glibc 2\.36/],
    [{ ...MACHINE, uname: machine("aarch64") }, /it runs here: arm64/],
  ];
  for (const [at, [programs, said]] of cases.entries()) {
    const env = await pretend(`${folder}/${at}`, programs);
    const { stdout, stderr } = await new Deno.Command("sh", { args: [`${folder}/install.sh`, "--check"], env })
      .output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assert.match(text, said);
    assert.equal(text.trimEnd().split("\n").length, 1, text);
  }
});

folderTest(
  "what is handed out installs below a folder, is refused when it is damaged, and goes away again",
  async (folder) => {
    await Deno.writeFile(`${folder}/sallyport`, program(62));
    const options = {
      binaries: [`${folder}/sallyport`],
      bases: new Map<string, string>(),
      runtime: undefined,
      version: "1.0.0",
      time: TIME,
      documents: documentsOf(ROOT),
    };
    const base = `${folder}/base`; // a Debian system with the libraries of an image
    for (
      const name of [
        "libc.so.6",
        "libdl.so.2",
        "libgcc_s.so.1",
        "libm.so.6",
        "libpthread.so.0",
        "librt.so.1",
        "libssl.so.3",
        "libcrypto.so.3",
      ]
    ) {
      await Deno.mkdir(`${base}/lib/x86_64-linux-gnu`, { recursive: true });
      await Deno.writeTextFile(`${base}/lib/x86_64-linux-gnu/${name}`, name);
    }
    await Deno.mkdir(`${base}/lib64`);
    await Deno.writeTextFile(`${base}/lib64/ld-linux-x86-64.so.2`, "loader");
    const packaged = await packageAll({ ...options, bases: new Map([["amd64", base]]) }, read, () => {});
    assert.deepEqual(packaged.map(({ name }) => name), [
      "sallyport_1.0.0_amd64.deb",
      "sallyport-1.0.0-linux-amd64.tar.gz",
      "install.sh",
      "sallyport-1.0.0.spdx.json",
      "sallyport-1.0.0-oci.tar",
    ]);
    const sums: string[] = [];
    for (const { name, bytes } of packaged) {
      await Deno.writeFile(`${folder}/${name}`, bytes);
      sums.push(`${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`);
    }
    await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.join(""));
    const env = { ...await pretend(folder, MACHINE), DESTDIR: `${folder}/root` };
    const install = async (...args: string[]) => {
      const { success, stderr } = await new Deno.Command("sh", { args: [`${folder}/install.sh`, ...args], env })
        .output();
      return success ? "done" : new TextDecoder().decode(stderr);
    };
    const exists = (path: string) => Deno.stat(`${folder}/root/${path}`).then(() => true, () => false);
    assert.equal(await install(), "done");
    for (
      const path of [
        "usr/local/bin/sallyport",
        "usr/local/share/man/man1/sallyport.1.gz",
        "etc/sallyport/server.toml",
        "usr/local/share/doc/sallyport/docs/operate/audit.md",
      ]
    ) {
      assert.ok(await exists(path), path);
    }
    assert.equal(await install("--uninstall"), "done");
    assert.ok(!await exists("usr/local/bin/sallyport") && await exists("etc/sallyport/server.toml"));
    const archive = await Deno.readFile(`${folder}/sallyport-1.0.0-linux-amd64.tar.gz`);
    archive[100]! ^= 1;
    await Deno.writeFile(`${folder}/sallyport-1.0.0-linux-amd64.tar.gz`, archive);
    assert.match(await install(), /is not what SHA256SUMS says/);
    assert.ok(!await exists("usr/local/bin/sallyport"));
  },
);
