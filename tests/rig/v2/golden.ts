/**
 * The exchanges of `protocol/v2/golden_session.txt` and `golden_bound_session.txt`: a server and a device whose keys, nonces,
 * clocks and users are fixed. No tests here.
 *
 * @module
 */

import { systemCrypto } from "../../../relay/handshake.ts";
import { type Identity, identityFromPem } from "../../../net/tls/identity.ts";
import { encodeEnrolment } from "../../../protocol/enrolment.ts";
import { goodbye, goodbyeFrame } from "../../../protocol/v2/wire/goodbye.ts";
import { WindowBudget } from "../../../protocol/v2/receive_windows.ts";
import { SendLog } from "../../../protocol/v2/send/send_log.ts";
import type { V2Channel } from "../../../protocol/v2/channel.ts";
import { V2DeviceCore } from "../../../protocol/v2/device_core.ts";
import {
  type Authenticated,
  CAN_RESUME,
  DeviceHandshake,
  firstFrame,
  type HandshakeParty,
  HAS_EPOCHS,
  type ResumeOffer,
  ServerHandshake,
  welcomeFrame,
} from "../../../protocol/v2/wire/handshake.ts";
import type { FrameFate, LinkOutput } from "../../../protocol/link.ts";
import { V2ServerCore } from "../../../protocol/v2/server_core.ts";
import { concat } from "../../../protocol/bytes.ts";

/** What one side sent, or a line for the reader. */
export type Entry =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "device" | "server"; readonly what: string; readonly bytes: Uint8Array };

const COMMANDS: Readonly<Record<number, string>> = {
  0x01: "CONNECT",
  0x02: "CLOSE",
  0x03: "DATA",
  0x04: "LISTEN",
  0x05: "RESULT",
  0x06: "END",
  0x07: "CREDIT",
  0x08: "SETTINGS",
  0x44: "GOODBYE",
  0x45: "ACK",
  0x46: "PING",
  0x47: "PONG",
};

const filled = (size: number, value: number) => new Uint8Array(size).fill(value);

/** Seeds of RFC 8032, section 7.1: test 1 is the server, test 2 the device. */
export const SEEDS = {
  server: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
  device: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
};

/** The token of the enrolment. */
export const TOKEN = { id: filled(8, 0xa1), secret: filled(16, 0xb2) };

const SESSION = filled(16, 0xc3);
const KEEP_ALIVE = { idleTimeout: 1_000, probeInterval: 1_000, probeCount: 2 };
const WALL_CLOCK = 1_700_000_000_000;

/** What both sides of an exchange can do: nothing new, or all that there is. */
export type Revision = "first" | "bound";

/** Epoch of the first link of a session that has them. */
const EPOCH = WALL_CLOCK;

function identity(seed: string): Promise<Identity> {
  const der = `302e020100300506032b657004220420${seed}`;
  const base64 = btoa(String.fromCharCode(...der.match(/../g)!.map((pair) => parseInt(pair, 16))));
  return identityFromPem(`-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`);
}

/** One direction of a link: writes down whole frames, and hands them over when they are asked for. */
class Wire implements LinkOutput {
  readonly pending = 0;
  readonly waiting: Uint8Array[] = [];
  readonly #entries: Entry[];
  readonly #by: "device" | "server";

  constructor(entries: Entry[], by: "device" | "server") {
    this.#entries = entries;
    this.#by = by;
  }

  control(frame: Uint8Array): void {
    this.#take(frame, COMMANDS[frame[2]!]!);
  }

  data(bytes: Uint8Array, fate: FrameFate): FrameFate {
    const size = 8 + (bytes[0]! << 8 | bytes[1]!);
    this.#take(bytes, size === bytes.length ? COMMANDS[bytes[2]!]! : "what was not received, again");
    return fate;
  }

  #take(bytes: Uint8Array, what: string): void {
    const copy = bytes.slice();
    this.waiting.push(copy);
    this.#entries.push({ kind: this.#by, what, bytes: copy });
  }
}

/** Both sides, and the users of one channel after the other. */
class Golden {
  readonly entries: Entry[] = [];
  now = 1_000;
  readonly server: V2ServerCore;
  readonly device: V2DeviceCore;
  readonly opened: V2Channel[] = [];
  readonly heard: string[] = [];
  toServer = new Wire(this.entries, "device");
  toDevice = new Wire(this.entries, "server");
  readonly #revision: Revision;

