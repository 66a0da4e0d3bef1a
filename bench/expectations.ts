/**
 * What the relay is expected to reach on 2 cores, and whether it did.
 *
 * @module
 */

import { type MetricName, METRICS } from "./measures/metrics.ts";
import { figure } from "./numbers.ts";
import type { Medians } from "./summary.ts";

/** An expectation and what came of it. */
export interface Verdict {
  /** What is expected. */
  readonly expectation: string;
  /** Whether it is met; unknown if one side of it was not measured. */
  readonly pass: boolean | undefined;
  /** The figure, in words. */
  readonly figure: string;
}

/** Relays without encryption. */
const PLAIN_PEERS = ["rathole plain", "bore"];

/** Milliseconds that a bulk transfer may add to twice what a typist waits without. */
const LOAD_ALLOWANCE = 20;

/** The pause before the first try, and five turns over a link whose queue holds some 50 ms of upload. */
const MOST_TO_RESUME = 100 + 5 * 50;

const THROUGHPUTS = { up: "throughput up", down: "throughput down", streams: "throughput of 8 streams" } as const;
const THROUGHPUT_NAMES = ["up", "down", "streams"] as const;

/** Those of the targets that were measured. */
export function judge(medians: Medians): Verdict[] {
  const judging = new Judging(medians);
  judgeV1(judging);
  judgeV2(judging);
  return judging.verdicts;
}

function judgeV1(judging: Judging): void {
  const ours = judging.of("sallyport v1");
  for (const name of THROUGHPUT_NAMES) {
    ours.timesThatOf("direct", name, 0.4, THROUGHPUTS[name]);
    ours.timesThatOf("ssh -R", name, 2.2, THROUGHPUTS[name]);
  }
  ours.atMostTimes(["ssh -R"], "added", 0.8, "added round trip");
  ours.timesThatOf("ssh -R", "connections", 15, "new connections");
}

function judgeV2(judging: Judging): void {
  const tls = judging.of("sallyport v2 TLS");
  const plain = judging.of("sallyport v2 plain");
  for (const name of THROUGHPUT_NAMES) {
    tls.timesThatOf("ssh -R", name, 1.5, THROUGHPUTS[name]);
    tls.timesThatOf("rathole TLS", name, 1.1, THROUGHPUTS[name]);
    plain.timesBest(PLAIN_PEERS, name, 1, THROUGHPUTS[name]);
  }
  tls.atMostTimes(["rathole TLS"], "cpuPerGB", 0.95, "CPU per GB");
  tls.atMostTimes(["rathole TLS"], "rtt50", 1.1, "round trip");
  tls.timesThatOf("rathole TLS", "connections", 3, "new connections");
  tls.atMostTimes(["rathole TLS"], "cpuPerConnection", 0.25, "CPU of a new connection");
  tls.timesThatOf("rathole TLS", "pingPong", 1.5, "round trips of 64 clients");
  plain.atMostTimes(PLAIN_PEERS, "rtt50", 1.1, "round trip");
  plain.timesBest(PLAIN_PEERS, "connections", 1.4, "new connections");
  for (const name of THROUGHPUT_NAMES) tls.timesThatOf("v2 TLS no resume", name, 0.9, THROUGHPUTS[name]);
  tls.atLeast("connections", 1000, "new connections a second");
  for (const ours of [tls, plain]) {
    ours.atMost("anonymous", 28, "anonymous MB of the larger process at rest");
    ours.atMost("anonymousLoaded", 45, "anonymous MB of the larger process after throughput");
    ours.atMost("crowdPerClient", 16, "KB per idle client at 10,000");
    ours.atMost("idle99", LOAD_ALLOWANCE, "echo p99 of an idle link, ms");
    ours.underLoad("idle99", "up99", "echo p99 beside bulk up");
    ours.underLoad("idle99", "down99", "echo p99 beside bulk down");
    ours.atMost("linkIdle99", LOAD_ALLOWANCE, "echo p99 of an idle link, 10 Mbit/s, ms");
    ours.underLoad("linkIdle99", "linkUp99", "echo p99 beside bulk up, 10 Mbit/s");
    ours.underLoad("linkIdle99", "linkDown99", "echo p99 beside bulk down, 10 Mbit/s");
    ours.atMost("resumeMost", MOST_TO_RESUME, "from a cut to going on over 10 Mbit/s, ms");
    ours.atLeast("linkUpBulk", 90, "bulk up, % of 10 Mbit/s");
    ours.atLeast("linkDownBulk", 90, "bulk down, % of 10 Mbit/s");
  }
}

