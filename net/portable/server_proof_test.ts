import assert from "node:assert/strict";
import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { PINNED_NAME, pinnedCertificate } from "../tls/certificate.ts";
import { test } from "../../tests/rig/test.ts";
import { Echo } from "../dial/_dial_fixture_test.ts";
import { listenTls, newKey, rawKey, TestAuthority } from "../tls/_tls_fixture_test.ts";

/** What a process of its own is told. */
interface Trial {
  /** The server's key, or the CAs that were named. */
  readonly security: { readonly kind: "pinned"; readonly key: readonly number[]; readonly sni?: string } | {
    readonly kind: "pki";
    readonly caCerts?: readonly string[];
  };
  readonly port: number;
  /** Whether the runtime has used TLS before, as it does to fetch modules. */
  readonly fetched?: boolean;
  /** Whether it forgets the runtime's CAs first, as the program does. */
  readonly forgets?: boolean;
  /** A CA for the environment. */
  readonly trusted?: string;
  readonly args?: string[];
}

const CHILD = `
import { dialServer } from ${JSON.stringify(import.meta.resolve("../dial/server.ts"))};
import { portableEngine } from ${JSON.stringify(import.meta.resolve("./engine.ts"))};
import { systemClock } from ${JSON.stringify(import.meta.resolve("../../base/clock.ts"))};
import { forgetRoots } from ${JSON.stringify(import.meta.resolve("./peer_certificate.ts"))};
const { security, port, fetched, forgets } = JSON.parse(Deno.env.get("TRIAL"));
if (fetched) await fetch("https://localhost:" + port).catch(() => {});
if (forgets) forgetRoots();
if (security.kind === "pinned") security.serverKey = Uint8Array.from(security.key);
try {
  const transport = await dialServer(
    { server: { host: "localhost", port }, security }, portableEngine, systemClock, 10_000, new AbortController().signal,
  );
  transport.duplex.close();
  console.log("reached");
} catch (error) {
  console.log(error.name + ": " + error.message);
}`;

/** Dials in a process of its own: the runtime's store of CAs is read once in the life of each. */
async function dialled({ trusted, args = [], ...trial }: Trial): Promise<string> {
  using temporary = new TempFolder();
  const folder = temporary.path;
  const file = `${folder}/trusted.pem`;
  const program = `${folder}/child.ts`;
  await Deno.writeTextFile(file, trusted ?? "");
  await Deno.writeTextFile(program, CHILD);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args.map((arg) => arg.replace("FILE", file)), program],
    env: {
      TRIAL: JSON.stringify(trial),
      DENO_NO_UPDATE_CHECK: "1",
      NO_COLOR: "1",
      ...(trusted && args.length === 0 && { DENO_CERT: file }),
    },
  }).output();
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

test("a CA of the environment, or of a flag, does not pass for the owner of a pinned key", async () => {
  const authority = await TestAuthority.make();
  const other = new Echo(listenTls(await authority.certify(["localhost", PINNED_NAME, "relay.example"])));
  const { port } = other.address;
  const key = [...await rawKey(await newKey())];
  const trusted = authority.cert;
  assert.equal(await dialled({ security: { kind: "pki" }, port, trusted }), "reached"); // so it is a trusted one
  const refused = /^ServerIdentityError: the server at localhost:\d+ proved another key than the one/;
  assert.match(await dialled({ security: { kind: "pinned", key }, port, trusted }), refused);
  assert.match(await dialled({ security: { kind: "pinned", key, sni: "relay.example" }, port, trusted }), refused);
  assert.match(await dialled({ security: { kind: "pinned", key }, port, trusted, args: ["--cert", "FILE"] }), refused);
  assert.match(await dialled({ security: { kind: "pinned", key }, port, trusted, forgets: true }), /UnknownIssuer/);
  await other.close();
});

test("a CA of the environment does not pass for one that was named, and one that was named does", async () => {
  const [mine, theirs] = [await TestAuthority.make("Mine"), await TestAuthority.make("Theirs")];
  const server = new Echo(listenTls(await mine.certify(["localhost"])));
  const other = new Echo(listenTls(await theirs.certify(["localhost"])));
  const trial = { security: { kind: "pki", caCerts: [mine.cert] } as const, trusted: theirs.cert };
  assert.equal(await dialled({ ...trial, port: server.address.port }), "reached");
  assert.equal(await dialled({ ...trial, port: server.address.port, forgets: true }), "reached");
  assert.match(await dialled({ ...trial, port: other.address.port }), /^ServerIdentityError: .* is from another CA/);
  assert.match(await dialled({ ...trial, port: other.address.port, forgets: true }), /a CA that this device does not/);
  await server.close();
  await other.close();
});

test("a CA that the runtime took up before the program could forget it does not pass for one that was named", async () => {
  const [mine, theirs] = [await TestAuthority.make("Mine"), await TestAuthority.make("Theirs")];
  const between = await mine.authorize("Between");
  const listen = async (issuer: TestAuthority, chain = "") => {
    const { cert, key } = await issuer.certify(["localhost"]);
    return new Echo(listenTls({ cert: cert + chain, key }));
  };
  const [direct, behind, other] = [await listen(mine), await listen(between, between.cert), await listen(theirs)];
  const named = (...authorities: TestAuthority[]) => ({
    security: { kind: "pki", caCerts: authorities.map(({ cert }) => cert) } as const,
    trusted: theirs.cert,
    forgets: true,
  });
  const refused = /^ServerIdentityError: .* is from another CA than those named/;
  const fetched = { ...named(mine), fetched: true };
  assert.match(await dialled({ ...fetched, port: other.address.port }), refused);
  assert.equal(await dialled({ ...fetched, port: direct.address.port }), "reached");
  assert.match(
    await dialled({ ...fetched, port: behind.address.port }),
    /name the CA in between as well, or start .* anew/,
  );
  assert.equal(await dialled({ ...named(mine, between), fetched: true, port: behind.address.port }), "reached");
  assert.equal(
    await dialled({ ...named(mine), port: behind.address.port }),
    "reached",
    "nothing but these was taken up",
  );
  const flag = ["--cert", "FILE"];
  assert.match(await dialled({ ...named(mine), port: other.address.port, args: flag }), refused);
  for (const echo of [direct, behind, other]) await echo.close();
});

test("a pinned server is reached under another name in the hello, and nobody else is", async () => {
  const keyPair = await newKey();
  const echo = new Echo(listenTls(await pinnedCertificate(keyPair)));
  const { port } = echo.address;
  const sni = "relay7.example";
  assert.equal(await dialled({ security: { kind: "pinned", key: [...await rawKey(keyPair)], sni }, port }), "reached");
  const wrong = { kind: "pinned", key: [...await rawKey(await newKey())], sni } as const;
  assert.match(await dialled({ security: wrong, port }), /^ServerIdentityError: .* proved another key/);
  await echo.close();
});
