/**
 * History in a file of the state, by the SQLite of the runtime.
 *
 * The tables are rings: a point has the place of that of a day before. So there are never more rows than a day has steps,
 * and no more devices than {@linkcode MAX_HISTORY_DEVICES}. What is lost by a crash is history, and no more: nothing waits
 * for the disk, and a file that is of another kind or version, or damaged, is made anew: at the latest at the next start.
 *
 * @module
 */

import type { DatabaseSync } from "node:sqlite";
import { actAs } from "../../app/files/path_actor.ts";
import { type Spot, spotOf } from "../../app/files/spot.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { DEVICE_STEP_MS, HISTORY_MS, HISTORY_STEP_MS, MAX_HISTORY_BYTES, MAX_HISTORY_DEVICES } from "./limits.ts";
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
    slot INTEGER, device INTEGER, time INTEGER, clients INTEGER, bytesUp INTEGER, bytesDown INTEGER, roundTrip REAL,
    PRIMARY KEY (slot, device)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

/** What SQLite writes at the beginning of a file. */
const HEADER = "SQLite format 3\0";

/** Points that are written in one turn of the event loop. */
const BATCH = 64;

/** Places of a device's points: those of one time stand together, so that few pages are written. */
const SLOTS = Array.from({ length: HISTORY_MS / DEVICE_STEP_MS }, (_, slot) => slot);

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
  if (facts && !facts.isFile) {
    throw new ConfigError(`${path} is ${facts.isSymlink ? "a link" : "not a file"}`); // which leads elsewhere, or is waited for
  }
  if (facts && !await isDatabase(spot)) spot.remove();
  const open = () => {
    if (!spot.ownFacts()) spot.open("new", 0o600)[Symbol.dispose]();
    const make = () => new DatabaseSync(path);
    const db = actor ? actAs(actor, make) : make();
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get(); // it says by a number that a file is damaged, as exec does not
      db.exec(SETTINGS);
      const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
      if (version !== 0 && version !== VERSION) throw new StrangeError(`${path} is of another version`);
      db.exec(TABLES);
      return new HistoryFile(db, () => spot.remove());
    } catch (error) {
      db.close();
      throw error;
    }
  };
  try {
    return open();
  } catch (error) {
    if (!(error instanceof StrangeError) && !isDamage(error)) throw error;
    spot.remove();
    return open();
  }
}

/** Whether a file begins as one of SQLite's, or is empty. */
async function isDatabase(spot: Spot): Promise<boolean> {
  using file = spot.open("read");
  const begin = new Uint8Array(HEADER.length);
  const count = await file.read(begin) ?? 0;
  return count === 0 || new TextDecoder().decode(begin.subarray(0, count)) === HEADER;
}

/** The file is SQLite's, and not of this version. */
class StrangeError extends Error {
  override readonly name = "StrangeError";
}

/** What SQLite says of a file that is not as it wrote it: SQLITE_CORRUPT and SQLITE_NOTADB. */
const DAMAGED: readonly unknown[] = [11, 26];

function isDamage(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && DAMAGED.includes(error.errcode);
}

type Row = Record<string, number | null>;

/** The statements, read by SQLite once. */
function statements(db: DatabaseSync) {
  return {
    addTotal: db.prepare("INSERT OR REPLACE INTO totals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    totals: db.prepare("SELECT * FROM totals WHERE time > ? ORDER BY time"),
    add: db.prepare("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?, ?, ?)"),
    point: db.prepare("SELECT time, clients, bytesUp, bytesDown, roundTrip FROM points WHERE slot = ? AND device = ?"),
    forget: db.prepare("DELETE FROM points WHERE slot = ? AND device = ?"),
    ids: db.prepare("SELECT key, id FROM devices"),
    addDevice: db.prepare("INSERT INTO devices (key, seen) VALUES (?, ?)"),
    seen: db.prepare("UPDATE devices SET seen = ? WHERE id = ?"),
    oldest: db.prepare(
      "DELETE FROM devices WHERE id = (SELECT id FROM devices ORDER BY seen LIMIT 1) RETURNING id, key",
    ),
  };
}

class HistoryFile implements HistoryStore {
  readonly #db: DatabaseSync;
  readonly #do: ReturnType<typeof statements>;
  /** Numbers of devices, by their keys. */
  readonly #ids: Map<string, number>;
  readonly #remove: () => void;
  #isDamaged = false;

  /** `remove`: removes the file, if it turns out to be damaged. */
  constructor(db: DatabaseSync, remove: () => void) {
    this.#db = db;
    this.#remove = remove;
    this.#do = statements(db);
    this.#ids = new Map(this.#do.ids.all().map(({ key, id }) => [String(key), Number(id)]));
  }

  *save(totals: readonly TotalPoint[], devices: readonly KeyedPoint[]): Generator<void, void, void> {
    this.#together(() => {
      for (const point of totals) {
        const { time, online, interrupted, clients, bytesUp, bytesDown } = point;
        const { roundTrip, roundTripMost, losses, refused } = point;
        const slot = slotOf(time, HISTORY_STEP_MS);
        const values = [slot, time, online, interrupted, clients, bytesUp, bytesDown];
        this.#do.addTotal.run(...values, roundTrip, roundTripMost, losses, refused);
      }
    });
    for (let at = 0; at < devices.length; at += BATCH) {
      yield;
      this.#together(() => {
        for (const [key, { time, clients, bytesUp, bytesDown, roundTrip }] of devices.slice(at, at + BATCH)) {
          const slot = slotOf(time, DEVICE_STEP_MS);
          this.#do.add.run(slot, this.#idOf(key, time), time, clients, bytesUp, bytesDown, roundTrip);
        }
      });
    }
  }

  totals(from: number): TotalPoint[] {
    const rows = this.#noticed(() => this.#do.totals.all(from)) as Row[];
    return rows.map(({ slot: _slot, ...point }) => point) as unknown as TotalPoint[];
  }

  device(key: string, from: number): DevicePoint[] {
    const id = this.#ids.get(key);
    if (id === undefined) return [];
    const found = this.#noticed(() => SLOTS.map((slot) => this.#do.point.get(slot, id)));
    const rows = found.filter((row) => row !== undefined);
    const points = rows.map((row) => ({ ...row })) as unknown as DevicePoint[];
    return points.filter(({ time }) => time > from).sort((a, b) => a.time - b.time);
  }

  close(): void {
    this.#db.close();
    if (this.#isDamaged) this.#remove();
  }

  /** Runs `fn`, and remembers if it finds damage. */
  #noticed<T>(fn: () => T): T {
    try {
      return fn();
    } catch (error) {
      this.#isDamaged ||= isDamage(error);
      throw error;
    }
  }

  /** The number of a device; a new one takes the place of the one that was seen longest ago, if there is no other. */
  #idOf(key: string, time: number): number {
    const known = this.#ids.get(key);
    if (known !== undefined) {
      this.#do.seen.run(time, known);
      return known;
    }
    if (this.#ids.size >= MAX_HISTORY_DEVICES) {
      const { id, key: gone } = this.#do.oldest.get() as { id: number; key: string };
      this.#ids.delete(gone);
      for (const slot of SLOTS) this.#do.forget.run(slot, id);
    }
    const id = Number(this.#do.addDevice.run(key, time).lastInsertRowid);
    this.#ids.set(key, id);
    return id;
  }

  #together(fn: () => void): void {
    this.#db.exec("BEGIN");
    try {
      this.#noticed(fn);
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
