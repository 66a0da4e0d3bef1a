/**
 * chisel: SSH over a WebSocket, always encrypted.
 *
 * @module
 */

import { foreignTarget, programPath } from "./foreign.ts";
import type { Target } from "./target.ts";

/** Read by both of its sides. */
const AUTH = { AUTH: "bench:bench" };

/** A reverse remote of chisel. */
export const chisel: Target = foreignTarget({
  name: "chisel",
  programs: ["chisel"],
  server: (instance, { address, control }) =>
    instance.spawn("server", {
      name: "chisel server",
      program: programPath("chisel"),
      args: ["server", "--host", address, "--port", `${control}`, "--reverse"],
      env: AUTH,
    }),
  device: (instance, { address, control, host, service }) =>
    instance.spawn("device", {
      name: "chisel client",
      program: programPath("chisel"),
      args: ["client", `http://${address}:${control}`, `R:127.0.0.1:${host}:127.0.0.1:${service}`],
      env: AUTH,
    }),
});
