/**
 * `deno task bench`: what the relay costs, beside no relay and beside others, in one run.
 *
 * @module
 */

import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { VERSION } from "../base/version.ts";
import { removeCables } from "./cable.ts";
import { killChildren } from "../tests/rig/processes/child.ts";
import { find } from "../tests/rig/processes/programs.ts";
import { MEASURES } from "./measures/measures.ts";
import { json, markdown, type Results } from "./report.ts";
import { run } from "./run.ts";
import { TARGETS } from "./targets/targets.ts";
import { HERE, type TargetContext } from "./targets/target.ts";

const HELP = `Usage: deno task bench [options]

Measures throughput, round trips, new connections, latency beside a bulk transfer, memory and start-up time of the relay
beside a direct connection, ssh -R and what relays of others are on the PATH, interleaved, in one run: about seven minutes
with what is preset and none of the others, a minute more with each of them.

Examples:
  deno task bench
  deno task bench --quick
  deno task bench --only direct,'sallyport v2 TLS',round-trips --rounds 1
  deno task bench --binaries dist --out before.json

Options:
  --seconds N     length of each timed part (default: 2)
  --rounds N      rounds, of which the medians are shown (default: 3)
  --quick         one round, parts of a second, without: ${MEASURES.filter(({ long }) => long).map(({ name }) => name)}
  --only NAME,…   only these targets and measures
  --skip NAME,…   all but these
                  targets:  ${wrapped(TARGETS.map(({ name }) => name))}
                  measures: ${wrapped(MEASURES.map(({ name }) => name))}
  --out FILE      where the results go as JSON; Markdown goes beside it (default: bench/results/DATE.json)
  --binaries DIR  measure sallyport-server and sallyport-device in DIR instead of running the sources
  -h, --help      print this help

crowd is memory with 10,000 idle clients, link is latency over 10 Mbit/s between network namespaces (as root only). Both,
memory and nothing else are measured in the first round only. iperf3 measures throughput where it is on the PATH.
Ratios travel between machines, absolute figures do not.
Exit code: 0, whatever was measured; 1 if something could not be measured; 2 for wrong options.
`;

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (typeof options === "string") {
    print(options);
    return options === HELP ? 0 : 2;
  }
  const directory = await Deno.makeTempDir({ prefix: "sallyport-bench-" });
  const leave = async () => {
    await killChildren();
    await removeCables();
    Deno.removeSync(directory, { recursive: true });
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => void leave());
  try {
    return await measure(options, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

type Options = Exclude<ReturnType<typeof readOptions>, string>;

async function measure(options: Options, directory: string): Promise<number> {
  const { seconds, rounds, out, binaries } = options;
  const notes = new Map<string, number>();
  const context: TargetContext = {
    directory,
    server: HERE,
    device: HERE,
    binaries,
    note: (text, count = 1) => void notes.set(text, (notes.get(text) ?? 0) + count),
  };
  const missing: string[] = [];
  const possible = <T extends { readonly name: string; needs?(): string | undefined }>(items: readonly T[]) =>
    items.filter((item) => {
      const lack = item.needs?.();
      if (lack !== undefined) missing.push(`${item.name}: ${lack}`);
      return lack === undefined;
    });
  const targets = possible(chosen(TARGETS, options));
  const measures = possible(chosen(MEASURES, options));
  for (const line of missing) print(`missing: ${line}\n`);
  if (targets.length === 0 || measures.length === 0) return 1;
  const started = new Date();
  const outcome = await run({
    targets,
    measures,
    rounds,
    seconds,
    context,
    progress: (line) => print(line + "\n"),
  });
  const results: Results = {
    about: {
      date: started.toISOString(),
      sallyport: `${VERSION}, ${binaries === undefined ? "run from its sources" : `binaries in ${binaries}`}`,
      deno: binaries === undefined ? Deno.version.deno : `${Deno.version.deno} (of the bench)`,
      cores: navigator.hardwareConcurrency,
      cpu: cpus()[0]?.model ?? "unknown",
      system: `${Deno.build.os} ${release()}, ${Deno.build.arch}`,
      throughput: `by ${outcome.tool}`,
      rounds: `${rounds}, ${seconds} s each`,
      took: `${Math.round((Date.now() - started.getTime()) / 1000)} s`,
    },
    rounds: outcome.rounds,
    missing,
    notes: [
      ...outcome.failures.map((failure) => `not measured: ${failure}`),
      ...[...notes].map(([text, count]) => count === 1 ? text : `${text} (${count} times)`),
    ],
  };
  const report = markdown(results);
  print(`\n${report}`);
  const file = out ??
    new URL(`results/${started.toISOString().replaceAll(":", "-").slice(0, 19)}.json`, import.meta.url);
  const path = typeof file === "string" ? file : decodeURIComponent(file.pathname);
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/") + 1) || ".", { recursive: true });
  await Deno.writeTextFile(path, json(results));
  const beside = `${path.replace(/\.json$/, "")}.md`;
  await Deno.writeTextFile(beside, report);
  print(`\nwritten: ${path} and ${beside}\n`);
  return outcome.failures.length === 0 ? 0 : 1;
}

/** What was asked for, or what to print instead. */
function readOptions() {
  const names = (option: string, text: string): string[] => {
    const known = [...TARGETS, ...MEASURES].map(({ name }) => name);
    const given = text.split(",").map((name) => name.trim()).filter((name) => name !== "");
    const unknown = given.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new SyntaxError(`--${option}: "${unknown}" is none of ${known.join(", ")}`);
    return given;
  };
  const number = (name: string, text: string, preset: number): number => {
    const value = Number(text || preset);
    if (!(value >= 1 && value <= 600 && Number.isInteger(value))) {
      throw new SyntaxError(`--${name} has to be a whole number from 1 to 600`);
    }
    return value;
  };
  try {
    const { values } = parseArgs({
      args: Deno.args.filter((arg) => arg !== "--"),
      options: {
        seconds: { type: "string", default: "" },
        rounds: { type: "string", default: "" },
        quick: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        skip: { type: "string", default: "" },
        out: { type: "string" },
        binaries: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return HELP;
    const { quick } = values;
    const { binaries } = values;
    const absent = binaries === undefined
      ? undefined
      : ["sallyport-server", "sallyport-device"].find((name) => find(name, [binaries]) === undefined);
    if (absent !== undefined) {
      throw new SyntaxError(`--binaries: no ${absent} in ${binaries}; make it with: deno task compile`);
    }
    return {
      seconds: number("seconds", values.seconds, quick ? 1 : 2),
      rounds: number("rounds", values.rounds, quick ? 1 : 3),
      quick,
      only: names("only", values.only),
      skip: names("skip", values.skip),
      out: values.out,
      binaries,
    };
  } catch (error) {
    return `bench: ${error instanceof Error ? error.message : error}\nTry: deno task bench --help\n`;
  }
}

/** Those that are to be measured: a long one in a quick run only if it is named. */
function chosen<T extends { readonly name: string; readonly long?: true }>(all: readonly T[], options: Options): T[] {
  const { quick, only, skip } = options;
  const named = all.filter(({ name }) => only.includes(name));
  const usual = all.filter(({ long }) => !(quick && long));
  return (named.length > 0 ? named : usual).filter(({ name }) => !skip.includes(name));
}

/** Names for the help, no wider than a terminal. */
function wrapped(names: readonly string[]): string {
  return names.join(", ").replaceAll(/(.{60,90}),\s/g, `$1,\n${" ".repeat(28)}`);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
