/**
 * The results as Markdown, which reads well on a terminal too, and as JSON.
 *
 * @module
 */

import type { Sample } from "./measures.ts";
import { METRIC_NAMES, METRICS } from "./metrics.ts";
import { figure } from "./numbers.ts";
import { judge, type Medians, ratiosTo, summarize } from "./summary.ts";

/** All that a run found out. */
export interface Results {
  /** The circumstances, by name. */
  readonly about: Readonly<Record<string, string | number>>;
  /** The samples of each target, a round each. */
  readonly rounds: ReadonlyMap<string, readonly Sample[]>;
  /** What was not measured, and why. */
  readonly skipped: readonly string[];
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** Tables, notes and expectations. */
export function markdown(results: Results): string {
  const medians = summarize(results.rounds);
  const parts = [
    "# Sallyport bench",
    Object.entries(results.about).map(([name, value]) => `- ${name}: ${value}`).join("\n"),
    "## Medians",
    table(medians, false),
  ];
  for (const base of ["direct", "ssh -R"]) {
    if (medians.has(base) && medians.size > 1) parts.push(`## Ratios to ${base}`, table(ratiosTo(base, medians), true));
  }
  if (results.skipped.length > 0) parts.push("## Skipped", list(results.skipped));
  if (results.notes.length > 0) parts.push("## Oddities", list(results.notes));
  const verdicts = judge(medians).map(({ expectation, pass, figure }) =>
    `${pass === undefined ? "–   " : pass ? "pass" : "MISS"} ${expectation}: ${figure}`
  );
  parts.push("## Expectations", list(verdicts));
  return parts.join("\n\n") + "\n";
}

/** Everything, samples included, for programs. */
export function json(results: Results): string {
  const medians = summarize(results.rounds);
  return JSON.stringify(
    {
      about: results.about,
      medians: Object.fromEntries(medians),
      rounds: Object.fromEntries(results.rounds),
      skipped: results.skipped,
      oddities: results.notes,
      expectations: judge(medians),
    },
    undefined,
    2,
  ) + "\n";
}

/** A row for each target, a column for each metric that somebody has. */
function table(rows: Medians, ratios: boolean): string {
  const columns = METRIC_NAMES.filter((name) => [...rows.values()].some((row) => row[name] !== undefined));
  const cells = [
    ["", ...columns.map((name) => METRICS[name].label)],
    ...[...rows].map(([target, row]) => [
      target,
      ...columns.map((name) => figure(row[name], ratios ? 2 : METRICS[name].digits)),
    ]),
  ];
  const widths = cells[0]!.map((_, at) => Math.max(3, ...cells.map((row) => row[at]!.length)));
  const lines = cells.map((row) =>
    `| ${row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(" | ")} |`
  );
  const rule = `| ${
    widths.map((width, at) => at === 0 ? "-".repeat(width) : "-".repeat(width - 1) + ":").join(" | ")
  } |`;
  return [lines[0], rule, ...lines.slice(1)].join("\n");
}

function list(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join("\n");
}
