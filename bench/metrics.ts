/**
 * The metrics: their columns in the tables.
 *
 * @module
 */

/** How a metric is shown. */
export interface Metric {
  /** Its column. */
  readonly label: string;
  /** Digits after the point. */
  readonly digits: number;
  /** Whether a ratio of it says something. */
  readonly ratio: boolean;
}

/** All metrics, in the order of the columns. */
export const METRICS = {
  up: { label: "up Gbit/s", digits: 1, ratio: true },
  down: { label: "down", digits: 1, ratio: true },
  streams: { label: "8 streams", digits: 1, ratio: true },
  cpuPerGB: { label: "CPU s/GB", digits: 2, ratio: true },
  rtt50: { label: "RTT p50 µs", digits: 0, ratio: true },
  rtt99: { label: "p99", digits: 0, ratio: true },
  added: { label: "added p50", digits: 0, ratio: true },
  pingPong: { label: "64 clients RT/s", digits: 0, ratio: true },
  connections: { label: "new conn/s", digits: 0, ratio: true },
  connection99: { label: "p99 ms", digits: 1, ratio: true },
  memory: { label: "MB at rest", digits: 0, ratio: true },
  memoryPerClient: { label: "KB/client", digits: 0, ratio: true },
  listening: { label: "start ms", digits: 0, ratio: false },
  version: { label: "--version ms", digits: 0, ratio: false },
} satisfies Record<string, Metric>;

/** The name of a metric. */
export type MetricName = keyof typeof METRICS;

/** The names of all metrics, in order. */
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];
