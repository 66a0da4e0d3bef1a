/**
 * How a server says for people why a service that it knows is not open as the device has it. The wire has one code for
 * all of that, `not-granted`; who gives advice reads the text that is written here.
 *
 * @module
 */

/** Each with how its text begins, and goes on. */
const TEXTS = {
  /** By UDP at the device alone. */
  "udp-offered": (service: string) =>
    [`${service} is udp: at the device`, ": give it a host address of UDP, as in udp:0.0.0.0:1161"] as const,
  /** By UDP on the server alone. */
  "udp-granted": (service: string) =>
    [
      `${service} is granted by UDP`,
      `, and is not udp: at the device: write ${service}=udp:HOST:PORT there (an old one cannot)`,
    ] as const,
  /** The server names what is behind it, and the device's owner lets it name nothing. */
  "no-address": () =>
    ["the device lets the server name no address", "; its owner says which it may: --allow 10.0.0.0/24:23"] as const,
  /** Offered, while the server names what is behind it. */
  "defined": (service: string, local = "") => [`${service} is defined on the server`, `, as ${local}`] as const,
};

/** Why a service is not open as it is offered. */
export type NotGranted = keyof typeof TEXTS;

/** The text for people; `local`: what the server has it defined as. */
export function notGrantedText(why: NotGranted, service: string, local?: string): string {
  return TEXTS[why](service, local).join("");
}

/** What such a text says of a service, if it is one. */
export function notGrantedWhy(text: string, service: string): NotGranted | undefined {
  return (["udp-offered", "udp-granted", "no-address", "defined"] as const).find((why) =>
    text.startsWith(TEXTS[why](service)[0])
  );
}

/** The text for a service that is not granted at all: those that are, by their names. */
export function grantedText(device: string, names: string): string {
  return `granted to ${device}: ${names}`;
}

/** The names in such a text, the first and the last of a range. */
export function grantedNames(text: string): string[] {
  const names = /^granted to [^:;]+: ([^:;]+)/.exec(text)?.[1];
  return names === undefined || names === "none" ? [] : names.split(/, | to /);
}
