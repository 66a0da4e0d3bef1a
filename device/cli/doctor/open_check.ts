/**
 * What `device doctor` says of a service that the server does not open: why, and what would do on which side.
 *
 * @module
 */

import type { Check } from "../../../app/doctor/doctor.ts";
import { notGrantedWhy } from "../../../protocol/v2/not_granted.ts";
import type { DeviceFacts, Service } from "../../admin/schemas.ts";
import { lackIn } from "../../servable.ts";

/** What the server has said of a service, and what stands `behind` it. */
export function openCheck(service: Service, { name: device }: Pick<DeviceFacts, "name">, behind: Check): Check {
  const { error } = service;
  if (error === null || lackIn(error) !== undefined) return behind;
  return {
    name: behind.name,
    async look(signal) {
      const { level, text } = await behind.look(signal);
      const advice = notOpenAdvice(service, device ?? "DEVICE");
      return { level: "warn", text: level === "ok" ? error : `${error}; ${text}`, ...(advice && { advice }) };
    },
  };
}

/** What would do about a service of `device` that has an error, if that is known. */
export function notOpenAdvice(
  { name, kind, localAddress, error }: Pick<Service, "name" | "kind" | "localAddress" | "error">,
  device: string,
): string | undefined {
  const [code = "", ...rest] = (error ?? "").split(": ");
  const move = (address: string) => `sallyport server service move ${device} ${name}=${address}`;
  switch (code) {
    case "closed":
      return `on the server: sallyport server open ${device}/${name} --for 1h`;
    case "port-unavailable":
      return `on the server: end what has that port (ss -ltnp), or grant another: ${move("HOST:PORT")}`;
    case "not-granted":
      break;
    default:
      return undefined;
  }
  switch (notGrantedWhy(rest.join(": "), name)) {
    case "udp-offered":
      return `on the server: ${move("udp:HOST:PORT")}`;
    case "udp-granted": {
      const there = `on the server: ${move("HOST:PORT")}`;
      return kind === "tcp" ? `here: write ${name}=udp:${localAddress}; or, if it is TCP, ${there}` : there;
    }
    case "defined":
      return `here: leave ${name} out; or, if it is to be the device's, on the server: ` +
        `sallyport server service remove ${device} ${name}, and service add without --local`;
    default:
      return `on the server: sallyport server service add ${device} ${name}=HOST:PORT`;
  }
}
