/**
 * The targets, in the order of the tables.
 *
 * @module
 */

import { sallyportV1 } from "./target_sallyport.ts";
import { sshR } from "./target_ssh.ts";
import type { Target } from "./target.ts";

/** No relay: clients connect to the service. */
export const direct: Target = {
  name: "direct",
  start: (servicePort) => Promise.resolve({ hostPort: servicePort, pids: [], stop: () => Promise.resolve() }),
};

/** All that can be measured. */
export const TARGETS: readonly Target[] = [direct, sallyportV1, sshR];
