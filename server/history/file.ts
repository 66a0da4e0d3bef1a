/**
 * History in a file of the state, by the SQLite of the runtime.
 *
 * The tables are rings: a point has the place of that of a day before. So there are never more rows than a day has steps,
 * and no more devices than {@linkcode MAX_HISTORY_DEVICES}. What is lost by a crash is history, and no more: nothing waits
 * for the disk, and a file that is damaged is made anew.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { actAs } from "../../app/files/path_actor.ts";
import { spotOf } from "../../app/files/spot.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { DEVICE_STEP_MS, HISTORY_MS, HISTORY_STEP_MS, MAX_HISTORY_BYTES, MAX_HISTORY_DEVICES } from "../limits.ts";
import type { DevicePoint, HistoryStore, KeyedPoint, TotalPoint } from "./points.ts";

/** Its name in the folder of the state. */
export const HISTORY_FILE = "history.sqlite";

/** Of the tables: a file of another is made anew. */
const VERSION = 1;
const PAGE_BYTES = 4_096;

const SETTINGS = `
  PRAGMA page_size = ${PAGE_BYTES};
  PRAGMA max_page_count = ${MAX_HISTORY_BYTES / PAGE_BYTES};
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = MEMORY;
  PRAGMA synchronous = OFF;
  PRAGMA temp_store = MEMORY;
  PRAGMA trusted_schema = OFF;
`;

const TABLES = `
  CREATE TABLE IF NOT EXISTS totals (
    slot INTEGER PRIMARY KEY, time INTEGER, online INTEGER, interrupted INTEGER, clients INTEGER, bytesUp INTEGER,
    bytesDown INTEGER, roundTrip REAL, roundTripMost REAL, losses INTEGER, refused INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS devices (id INTEGER PRIMARY KEY, key TEXT UNIQUE, seen INTEGER) STRICT;
  CREATE TABLE IF NOT EXISTS points (
    device INTEGER, slot INTEGER, time INTEGER, clients INTEGER, bytesUp INTEGER, bytesDown INTEGER, roundTrip REAL,
    PRIMARY KEY (device, slot)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** Points that are written in one turn of the event loop. */
const BATCH = 128;

/**
 * Opens the file in a state's folder.
 *
 * @throws whatever keeps it from being had: no SQLite in the runtime, a disk that is full, another process that has it.
 */
export async function openHistoryFile(folder: string): Promise<HistoryStore> {
  const { DatabaseSync } = await import("node:sqlite");
  const spot = spotOf(`${folder}/${HISTORY_FILE}`);
  const { path, actor } = spot;
  const facts = spot.ownFacts();
  if (facts?.isSymlink) throw new ConfigError(`${path} is a link`);
  const open = () => {
    if (!spot.ownFacts()) spot.open("new", 0o600)[Symbol.dispose]();
    const make = () => new DatabaseSync(path);
    const db = actor ? actAs(actor, make) : make();
    try {
      db.exec(SETTINGS);
      const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
      if (version !== 0 && version !== VERSION) throw new DamagedError(`${path} is of another version`);
      db.exec(TABLES);
      return new HistoryFile(db);
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!(error instanceof DamagedError) && !/malformed|not a database/.test(String(error))) throw error;
    spot.remove();
    return open();
  }
}

class DamagedError extends Error {
  override readonly name = "DamagedError";
}

type Row = Record<string, number | null>;

class HistoryFile implements HistoryStore {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  *save(totals: readonly TotalPoint[], devices: readonly KeyedPoint[]): Generator<void, void, void> {
    const addTotal = this.#db.prepare("INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    this.#together(() => {
      for (const point of totals) {
        const { time, online, interrupted, clients, bytesUp, bytesDown } = point;
        const { roundTrip, roundTripMost, losses, refused } = point;
        const slot = slotOf(time, HISTORY_STEP_MS);
        addTotal.run(
          ...[slot, time, online, interrupted, clients, bytesUp, bytesDown, roundTrip, roundTripMost, losses, refused],
        );
      }
    });
    const add = this.#db.prepare("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (let at = 0; at < devices.length; at += BATCH) {
      yield;
      this.#together(() => {
        for (const [key, { time, clients, bytesUp, bytesDown, roundTrip }] of devices.slice(at, at + BATCH)) {
          const slot = slotOf(time, DEVICE_STEP_MS);
          add.run(this.#idOf(key, time), slot, time, clients, bytesUp, bytesDown, roundTrip);
        }
      });
    }
  }

  totals(from: number): TotalPoint[] {
    const rows = this.#db.prepare("SELECT * FROM totals WHERE time > ? ORDER BY time").all(from) as Row[];
    return rows.map(({ slot: _slot, ...point }) => ({ ...point })) as unknown as TotalPoint[];
  }

  device(key: string, from: number): DevicePoint[] {
    const rows = this.#db.prepare(
      "SELECT time, clients, bytesUp, bytesDown, roundTrip FROM points " +
        "WHERE device = (SELECT id FROM devices WHERE key = ?) AND time > ? ORDER BY time",
    ).all(key, from) as Row[];
    return rows.map((row) => ({ ...row })) as unknown as DevicePoint[];
  }

  close(): void {
    this.#db.close();
  }

  /** The number of a device; a new one has that of the one that was seen longest ago, if there are as many as may be. */
  #idOf(key: string, time: number): number {
    const known = this.#db.prepare("UPDATE devices SET seen = ? WHERE key = ? RETURNING id").get(time, key);
    if (known) return Number(known["id"]);
    const { count } = this.#db.prepare("SELECT count(*) AS count FROM devices").get() as { count: number };
    if (count >= MAX_HISTORY_DEVICES) {
      const gone = this.#db.prepare(
        "DELETE FROM devices WHERE id = (SELECT id FROM devices ORDER BY seen LIMIT 1) RETURNING id",
      )
        .get();
      this.#db.prepare("DELETE FROM points WHERE device = ?").run(gone!["id"]!);
    }
    return Number(this.#db.prepare("INSERT INTO devices (key, seen) VALUES (?, ?)").run(key, time).lastInsertRowid);
  }

  #together(fn: () => void): void {
    this.#db.exec("BEGIN");
    try {
      fn();
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

/** The place in a ring of a day. */
function slotOf(time: number, step: number): number {
  return Math.round(time / step) % (HISTORY_MS / step);
}
