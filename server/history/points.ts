/**
 * What the history of a day is made of.
 *
 * @module
 */

/** The whole server, over one step. Times are milliseconds since 1970, spans milliseconds. */
export interface TotalPoint {
  /** The end of the step. */
  readonly time: number;
  /** Devices with a link, then. */
  readonly online: number;
  /** Devices whose session waited for another link, then. */
  readonly interrupted: number;
  /** Clients that were there, then. */
  readonly clients: number;
  /** Bytes from clients to services, in the step. */
  readonly bytesUp: number;
  /** Bytes from services to clients, in the step. */
  readonly bytesDown: number;
  /** The median of the devices' last round trips. */
  readonly roundTrip: number | null;
  /** The longest of them. */
  readonly roundTripMost: number | null;
  /** Links that were lost, in the step. */
  readonly losses: number;
  /** Who was refused, in the step. */
  readonly refused: number;
}

/** A device with a session, over one step of its own. */
export interface DevicePoint {
  readonly time: number;
  readonly clients: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly roundTrip: number | null;
}

/** A point and the public key of its device. */
export type KeyedPoint = readonly [key: string, point: DevicePoint];

/** Where points are kept. */
export interface HistoryStore {
  /** Keeps points of devices; those of the whole server, if it outlives the process. */
  save(totals: readonly TotalPoint[], devices: readonly KeyedPoint[]): Generator<void, void, void>;
  /** The points of the whole server since a time, oldest first. */
  totals(from: number): TotalPoint[];
  /** The points of a device since a time, oldest first. */
  device(key: string, from: number): DevicePoint[];
  close(): void;
}

/** Joins points into longer steps: what was in the step is added, what held then is that of the last, or the greatest. */
export function joined(points: readonly TotalPoint[], step: number): TotalPoint[] {
  const steps = Map.groupBy(points, ({ time }) => Math.ceil(time / step) * step);
  return [...steps].map(([time, group]) => ({
    time,
    online: group.at(-1)!.online,
    interrupted: most(group, "interrupted") ?? 0,
    clients: most(group, "clients") ?? 0,
    bytesUp: sum(group, "bytesUp"),
    bytesDown: sum(group, "bytesDown"),
    roundTrip: group.findLast(({ roundTrip }) => roundTrip !== null)?.roundTrip ?? null,
    roundTripMost: most(group, "roundTripMost"),
    losses: sum(group, "losses"),
    refused: sum(group, "refused"),
  }));
}

type Name = Exclude<keyof TotalPoint, "time">;

function sum(points: readonly TotalPoint[], name: Name): number {
  return points.reduce((all, point) => all + (point[name] ?? 0), 0);
}

function most(points: readonly TotalPoint[], name: Name): number | null {
  return points.reduce<number | null>(
    (all, { [name]: value }) => value === null ? all : Math.max(all ?? 0, value),
    null,
  );
}
