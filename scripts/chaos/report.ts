/**
 * What a run of chaos says in the end.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { CUT_KINDS, type CutKind, type CutOutcome } from "../../tests/rig/cuts/cuts.ts";
import type { TransferLine } from "../../tests/rig/cuts/transfers.ts";

/** The table of cuts, by kind and together. */
export function cutTable(outcomes: readonly CutOutcome[]): string[] {
  const row = (...cells: (string | number)[]) =>
    cells.map((cell, at) => at === 0 ? String(cell).padEnd(18) : String(cell).padStart(9)).join(" ");
  const line = (name: string, some: readonly CutOutcome[]) => {
    const replayed = some.reduce((sum, outcome) => sum + outcome.replayed, 0);
    const resumes = some.reduce((sum, outcome) => sum + outcome.resumes, 0);
    const [cut, path] = [some.map(({ fromCut }) => fromCut), some.map(({ fromPath }) => fromPath)];
    return row(name, some.length, resumes, at(cut, 0.5), at(cut, 0.99), at(path, 0.5), at(path, 0.99), replayed);
  };
  const kinds = Object.keys(CUT_KINDS) as CutKind[];
  return [
    "milliseconds from the cut, and from when the path was back, to the resumed session; bytes sent again",
    row("kind", "cuts", "resumes", "cut p50", "cut p99", "path p50", "path p99", "replayed"),
    ...kinds.flatMap((kind) => {
      const some = outcomes.filter((outcome) => outcome.kind === kind);
      return some.length > 0 ? [line(kind, some)] : [];
    }),
    line("all", outcomes),
  ];
}

/** What was carried, with one digest over all digests, each of which was the same at both ends. */
export function transferSummary(lines: readonly TransferLine[]): string {
  const whole = lines.filter(({ upDigest }) => upDigest !== undefined);
  const left = lines.filter((line) => line.left).length;
  const up = whole.reduce((sum, line) => sum + line.up, 0);
  const down = whole.reduce((sum, line) => sum + line.down, 0);
  const hash = createHash("sha256");
  for (const { upDigest, downDigest } of whole) hash.update(`${upDigest} ${downDigest}\n`);
  return `${whole.length} transfers whole (${left} clients left in the middle), ${up} bytes up and ${down} down, each digest the same at both ends; ` +
    `digest of the digests ${hash.digest("hex").slice(0, 16)}`;
}

function at(values: readonly number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
