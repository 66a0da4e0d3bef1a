/**
 * Fuzzes what reads what others say: for both profiles the decoders against slow references, the links with hostile peers,
 * and the handshake of v2; the wires of CAN, telnet and RFC 2217, datagrams on channels, endpoints as people write them, and
 * requests to the admin APIs.
 *
 *     deno task fuzz
 *     deno task fuzz -- --seed 7 --runs 100000
 *     deno task fuzz -- --seconds 60 --only Can,Telnet
 *
 * A failing run prints the seed that repeats it alone, and the exit code is 1; with bad options it is 2.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { seedOf, understood, wholeNumber } from "./arguments.ts";
import { Random } from "../tests/rig/random.ts";
import { fuzzDecoder, fuzzDeviceLink, fuzzServerLink } from "./fuzz/targets.ts";
import { fuzzV2Decoder, fuzzV2DeviceLink, fuzzV2Handshake, fuzzV2ServerLink } from "./fuzz/v2_targets.ts";
import { fuzzCanDetection, fuzzCanFrames, fuzzCanWires } from "./fuzz/can_targets.ts";
import { fuzzTelnet, fuzzTelnetWriter } from "./fuzz/serial_targets.ts";
import { fuzzDatagramRecords, fuzzDatagrams } from "./fuzz/udp_targets.ts";
import { fuzzEndpoints, fuzzServiceLists } from "./fuzz/endpoint_targets.ts";
import { fuzzAdminRequests } from "./fuzz/admin_targets.ts";
import { say } from "../tests/rig/say.ts";

const DEFAULT_RUNS = 20_000;
const TARGETS: readonly ((random: Random) => void | Promise<void>)[] = [
  ...[fuzzDecoder, fuzzServerLink, fuzzDeviceLink],
  ...[fuzzV2Decoder, fuzzV2ServerLink, fuzzV2DeviceLink, fuzzV2Handshake],
  ...[fuzzCanWires, fuzzCanFrames, fuzzCanDetection, fuzzTelnet, fuzzTelnetWriter, fuzzDatagramRecords, fuzzDatagrams],
  ...[fuzzEndpoints, fuzzServiceLists, fuzzAdminRequests],
];

interface Plan {
  readonly seed: number;
  readonly runs: number;
  readonly seconds: number;
  readonly targets: typeof TARGETS;
}

function plan(args: string[]): Plan {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: "string" },
      runs: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
    },
  });
  const { seed, runs, seconds, only } = values;
  return {
    targets: only === undefined ? TARGETS : only.split(",").flatMap(targetsNamed),
    seed: seedOf(seed),
    runs: runs !== undefined ? wholeNumber("runs", runs) : seconds === undefined ? DEFAULT_RUNS : Infinity,
    seconds: seconds === undefined ? Infinity : wholeNumber("seconds", seconds),
  };
}

/** Those whose name has `word` in it. @throws {SyntaxError} if none has. */
function targetsNamed(word: string): typeof TARGETS {
  const found = TARGETS.filter(({ name }) => word !== "" && name.includes(word));
  if (found.length > 0) return found;
  throw new SyntaxError(`no target is called "${word}"; there are ${TARGETS.map(({ name }) => name).join(", ")}`);
}

/** Runs it all. @returns the exit code. */
async function fuzz({ seed, runs, seconds, targets }: Plan): Promise<number> {
  const start = performance.now();
  let run = 0;
  say(`fuzzing from seed ${seed}`);
  for (; run < runs && performance.now() - start < seconds * 1_000; run++) {
    const own = (seed + run) % 2 ** 32; // each run has a seed of its own, so that one can be repeated alone
    for (const target of targets) {
      try {
        await target(new Random(own));
      } catch (error) {
        say(`${target.name} failed after ${run} runs: ${error instanceof Error ? error.stack : error}`);
        say(`repeat it with: deno task fuzz -- --seed ${own} --runs 1 --only ${target.name}`);
        return 1;
      }
    }
  }
  say(`${run} runs of ${targets.length} targets in ${((performance.now() - start) / 1_000).toFixed(1)} s: all held`);
  return 0;
}

async function main(args: readonly string[]): Promise<number> {
  const planned = understood(plan, args, "deno task fuzz -- [--seed N] [--runs M] [--seconds S] [--only NAME,…]");
  return planned ? await fuzz(planned) : 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
