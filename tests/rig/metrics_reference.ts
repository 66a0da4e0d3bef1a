/**
 * The reference of metrics: `scripts/reference/metrics_reference.ts` writes it from the program's own, a test demands
 * that it agrees.
 *
 * @module
 */

import type { Family } from "../../app/metrics/family.ts";
import { systemClock } from "../../base/clock.ts";
import { connectDevice } from "../../device/device.ts";
import { deviceMetrics } from "../../device/metrics/device_metrics.ts";
import { chooseEngine } from "../../net/engines.ts";
import { ofServer } from "./api_reference.ts";
import { engineChoice } from "./engine.ts";

/** Where it is. */
export const METRICS_PAGE = "docs/reference/metrics.md";

/** The metrics of a server. */
export function serverFamilies(): Promise<readonly Family[]> {
  return ofServer(({ metrics }) => metrics.families);
}

/** The metrics of a device. */
export async function deviceFamilies(): Promise<readonly Family[]> {
  const device = connectDevice({
    profile: "v1",
    engine: engineChoice,
    server: { host: "127.0.0.1", port: 1 },
    services: [],
  });
  device.ready.catch(() => {});
  const { engine } = chooseEngine(engineChoice);
  const { families } = deviceMetrics({ device, clock: systemClock, engine });
  device.close();
  await device.closed;
  return families;
}

/** The page, before it is formatted. */
export async function metricsPage(): Promise<string> {
  return [
    "# Metrics",
    "",
    "Made from the program by `scripts/reference/metrics_reference.ts`; how to have them read is in [metrics.md](../operate/metrics.md).",
    "Every label has a closed set of values, but for those in _italics_, which come from the configuration.",
    "",
    "## Of a server",
    "",
    ...table(await serverFamilies()),
    "",
    "## Of a device",
    "",
    ...table(await deviceFamilies()),
    "",
  ].join("\n");
}

function table(families: readonly Family[]): string[] {
  return [
    "| name | kind | labels | meaning |",
    "| --- | --- | --- | --- |",
    ...families.map(({ facts: { name, help, labels }, kind }) =>
      `| \`${name}\` | ${kind} | ${labelsOf(labels ?? {})} | ${help} |`
    ),
  ];
}

function labelsOf(labels: NonNullable<Family["facts"]["labels"]>): string {
  const texts = Object.entries(labels).map(([name, values]) => {
    if (values === "open") return `_${name}_`;
    if (values.length > 8) return `\`${name}\`: see [reasons](reasons.md)`;
    return `\`${name}\`: ${values.map((value) => `\`${value}\``).join(", ")}`;
  });
  return texts.join("; ") || "–";
}
