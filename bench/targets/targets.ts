/**
 * The targets, in the order of the tables.
 *
 * @module
 */

import { bore } from "./bore.ts";
import { chisel } from "./chisel.ts";
import { frp } from "./frp.ts";
import { ratholePlain, ratholeTls } from "./rathole.ts";
import { sallyportV1, sallyportV2NoResume, sallyportV2Plain, sallyportV2Tls } from "./sallyport.ts";
import { sshR } from "./ssh.ts";
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
