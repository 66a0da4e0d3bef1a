/**
 * What `server doctor` says of the addresses at which a server listens for devices.
 *
 * @module
 */

import { isLoopback } from "../../app/admin/address.ts";
import type { Finding } from "../../app/doctor/doctor.ts";
import type { Address } from "../../protocol/address.ts";

/** By which family of addresses devices reach this machine, if they do. It may be as it is meant, so it is no warning. */
export function familiesFinding(addresses: readonly Address[]): Finding {
  const hosts = addresses.filter((address) => !isLoopback(address)).map(({ host }) => host);
  if (hosts.length === 0) {
    const own = [...new Set(addresses.map(({ host }) => host))].join(" and ");
    return {
      level: "ok",
      text: `nobody but this machine reaches it, as it listens at ${own} alone: right behind a proxy or a tunnel; ` +
        "--listen [::]:PORT is for all, by IPv6 and IPv4",
    };
  }
  const six = hosts.some((host) => host.includes(":"));
  const four = hosts.some((host) => !host.includes(":") || host === "::"); // which takes both
  if (six && four) return { level: "ok", text: "devices reach it by IPv4 and by IPv6" };
  const [family, other] = six ? ["IPv6", "0.0.0.0"] : ["IPv4", "[::]"];
  const more = six ? "" : ", which takes IPv4, too";
  return {
    level: "ok",
    text: `devices reach it by ${family} alone; --listen ${other}:PORT is the other one${more}`,
  };
}