  constructor(revision: Revision) {
    this.#revision = revision;
    const options = () => ({
      time: { now: () => this.now, wall: () => WALL_CLOCK + this.now },
      budget: new WindowBudget(64 * 1024 * 1024),
      log: new SendLog(),
    });
    const events = { onGoodbye: () => {}, onSettings: () => {} };
    this.server = new V2ServerCore(options(), 65_536, {
      ...events,
      onOffers: (offers) =>
        this.server.sendGrants(
          offers.map(({ number, name }) =>
            name === "ssh"
              ? { number, code: "granted", text: "0.0.0.0:2201" }
              : { number, code: "not-granted", text: "granted to gw1: ssh" }
          ),
        ),
      onUnreachable: () => {},
    });
    this.device = new V2DeviceCore(options(), 65_536, {
      ...events,
      onOpen: (channel) => {
        this.listen(channel, "device");
        this.opened.push(channel);
      },
      onGrants: () => {},
    });
  }

  /** Takes what comes on a channel, and says so at once. */
  listen(channel: V2Channel, side: string): void {
    channel.receiver = {
      onData: (bytes) => {
        this.heard.push(`${side} ${channel.id}: ${bytes.length} bytes`);
        channel.consumed(bytes.length);
      },
      onPeerEnd: () => this.heard.push(`${side} ${channel.id}: end`),
      onEnd: (reason) => this.heard.push(`${side} ${channel.id}: ${reason}`),
    };
  }

  note(text: string): void {
    this.entries.push({ kind: "note", text });
  }

  send(channel: V2Channel, payload: Uint8Array): void {
    channel.send(concat([filled(8, 0), payload]), payload.length);
  }

  /** Everything that was sent arrives, each frame in a read of its own and a millisecond later. */
  settle(): void {
    while (this.toServer.waiting.length + this.toDevice.waiting.length > 0) {
      this.now++;
      const up = this.toServer.waiting.shift();
      if (up) this.server.receive(up, this.now);
      const down = this.toDevice.waiting.shift();
      if (down) this.device.receive(down, this.now);
    }
  }

  /** A handshake, up to a link that is attached on both sides. */
  async link(turn: number, enrols: boolean, resume?: ResumeOffer): Promise<void> {
    const proved = await this.#greet(turn, enrols, resume);
    const resumed = proved.resume ? this.server.received : undefined;
    this.#say(
      "server",
      "WELCOME",
      welcomeFrame({
        session: SESSION,
        ...(proved.epoch !== undefined && { initiator: proved.deviceKey }),
        name: "gw1",
        maxChannels: 65_536,
        remote: "192.0.2.7:50000",
        expiration: 15_000,
        resumed,
      }),
    );
    this.toServer = new Wire(this.entries, "device");
    this.toDevice = new Wire(this.entries, "server");
    this.server.attach({ output: this.toDevice, nagle: false }, proved.resume?.received ?? 0);
    this.device.attach({ output: this.toServer, nagle: false }, resumed ?? 0);
  }

  /** A link that its device made before the one that is up, and whose words come only now. */
  async lateLink(turn: number, resume: ResumeOffer, newest: number): Promise<void> {
    await this.#greet(turn, false, resume);
    const word = { ...goodbye("replaced", "a newer link of the device came first"), epoch: EPOCH + newest };
    this.#say("server", "GOODBYE", goodbyeFrame(word));
  }

  /** A handshake up to AUTH; `turn` is that of the link, from 0. */
  async #greet(turn: number, enrols: boolean, resume: ResumeOffer | undefined): Promise<Authenticated> {
    const [server, device] = await Promise.all([identity(SEEDS.server), identity(SEEDS.device)]);
    const isFirst = this.#revision === "first";
    const common: Pick<HandshakeParty, "wallClock" | "capabilities" | "exporter"> = {
      wallClock: WALL_CLOCK + this.now,
      capabilities: isFirst ? CAN_RESUME : CAN_RESUME | HAS_EPOCHS,
      ...(!isFirst && { exporter: filled(32, 0xe0 + turn) }),
    };
    const nonce = 0x10 * (turn + 1);
    const enrolment = {
      id: TOKEN.id,
      key: new Uint8Array(await crypto.subtle.digest("SHA-256", TOKEN.secret)),
    };
    const deviceSide = new DeviceHandshake({
      ...common,
      signer: device,
      serverKey: server.publicKey,
      nonce: filled(32, nonce),
      instance: filled(16, 0xd4),
      software: "golden device",
      enrolment: enrols ? enrolment : undefined,
      resume: () => resume,
      ...(!isFirst && { nextEpoch: () => EPOCH + turn }),
    }, systemCrypto);
    const serverSide = new ServerHandshake(
      { ...common, signer: server, nonce: filled(32, nonce + 1), software: "golden server" },
      systemCrypto,
    );
    this.#say("device", "the preamble", deviceSide.hello.subarray(0, 8));
    this.#say("device", "HELLO", deviceSide.hello.subarray(8));
    const challenge = await serverSide.challenge(deviceSide.hello.subarray(8));
    this.#say("server", "CHALLENGE", challenge);
    const auth = await deviceSide.answer(challenge);
    this.#say("device", enrols ? "AUTH with an enrolment" : "AUTH with the field resume", auth);
    const proved = await serverSide.authenticate(firstFrame(auth)!.payload);
    if (enrols && !await proved.provesToken(enrolment.key)) throw new Error("the token is not proved");
    return proved;
  }

  #say(kind: "device" | "server", what: string, bytes: Uint8Array): void {
    this.now++;
    this.entries.push({ kind, what, bytes });
  }
}

