/**
 * `deno task bench`: what the relay costs, beside no relay and beside others, in one run.
 *
 * @module
 */

import { cpus, release } from "node:os";
import { parseArgs } from "node:util";
import { VERSION } from "../net/version.ts";
import { findProgram, killAll } from "./child.ts";
import { MEASURES } from "./measures.ts";
import { json, markdown, type Results } from "./report.ts";
import { run } from "./run.ts";
import { TARGETS } from "./targets.ts";
import type { TargetContext } from "./target.ts";

const HELP = `Usage: deno task bench [options]

Measures throughput, round trips, new connections, memory and start-up time of the relay beside a direct connection and
beside ssh -R, interleaved, in one run: about two and a half minutes with what is preset.

Examples:
  deno task bench
  deno task bench --only direct,'sallyport v1',round-trips --rounds 1
  deno task bench --binaries dist --out before.json

Options:
  --seconds N     length of each timed part (default: 2)
  --rounds N      rounds, of which the medians are shown (default: 3)
  --only NAME,…   only these targets and measures
                  targets:  ${TARGETS.map(({ name }) => name).join(", ")}
                  measures: ${MEASURES.map(({ name }) => name).join(", ")}
  --out FILE      where the results go as JSON; Markdown goes beside it (default: bench/results/DATE.json)
  --binaries DIR  measure sallyport-server and sallyport-device in DIR instead of running the sources
  -h, --help      print this help

iperf3 measures throughput where it is on the PATH. Ratios travel between machines, absolute figures do not.
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
  const leave = () => {
    killAll();
    Deno.removeSync(directory, { recursive: true });
    Deno.exit(130);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, leave);
  try {
    return await measure(options, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

type Options = Exclude<ReturnType<typeof readOptions>, string>;

async function measure({ seconds, rounds, only, out, binaries }: Options, directory: string): Promise<number> {
  const notes = new Map<string, number>();
  const context: TargetContext = {
    directory,
    binaries,
    note: (text, count = 1) => void notes.set(text, (notes.get(text) ?? 0) + count),
  };
  const skipped: string[] = [];
  const targets = chosen(TARGETS, only).filter((target) => {
    const missing = target.needs?.();
    if (missing === undefined) return true;
    skipped.push(`${target.name}: ${missing}`);
    print(`skipped ${target.name}: ${missing}\n`);
    return false;
  });
  if (targets.length === 0) return 1;
  const started = new Date();
  const outcome = await run({
    targets,
    measures: chosen(MEASURES, only),
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
    skipped,
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
        only: { type: "string", default: "" },
        out: { type: "string" },
        binaries: { type: "string" },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) return HELP;
    const only = values.only.split(",").map((name) => name.trim()).filter((name) => name !== "");
    const names = [...TARGETS, ...MEASURES].map(({ name }) => name);
    const unknown = only.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new SyntaxError(`--only: "${unknown}" is none of ${names.join(", ")}`);
    const { binaries } = values;
    const absent = binaries === undefined
      ? undefined
      : ["sallyport-server", "sallyport-device"].find((name) => findProgram(name, [binaries]) === undefined);
    if (absent !== undefined) {
      throw new SyntaxError(`--binaries: no ${absent} in ${binaries}; make it with: deno task compile`);
    }
    return {
      seconds: number("seconds", values.seconds, 2),
      rounds: number("rounds", values.rounds, 3),
      only,
      out: values.out,
      binaries,
    };
  } catch (error) {
    return `bench: ${error instanceof Error ? error.message : error}\nTry: deno task bench --help\n`;
  }
}

/** Those that are named, or all if none is. */
function chosen<T extends { readonly name: string }>(all: readonly T[], only: readonly string[]): T[] {
  const named = all.filter(({ name }) => only.includes(name));
  return named.length > 0 ? named : [...all];
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
