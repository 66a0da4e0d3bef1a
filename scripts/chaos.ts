/**
 * Cuts the link of a device behind NAT again and again, in every way that links are lost, while clients are at work
 * through it; nothing may be lost. Server, router, device and client are machines of their own (network namespaces), so
 * it has to be run as root on Linux.
 *
 *     deno task chaos
 *     deno task chaos -- --cuts 100 --seed 7
 *     deno task chaos -- --minutes 10 --only silent,storm
 *     deno task chaos -- --clients
 *
 * With `--clients` real ones (ssh, scp, rsync, git, psql, curl) go through 20 cuts each, rather than transfers.
 * A seed repeats the order of the cuts. The exit code is 1 if anything was lost, 2 with bad options, 3 where it cannot
 * be run.
 *
 * @module
 */

import { RESUME_NEEDS } from "../tests/rig/machines/resume_machines.ts";
import { missing } from "../tests/rig/processes/requirements.ts";
import { chaosClients } from "./chaos/clients.ts";
import { helped, understood } from "./arguments.ts";
import { chaosOptions } from "./chaos/plan.ts";
import { chaosTransfers } from "./chaos/transfers.ts";
import { say } from "../tests/rig/say.ts";

const USAGE = "deno task chaos -- [--cuts N] [--minutes M] [--seed S] [--only KIND,...] [--clients]";

if (import.meta.main) Deno.exit(await main(Deno.args));

/** @returns the exit code. */
async function main(args: readonly string[]): Promise<number> {
  if (helped(args, USAGE)) return 0;
  const options = understood(chaosOptions, args, USAGE);
  if (!options) return 2;
  const lacking = missing("chaos", RESUME_NEEDS);
  if (lacking.length > 0) {
    say(`this machine lacks: ${lacking.join(", ")}`);
    return 3;
  }
  say(`chaos from seed ${options.seed}`);
  const faults = await (options.clients ? chaosClients : chaosTransfers)(options, say);
  for (const fault of faults) say(`LOST: ${fault}`);
  say(faults.length === 0 ? "0 bytes lost" : `repeat it with: deno task chaos -- --seed ${options.seed}`);
  return faults.length === 0 ? 0 : 1;
}