/** One of the two keys. */
export function goldenIdentity(of: keyof typeof SEEDS): Promise<Identity> {
  return identity(SEEDS[of]);
}

/** The enrolment string of the exchange. */
export async function enrolmentString(): Promise<string> {
  const { publicKey } = await identity(SEEDS.server);
  return encodeEnrolment({
    serverKey: publicKey,
    tokenId: TOKEN.id,
    tokenSecret: TOKEN.secret,
    security: "pinned",
    addresses: [{ host: "relay.example", port: 7443 }],
  });
}

/** Runs the exchange. @returns what was sent, in order, and what the users of the channels heard. */
export async function goldenExchange(
  revision: Revision,
): Promise<{ readonly entries: Entry[]; readonly heard: string[] }> {
  const golden = new Golden(revision);
  const { server, device } = golden;
  const text = (value: string) => new TextEncoder().encode(value);
  golden.note("Link 1: the device redeems its enrolment string.");
  await golden.link(0, true);
  server.sendSettings({ keepAlive: KEEP_ALIVE });
  device.sendSettings({ keepAlive: KEEP_ALIVE, mode: "run" });
  golden.note("The device offers two services; one of them was granted.");
  device.listen([{ number: 1, offered: true, name: "ssh" }, { number: 2, offered: true, name: "web" }]);
  golden.settle();

  golden.note("A client comes: its bytes go before the RESULT.");
  const first = server.open(1, "198.51.100.9:40000", "0.0.0.0:2201")!;
  golden.listen(first, "server");
  golden.send(first, text("hello\n"));
  golden.settle();
  device.accept(golden.opened[0]!);
  golden.settle();
  golden.note(
    "The service answers with as much as is worth CREDIT, then ends; so does the client, and the channel is gone.",
  );
  golden.send(golden.opened[0]!, filled(40_000, 0x61));
  golden.settle();
  golden.opened[0]!.end();
  golden.settle();
  first.end();
  golden.settle();
  golden.note("A look at the other side.");
  server.ping();
  golden.settle();

  golden.note("A second client. What the server sends next is cut in the middle of a frame, and link 1 with it.");
  const second = server.open(1, "198.51.100.9:40001", "0.0.0.0:2201")!;
  golden.listen(second, "server");
  golden.settle();
  device.accept(golden.opened[1]!);
  golden.settle();
  golden.send(second, text("cut in the middle"));
  golden.now++;
  device.receive(golden.toDevice.waiting.shift()!.subarray(0, 12), golden.now); // its header, and 4 bytes
  device.detach();
  server.detach();

  const turn = revision === "first" ? 1 : 2;
  golden.note(`Link ${turn + 1}: the session goes on, from the middle of that frame.`);
  const offer = { session: SESSION, received: device.received };
  await golden.link(turn, false, offer);
  golden.settle();
  if (revision === "bound") {
    golden.note("Link 2: the device had given it up before, and its words come late. Link 3 goes on.");
    await golden.lateLink(1, offer, 2);
  }
  golden.note("The service is reset, and the server takes its leave.");
  golden.opened[1]!.close("service-reset");
  golden.settle();
  server.sendGoodbye(goodbye("shutting-down", "the server is shutting down"));
  golden.settle();
  return golden;
}
