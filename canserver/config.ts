/**
 * The options of `sallyport canserver`, and what they come to.
 *
 * @module
 */

import { COMMON_OPTIONS, ENGINE_OPTION } from "../app/command.ts";
import type { OptionTable, OptionValues } from "../app/options.ts";
import { ConfigError } from "../app/toml/config_error.ts";
import { closest } from "../base/closest.ts";
import { FLAG, oneOf, wholeNumber } from "../app/values.ts";
import { type CanEndpoint, parseCanEndpoint } from "../can/endpoint.ts";
import { MAX_CAN_CLIENTS, MOST_CAN_CLIENTS, REMOTE_PORT } from "../can/limits.ts";
import { WIRE_CHOICES } from "../can/wires/detect.ts";
import { chooseEngine, type EngineChoice } from "../net/engines.ts";
import { isHost } from "../protocol/address.ts";

const INTERFACES = ["socketcan", "slcan", "virtual"] as const;

/** All options. */
export const CAN_OPTIONS = {
  interface: {
    value: "KIND",
    help: "what the bus is behind: socketcan (the kernel's), slcan (a serial adapter), or virtual (in this process)",
    parse: parseInterface,
    preset: "socketcan",
  },
  channel: {
    value: "BUS",
    help: "the bus: can0 for socketcan; /dev/ttyACM0 or tcp:HOST:PORT for slcan; any name for virtual",
    parse: (text: string) => text,
    preset: "can0",
  },
  host: {
    value: "HOST",
    help: "address of this machine where clients connect; whoever reaches it reaches the bus",
    parse: parseHost,
    preset: "0.0.0.0",
  },
  port: {
    value: "PORT",
    help: "port where clients connect, or 0 for any free one",
    parse: wholeNumber(0, 65_535),
    preset: `${REMOTE_PORT}`,
  },
  bitrate: {
    value: "N",
    help:
      "bits per second of an slcan adapter, whatever clients ask for; without, the first client says it. An interface of " +
      "the kernel has its own, and is refused if that is another",
    parse: (text: string) => text,
  },
  baud: {
    value: "N",
    help: "speed of the serial line to an slcan adapter; most USB adapters take any (default: 115200 for slcan)",
    parse: (text: string) => text,
  },
  wire: {
    value: "WIRE",
    help: `what clients speak: ${WIRE_CHOICES.join(", ")}; auto tells all but slcan by their first bytes`,
    parse: oneOf(...WIRE_CHOICES),
    preset: "auto",
  },
  fd: { ...FLAG, help: "refuse a bus that has no CAN FD; one that has it offers it in any case" },
  "listen-only": { ...FLAG, help: "let nothing that clients send go to the bus" },
  "max-clients": {
    value: "N",
    help: "clients that may have the bus at once",
    parse: wholeNumber(1, MOST_CAN_CLIENTS),
    preset: `${MAX_CAN_CLIENTS}`,
  },
  engine: ENGINE_OPTION,
  ...COMMON_OPTIONS,
} satisfies OptionTable;

/** What is served, and where. */
export interface CanConfig {
  readonly bus: CanEndpoint;
  readonly host: string;
  readonly port: number;
  readonly engine: EngineChoice;
}

/** Puts the options together. @throws {ConfigError} with what would do; {EngineError} for an engine that cannot be had. */
export function canConfig(values: OptionValues<typeof CAN_OPTIONS>): CanConfig {
  const { host = "0.0.0.0", port = REMOTE_PORT, engine = "auto" } = values;
  chooseEngine(engine);
  return { bus: busOf(values), host, port, engine };
}

function busOf(values: OptionValues<typeof CAN_OPTIONS>): CanEndpoint {
  const { interface: kind = "socketcan", channel = kind === "slcan" ? "" : "can0", bitrate, baud, wire } = values;
  const max = values["max-clients"];
  if (channel === "") throw new ConfigError("--channel is missing; for slcan it is the adapter, as in /dev/ttyACM0");
  if (channel.includes(",")) {
    throw new ConfigError(`--channel: "${channel}" has a comma; write --bitrate N and its kin`);
  }
  const spec = [
    kind === "socketcan" ? channel : `${kind}:${channel}`,
    ...(bitrate === undefined ? [] : [`bitrate=${bitrate}`]),
    ...(baud === undefined ? [] : [`baud=${baud}`]),
    ...(wire === undefined ? [] : [`wire=${wire}`]),
    ...(max === undefined ? [] : [`max-clients=${max}`]),
    ...(values["listen-only"] ? ["listen-only"] : []),
    ...(values.fd ? ["fd"] : []),
  ];
  let endpoint: CanEndpoint;
  try {
    endpoint = parseCanEndpoint(spec.join(","));
  } catch (error) {
    throw error instanceof SyntaxError ? new ConfigError(error.message, { cause: error }) : error;
  }
  if (kind === "socketcan" && endpoint.place.kind !== "socketcan") {
    const [word] = channel.split(":");
    throw new ConfigError(
      `--channel: "${channel}" is no interface; write --interface ${word} --channel ${channel.slice(word!.length + 1)}`,
    );
  }
  return endpoint;
}

/** What is served, for people. */
export function describeCan({ bus, host, port }: CanConfig): string[] {
  const { place, bitrate } = bus;
  return [
    `bus ${place.channel}`,
    `clients at ${host.includes(":") ? `[${host}]` : host}:${port}`,
    ...(place.kind.startsWith("slcan") ? [`bitrate ${bitrate ?? "as the first client says"}`] : []),
    ...(bus.listenOnly ? ["listen-only"] : []),
    ...(bus.fd ? ["fd"] : []),
  ];
}

function parseInterface(text: string): typeof INTERFACES[number] {
  const found = INTERFACES.find((known) => known === text);
  if (found) return found;
  const like = closest(text, INTERFACES);
  throw new SyntaxError(
    `"${text}" is none of ${INTERFACES.join(", ")}${
      like ? `; did you mean ${like}?` : "; adapters of other kinds have drivers in the kernel, and are socketcan"
    }`,
  );
}

function parseHost(text: string): string {
  const host = /^\[(.*)\]$/.exec(text)?.[1] ?? text;
  if (!isHost(host)) throw new SyntaxError(`"${text}" is no address of this machine; write one as in 127.0.0.1 or ::`);
  return host;
}
