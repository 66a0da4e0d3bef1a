/**
 * Metrics as text: Prometheus's format 0.0.4, and OpenMetrics 1.0 for whoever asks for it.
 *
 * @module
 */

import type { Family, Sample } from "./family.ts";

/** A format. */
export type MetricsFormat = "prometheus" | "openmetrics";

/** The media types. */
export const MEDIA_TYPES: Readonly<Record<MetricsFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The format that a request's `Accept` asks for. */
export function formatFor(accept: string | undefined): MetricsFormat {
  const media = (accept ?? "").toLowerCase().split(",").map((part) => part.split(";").map((text) => text.trim()));
  const weight = (name: string) => {
    const found = media.find(([type]) => type === name);
    if (!found) return undefined;
    const given = Number(found.find((text) => text.startsWith("q="))?.slice(2) ?? 1);
    return Number.isFinite(given) ? given : 0;
  };
  const open = weight("application/openmetrics-text") ?? 0;
  return open > 0 && open >= (weight("text/plain") ?? 0) ? "openmetrics" : "prometheus";
}

/** The lines of a family, one at a time. */
export function* familyLines(family: Family, format: MetricsFormat): Generator<string> {
  const { facts: { name, help, labels }, kind } = family;
  const isOpen = format === "openmetrics";
  const told = isOpen && kind === "counter" ? name.replace(/_total$/, "") : name;
  yield `# HELP ${told} ${escapeHelp(help, isOpen)}\n# TYPE ${told} ${kind}\n`;
  const names = Object.keys(labels ?? {});
  for (const sample of family.samples()) yield sampleLine(name, names, sample);
  const buckets = family.buckets?.();
  if (!buckets) return;
  let count = 0;
  for (const [at, some] of buckets.counts.entries()) {
    count += some;
    const bound = buckets.bounds[at];
    const le = bound === undefined ? "+Inf" : isOpen ? floatText(bound) : String(bound);
    yield `${name}_bucket{le="${le}"} ${count}\n`;
  }
  yield `${name}_sum ${numberText(buckets.sum)}\n${name}_count ${count}\n`;
}

/** What ends an answer. */
export function endOf(format: MetricsFormat): string {
  return format === "openmetrics" ? "# EOF\n" : "";
}

function sampleLine(name: string, labels: readonly string[], [values, number]: Sample): string {
  if (values.length === 0) return `${name} ${numberText(number)}\n`;
  const pairs = values.map((value, at) => `${labels[at]}="${escapeValue(value)}"`);
  return `${name}{${pairs.join(",")}} ${numberText(number)}\n`;
}

function numberText(number: number): string {
  if (Number.isNaN(number)) return "NaN";
  return Number.isFinite(number) ? String(number) : number > 0 ? "+Inf" : "-Inf";
}

/** OpenMetrics wants bounds to look like numbers that are not whole. */
function floatText(number: number): string {
  return Number.isInteger(number) ? number.toFixed(1) : String(number);
}

function escapeValue(text: string): string {
  return text.toWellFormed().replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function escapeHelp(text: string, quotes: boolean): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quotes ? escaped.replaceAll('"', '\\"') : escaped;
}
