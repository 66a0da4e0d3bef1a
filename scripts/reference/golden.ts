/**
 * Writes `protocol/v2/golden_session.txt` and `golden_bound_session.txt`: whole sessions in bytes, for whoever writes a peer.
 * `deno run -A scripts/reference/golden.ts`. They are part of the specification: they change when the wire does, and not
 * otherwise.
 *
 * @module
 */

import { formatPublicKey, identityFromPem } from "../../net/tls/identity.ts";
import { enrolmentString, goldenExchange, type Revision, SEEDS } from "../../tests/rig/v2/golden.ts";

const digits = (value: number) => value.toString(16).padStart(2, "0");

/** Bytes as `00 01 ff`, eight or more of one as `61*40000`. */
function line(bytes: Uint8Array): string {
  const words: string[] = [];
  for (let at = 0; at < bytes.length;) {
    let end = at + 1;
    while (end < bytes.length && bytes[end] === bytes[at]) end++;
    if (end - at < 8) words.push(...Array<string>(end - at).fill(digits(bytes[at]!)));
    else words.push(`${digits(bytes[at]!)}*${end - at}`);
    at = end;
  }
  return words.join(" ");
}

async function publicKey(seed: string): Promise<Uint8Array> {
  const der = `302e020100300506032b657004220420${seed}`;
  const base64 = btoa(String.fromCharCode(...der.match(/../g)!.map((pair) => parseInt(pair, 16))));
  return (await identityFromPem(`-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`)).publicKey;
}

const [server, device] = await Promise.all([publicKey(SEEDS.server), publicKey(SEEDS.device)]);
const hex = (bytes: Uint8Array) => [...bytes].map(digits).join("");

/** What is special about each. */
const ABOUT: Readonly<Record<Revision, readonly string[]>> = {
  first: [],
  bound: [
    "# Both sides have epochs and the exporter of their TLS. That of link 1 is 32 bytes e0, of link 2 e1, of link 3 e2. They",
    "# are signed, and not sent.",
    "#",
  ],
};

async function write(revision: Revision, file: string): Promise<void> {
  const { entries } = await goldenExchange(revision);
  const lines = [
    "# A whole session of wire profile v2, to replay; v2.md is the specification.",
    "#",
    "# A line that begins with > is what the device sends, with < what the server sends, in order, one frame a line (after a",
    "# link was cut, what is sent again is one line). 61*5 is short for 61 61 61 61 61. What is under TLS is not here: these",
    "# are the bytes within, or those of a plain link. Ed25519 has no random part: whoever has the keys, the nonces and the",
    "# clocks that stand here writes the same bytes. A peer of its own may choose another time for ACK and CREDIT, another",
    "# token for PING, and other flags; what is signed, and what a frame looks like, has to be the same.",
    "#",
    ...ABOUT[revision],
    `# server's private key: ${SEEDS.server}`,
    `# server's public key: ${hex(server)}`,
    `# server's public key as text: ${formatPublicKey(server)}`,
    `# device's private key: ${SEEDS.device}`,
    `# device's public key: ${hex(device)}`,
    `# device's public key as text: ${formatPublicKey(device)}`,
    `# enrolment string: ${await enrolmentString()}`,
  ];
  for (const entry of entries) {
    if (entry.kind === "note") lines.push("", `# ${entry.text}`);
    else lines.push(`# ${entry.what}`, `${entry.kind === "device" ? ">" : "<"} ${line(entry.bytes)}`);
  }
  await Deno.writeTextFile(new URL(`../../protocol/v2/${file}`, import.meta.url), `${lines.join("\n")}\n`);
}

await write("first", "golden_session.txt");
await write("bound", "golden_bound_session.txt");
