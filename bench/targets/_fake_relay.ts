/**
 * Stands in for relays of others in tests: `_fake_relay.ts PROGRAM ARGUMENTS…`. It takes their command lines and their
 * configuration as their documentation has them, and ends at all else. `FAKE_FAILS=ROLE` ends a role at once, and
 * `FAKE_FAILS_ONCE=FILE` the first process that finds no such file.
 *
 * The device tells the server in a line of JSON what to relay; the server then does all of it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { parse } from "smol-toml";
import { formatAddress, parseAddress } from "../../protocol/address.ts";
import { portOf } from "../../tests/rig/ports.ts";
import { exists } from "../../tests/rig/processes/programs.ts";

/** What the device tells the server. */
interface Order {
  /** The port of the clients. */
  readonly host?: number;
  /** The port of the service. */
  readonly service: number;
}

interface Settings {
  readonly role: "server" | "device";
  /** Where the server listens and the device dials. */
  readonly control: string;
  readonly host?: number;
  readonly service?: number;
  readonly tls?: Record<string, string>;
}

const [program = "", ...args] = Deno.args;

function programs(): Record<string, () => Settings> {
  return { rathole, bore, frps, frpc, chisel };
}

async function serve({ control, host, tls }: Settings): Promise<void> {
  const { host: hostname, port } = parseAddress(control);
  const listener = tls
    ? Deno.listenTls({ hostname, port, ...await openArchive(tls["pkcs12"]!, tls["pkcs12_password"]!) })
    : Deno.listen({ hostname, port });
  for await (const conn of listener) {
    const buffer = new Uint8Array(1024);
    const order: Order = JSON.parse(new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0)));
    relay(order.host ?? host!, order.service);
  }
}

async function relay(port: number, service: number): Promise<void> {
  for await (const client of Deno.listen({ hostname: "127.0.0.1", port })) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: service });
    conn.readable.pipeTo(client.writable);
    client.readable.pipeTo(conn.writable);
  }
}

async function dial({ control, host, service, tls }: Settings): Promise<void> {
  const { host: hostname, port } = parseAddress(control);
  const plain = await Deno.connect({ hostname, port });
  const conn = tls
    ? await Deno.startTls(plain, { hostname: tls["hostname"]!, caCerts: [Deno.readTextFileSync(tls["trusted_root"]!)] })
    : plain;
  const order: Order = { ...(host !== undefined && { host }), service: service! };
  await conn.write(new TextEncoder().encode(JSON.stringify(order)));
  await conn.read(new Uint8Array(1)); // until the server has gone
}

function rathole(): Settings {
  const { values } = parseArgs({ args, options: { server: { type: "string" }, client: { type: "string" } } });
  const role = values.server === undefined ? "device" : "server";
  const file = new ConfigFile(values.server ?? values.client!);
  const side = role === "server" ? "server" : "client";
  const tls = file.has(side, "transport") && {
    tls: Object.fromEntries(
      ["pkcs12", "pkcs12_password", "hostname", "trusted_root"].filter((name) =>
        file.has(side, "transport", "tls", name)
      )
        .map((name) => [name, file.text(side, "transport", "tls", name)]),
    ),
  };
  if (file.text(side, "default_token") === "") throw new Error("there is no token");
  if (role === "device") {
    const service = portOf(file.text("client", "services", "bench", "local_addr"));
    return { role, control: file.text("client", "remote_addr"), service, ...tls };
  }
  const host = portOf(file.text("server", "services", "bench", "bind_addr"));
  return { role, control: file.text("server", "bind_addr"), host, ...tls };
}

function bore(): Settings {
  const text = { type: "string" } as const;
  const options = { "bind-addr": text, "bind-tunnels": text, "local-host": text, to: text, port: text };
  const { values, positionals: [role, service] } = parseArgs({ args, options, allowPositionals: true });
  if (role === "server") return { role, control: at(values["bind-addr"]!, 7835) };
  return { role: "device", control: at(values.to!, 7835), host: Number(values.port), service: Number(service) };
}

function frps(): Settings {
  const file = configFile();
  return { role: "server", control: at(file.text("bindAddr"), Number(file.text("bindPort"))) };
}

function frpc(): Settings {
  const file = configFile();
  return {
    role: "device",
    control: at(file.text("serverAddr"), Number(file.text("serverPort"))),
    host: Number(file.text("proxies", "0", "remotePort")),
    service: Number(file.text("proxies", "0", "localPort")),
  };
}

function chisel(): Settings {
  const text = { type: "string" } as const;
  const options = { host: text, port: text, reverse: { type: "boolean" } } as const;
  const { values, positionals: [role, url, remote] } = parseArgs({ args, options, allowPositionals: true });
  if (!Deno.env.get("AUTH")?.includes(":")) throw new Error("AUTH has no user and password");
  if (role === "server" && values.reverse) return { role, control: at(values.host!, Number(values.port)) };
  const [, host, service] = /^R:127\.0\.0\.1:(\d+):127\.0\.0\.1:(\d+)$/.exec(remote!)!;
  return { role: "device", control: new URL(url!).host, host: Number(host), service: Number(service) };
}

function configFile(): ConfigFile {
  return new ConfigFile(parseArgs({ args, options: { config: { type: "string", short: "c" } } }).values.config!);
}

/** A file of TOML, looked into by path. */
class ConfigFile {
  readonly #root: unknown;

  constructor(path: string) {
    this.#root = parse(Deno.readTextFileSync(path));
  }

  has(...path: string[]): boolean {
    return this.#at(path) !== undefined;
  }

  text(...path: string[]): string {
    const value = this.#at(path);
    if (value === undefined) throw new Error(`there is no ${path.join(".")}`);
    return String(value);
  }

  #at(path: string[]): unknown {
    return path.reduce<unknown>((table, key) => new Map(Object.entries(table ?? {})).get(key), this.#root);
  }
}

/** Certificate and key of a PKCS #12 archive, as PEM. */
async function openArchive(file: string, password: string): Promise<{ cert: string; key: string }> {
  const { success, stdout, stderr } = await new Deno.Command("openssl", {
    args: ["pkcs12", "-in", file, "-nodes", "-passin", `pass:${password}`],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const pem = new TextDecoder().decode(stdout);
  const parts = (kind: string) => pem.match(new RegExp(`-----BEGIN ${kind}-----[^]*?-----END ${kind}-----\n`, "g"));
  return { cert: parts("CERTIFICATE")!.join(""), key: parts("PRIVATE KEY")![0]! };
}

function at(host: string, port: number): string {
  return formatAddress({ host, port });
}

try {
  const settings = programs()[program]!();
  const marker = Deno.env.get("FAKE_FAILS_ONCE");
  if (Deno.env.get("FAKE_FAILS") === settings.role) throw new Error(`${program} does not like it here`);
  if (marker && !exists(marker)) {
    Deno.writeTextFileSync(marker, "");
    throw new Error(`${program} fails once`);
  }
  await (settings.role === "server" ? serve(settings) : dial(settings));
} catch (error) {
  Deno.stderr.writeSync(new TextEncoder().encode(`${error instanceof Error ? error.message : error}\n`));
  Deno.exit(1);
}