/** Gathers verdicts; what concerns a target that took no part is left out. */
class Judging {
  readonly verdicts: Verdict[] = [];
  readonly #medians: Medians;

  constructor(medians: Medians) {
    this.#medians = medians;
  }

  /** The words for what is expected of a target. */
  of(target: string) {
    const ours = this.#medians.get(target);
    const value = (name: MetricName) => ours?.[name];
    const add = (expectation: string, values: readonly (number | undefined)[], verdict: () => [boolean, string]) => {
      if (!ours) return;
      const [pass, words] = values.includes(undefined) ? [undefined, "not measured"] as const : verdict();
      this.verdicts.push({ expectation: `${target}: ${expectation}`, pass, figure: words });
    };
    const shown = (name: MetricName) => figure(value(name), METRICS[name].digits);
    const compare = (
      peers: readonly string[],
      name: MetricName,
      what: string,
      best: (...values: number[]) => number,
      holds: (ratio: number) => boolean,
    ) => {
      const there = peers.filter((peer) => this.#medians.has(peer));
      if (there.length === 0) return;
      const theirs = there.map((peer) => this.#medians.get(peer)![name]).filter((each) => each !== undefined);
      const bar = theirs.length > 0 ? best(...theirs) : undefined;
      add(`${what} ${there.length > 1 ? `the best of ${there.join(", ")}` : there[0]}`, [value(name), bar], () => {
        const ratio = value(name)! / bar!;
        return [holds(ratio), `${figure(ratio, 3)} ×`];
      });
    };

    return {
      /** At least `factor` times what `base` reaches. */
      timesThatOf: (base: string, name: MetricName, factor: number, what: string) =>
        compare([base], name, `${what} ≥ ${factor} ×`, Math.max, (ratio) => ratio >= factor),
      /** At least `factor` times what the best of `peers` reaches. */
      timesBest: (peers: readonly string[], name: MetricName, factor: number, what: string) =>
        compare(peers, name, `${what} ≥ ${factor} ×`, Math.max, (ratio) => ratio >= factor),
      /** No more than `factor` times what the best of `peers` has. */
      atMostTimes: (peers: readonly string[], name: MetricName, factor: number, what: string) =>
        compare(peers, name, `${what} ≤ ${factor} ×`, Math.min, (ratio) => ratio <= factor),
      atLeast: (name: MetricName, bound: number, what: string) =>
        add(`${what} ≥ ${figure(bound, 0)}`, [value(name)], () => [value(name)! >= bound, shown(name)]),
      atMost: (name: MetricName, bound: number, what: string) =>
        add(`${what} ≤ ${figure(bound, 0)}`, [value(name)], () => [value(name)! <= bound, shown(name)]),
      /** No more than twice the idle value and an allowance. */
      underLoad: (idle: MetricName, loaded: MetricName, what: string) =>
        add(`${what} ≤ 2 × idle + ${LOAD_ALLOWANCE} ms`, [value(idle), value(loaded)], () => {
          const bound = 2 * value(idle)! + LOAD_ALLOWANCE;
          return [value(loaded)! <= bound, `${figure(value(loaded), 1)} ms against ${figure(bound, 1)} ms`];
        }),
    };
  }
}
