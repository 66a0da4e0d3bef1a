/**
 * The targets, in the order of the tables.
 *
 * @module
 */

import { bore } from "./target_bore.ts";
import { chisel } from "./target_chisel.ts";
import { frp } from "./target_frp.ts";
import { ratholePlain, ratholeTls } from "./target_rathole.ts";
import { sallyportV1, sallyportV2NoResume, sallyportV2Plain, sallyportV2Tls } from "./target_sallyport.ts";
import { sshR } from "./target_ssh.ts";
import type { Target } from "./target.ts";

/** No relay: clients connect to the service. */
export const direct: Target = {
  name: "direct",
  start: (servicePort, { device }) =>
    Promise.resolve({ hostPort: servicePort, host: device.address, pids: [], stop: () => Promise.resolve() }),
};

/** All that can be measured. */
export const TARGETS: readonly Target[] = [
  ...[direct, sallyportV1, sallyportV2Plain, sallyportV2Tls, sallyportV2NoResume, sshR],
  ...[ratholePlain, ratholeTls, bore, frp, chisel],
];
