/**
 * The results as Markdown, which reads well on a terminal too, and as JSON.
 *
 * @module
 */

import { judge } from "./expectations.ts";
import type { Sample } from "./measures/measure.ts";
import { METRIC_GROUPS, METRIC_NAMES, type MetricGroup, METRICS } from "./measures/metrics.ts";
import { figure } from "./numbers.ts";
import { type Medians, ratiosTo, summarize } from "./summary.ts";

/** All that a run found out. */
export interface Results {
  /** The circumstances, by name. */
  readonly about: Readonly<Record<string, string | number>>;
  /** The samples of each target, a round each. */
  readonly rounds: ReadonlyMap<string, readonly Sample[]>;
  /** Targets and measures that this machine has not all for, and what is missing. */
  readonly missing: readonly string[];
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** Tables, notes and expectations. */
export function markdown(results: Results): string {
  const medians = summarize(results.rounds);
  const parts = [
    "# Sallyport bench",
    [...Object.entries(results.about), ...results.missing.map((text) => ["missing", text])]
      .map(([name, value]) => `- ${name}: ${value}`).join("\n"),
    ...tables("Medians", medians, false),
  ];
  for (const base of ["direct", "ssh -R"]) {
    if (medians.has(base)) parts.push(...tables(`Ratios to ${base}`, ratiosTo(base, medians), true));
  }
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
      missing: results.missing,
      oddities: results.notes,
      expectations: judge(medians),
    },
    undefined,
    2,
  ) + "\n";
}

/** A table for each group of metrics that somebody has, so that none gets too wide for a terminal. */
function tables(title: string, rows: Medians, ratios: boolean): string[] {
  return (Object.keys(METRIC_GROUPS) as MetricGroup[]).flatMap((group) => {
    const columns = METRIC_NAMES.filter((name) =>
      METRICS[name].group === group && [...rows.values()].some((row) => row[name] !== undefined)
    );
    const measured = [...rows].filter(([, row]) => columns.some((name) => row[name] !== undefined));
    if (measured.length === 0) return [];
    const cells = [
      ["", ...columns.map((name) => METRICS[name].label)],
      ...measured.map(([target, row]) => [
        target,
        ...columns.map((name) => figure(row[name], ratios ? 2 : METRICS[name].digits)),
      ]),
    ];
    return [`## ${title}: ${METRIC_GROUPS[group]}`, table(cells)];
  });
}

/** A table whose first row is its head. */
function table(cells: readonly (readonly string[])[]): string {
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
