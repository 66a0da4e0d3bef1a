/**
 * bore, which has no encryption.
 *
 * @module
 */

import { foreignTarget, programPath } from "./foreign.ts";
import type { Target } from "./target.ts";

/** bore's server listens at this port and no other. */
const CONTROL_PORT = 7835;

const LOG = { RUST_LOG: "warn" };

let servers = 0;

/** From version 0.6 on, which can bind its server to an address: several have to run at once. */
export const bore: Target = foreignTarget({
  name: "bore",
  programs: ["bore"],
  controlPort: CONTROL_PORT,
  server: (instance, { address }) =>
    instance.spawn("server", {
      name: "bore server",
      program: programPath("bore"),
      args: ["server", "--bind-addr", address, "--bind-tunnels", "127.0.0.1"],
      env: LOG,
    }),
  device: (instance, { address, host, service }) =>
    instance.spawn("device", {
      name: "bore local",
      program: programPath("bore"),
      args: ["local", `${service}`, "--local-host", "127.0.0.1", "--to", address, "--port", `${host}`],
      env: LOG,
    }),
  /** An address of this machine for each server. */
  address: () => `127.0.7.${servers++ % 254 + 1}`,
});
