/**
 * What a run of `deno test` came to, from its JUnit report and from what skipped tests wrote down.
 *
 * @module
 */

/** A test that was not run. */
export interface SkippedTest {
  readonly name: string;
  /** What it lacks; empty if it did not say. */
  readonly missing: readonly string[];
}

/** A whole run. */
export interface Results {
  /** How many tests passed. */
  readonly passed: number;
  /** The names of those that failed. */
  readonly failed: readonly string[];
  /** Those that were not run. */
  readonly skipped: readonly SkippedTest[];
}

/**
 * Whether `--filter`, if it is among the arguments, selects a test: the report has those that it does not as skipped.
 *
 * @returns a function of the test's name.
 */
export function filterOf(args: readonly string[]): (name: string) => boolean {
  const at = args.findIndex((arg) => /^--filter(=|$)/.test(arg));
  if (at < 0) return () => true;
  const filter = args[at]!.startsWith("--filter=") ? args[at]!.slice("--filter=".length) : args[at + 1] ?? "";
  const pattern = /^\/(.*)\/$/.exec(filter)?.[1];
  return pattern === undefined ? (name) => name.includes(filter) : (name) => new RegExp(pattern).test(name);
}

/** Reads a report, and the lines `{"name":…,"missing":[…]}` of skipped tests. Steps count as tests, as in the report. */
export function resultsOf(report: string, skips: string, selects: (name: string) => boolean = () => true): Results {
  const reasons = new Map<string, readonly string[]>();
  for (const line of skips.split("\n").filter((line) => line !== "")) {
    const { name, missing } = JSON.parse(line) as SkippedTest;
    reasons.set(name, missing);
  }
  let passed = 0;
  const failed: string[] = [];
  const skipped: SkippedTest[] = [];
  for (const [, attributes = "", body = ""] of report.matchAll(/<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)) {
    const name = unescape(/(?:^| )name="([^"]*)"/.exec(attributes)?.[1] ?? "");
    if (/<(?:failure|error)/.test(body)) failed.push(name);
    else if (!/<skipped/.test(body)) passed++;
    else if (selects(name)) skipped.push({ name, missing: reasons.get(name) ?? [] });
  }
  return { passed, failed, skipped };
}

const ENTITIES: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

function unescape(text: string): string {
  return text.replace(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return ENTITIES[name] ?? whole;
  });
}
