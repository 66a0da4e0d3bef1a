/**
 * The metrics: their columns in the tables.
 *
 * @module
 */

/** How a metric is shown. */
export interface Metric {
  readonly label: string;
  /** Digits after the point. */
  readonly digits: number;
  readonly group: MetricGroup;
  /** Whether a ratio of it says something. */
  readonly ratio: boolean;
}

/** The tables, with their titles. */
export const METRIC_GROUPS = {
  rates: "throughput and round trips",
  costs: "connections, memory, start-up (ms)",
  loaded: "echo of 64 bytes beside a bulk transfer, on loopback, ms",
  link: "echo of 64 bytes beside a bulk transfer, over a link of 10 Mbit/s, ms",
  resume: "from a cut to going on, under an upload over a link of 10 Mbit/s, ms",
} as const;

/** The name of a table. */
export type MetricGroup = keyof typeof METRIC_GROUPS;

/** All metrics, in the order of the columns. */
export const METRICS = {
  up: { label: "up Gbit/s", digits: 1, group: "rates", ratio: true },
  down: { label: "down", digits: 1, group: "rates", ratio: true },
  streams: { label: "8 streams", digits: 1, group: "rates", ratio: true },
  cpuPerGB: { label: "CPU s/GB", digits: 2, group: "rates", ratio: true },
  rtt50: { label: "RTT p50 µs", digits: 0, group: "rates", ratio: true },
  rtt99: { label: "p99", digits: 0, group: "rates", ratio: true },
  added: { label: "added p50", digits: 0, group: "rates", ratio: true },
  pingPong: { label: "64 clients RT/s", digits: 0, group: "rates", ratio: true },
  connections: { label: "new conn/s", digits: 0, group: "costs", ratio: true },
  cpuPerConnection: { label: "CPU µs", digits: 0, group: "costs", ratio: true },
  connection99: { label: "p99 ms", digits: 1, group: "costs", ratio: true },
  memory: { label: "MB", digits: 0, group: "costs", ratio: true },
  anonymous: { label: "anon MB", digits: 0, group: "costs", ratio: false },
  anonymousLoaded: { label: "loaded", digits: 0, group: "costs", ratio: false },
  memoryPerClient: { label: "KB/client", digits: 0, group: "costs", ratio: true },
  crowdPerClient: { label: "of 10,000", digits: 1, group: "costs", ratio: false },
  listening: { label: "start", digits: 0, group: "costs", ratio: false },
  version: { label: "version", digits: 0, group: "costs", ratio: false },
  idle50: { label: "idle p50", digits: 2, group: "loaded", ratio: false },
  idle99: { label: "p99", digits: 1, group: "loaded", ratio: false },
  up50: { label: "up p50", digits: 2, group: "loaded", ratio: false },
  up99: { label: "p99", digits: 1, group: "loaded", ratio: false },
  upBulk: { label: "bulk Gbit/s", digits: 1, group: "loaded", ratio: false },
  down50: { label: "down p50", digits: 2, group: "loaded", ratio: false },
  down99: { label: "p99", digits: 1, group: "loaded", ratio: false },
  downBulk: { label: "bulk Gbit/s", digits: 1, group: "loaded", ratio: false },
  linkIdle50: { label: "idle p50", digits: 2, group: "link", ratio: false },
  linkIdle99: { label: "p99", digits: 1, group: "link", ratio: false },
  linkUp50: { label: "up p50", digits: 1, group: "link", ratio: false },
  linkUp99: { label: "p99", digits: 1, group: "link", ratio: false },
  linkUpBulk: { label: "bulk %", digits: 1, group: "link", ratio: false },
  linkDown50: { label: "down p50", digits: 1, group: "link", ratio: false },
  linkDown99: { label: "p99", digits: 1, group: "link", ratio: false },
  linkDownBulk: { label: "bulk %", digits: 1, group: "link", ratio: false },
  resume50: { label: "resumed p50", digits: 0, group: "resume", ratio: false },
  resumeMost: { label: "most", digits: 0, group: "resume", ratio: false },
} satisfies Record<string, Metric>;

export type MetricName = keyof typeof METRICS;

/** The names of all metrics, in order. */
export const METRIC_NAMES = Object.keys(METRICS) as MetricName[];
