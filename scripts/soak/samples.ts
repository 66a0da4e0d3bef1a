/**
 * What was seen of a daemon, and where it goes.
 *
 * @module
 */

/** A daemon at a time. */
export interface Sample {
  /** Hours since the beginning. */
  readonly hour: number;
  /** Resident bytes. */
  readonly memory: number;
  /** Open descriptors. */
  readonly descriptors: number;
}

/** The least that was seen in each minute. */
export class MinuteLow {
  /** One for each minute. */
  readonly samples: Sample[] = [];
  #memory = Infinity;
  #descriptors = Infinity;

  /** Takes what was seen now. */
  saw({ memory, descriptors }: Omit<Sample, "hour">): void {
    this.#memory = Math.min(this.#memory, memory);
    this.#descriptors = Math.min(this.#descriptors, descriptors);
  }

  /** The minute is over. @returns what was the least in it. */
  next(hour: number): Sample {
    const sample = { hour, memory: this.#memory, descriptors: this.#descriptors };
    this.samples.push(sample);
    this.#memory = this.#descriptors = Infinity;
    return sample;
  }
}

/** The slope of the line through points with the least squares; 0 for fewer than two. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [middleX, middleY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
  return spread > 0 ? points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0) / spread : 0;
}

/**
 * How much the highest of the last quarter is above the highest of the two quarters before it, for each step of x between
 * them; 0 for fewer than four points. Of a line that is its slope. Heaps give back at once what grew over many minutes, so
 * that a line through some of such teeth rises, though no tooth is higher than the one before.
 */
export function growth(points: readonly (readonly [x: number, y: number])[]): number {
  const quarter = Math.floor(points.length / 4);
  if (quarter === 0) return 0;
  const highest = (part: typeof points) => Math.max(...part.map(([, y]) => y));
  const [before, last] = [points.slice(-3 * quarter, -quarter), points.slice(-quarter)];
  return (highest(last) - highest(before)) / (last.at(-1)![0] - before.at(-1)![0]);
}
