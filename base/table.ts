/**
 * Tables for people.
 *
 * @module
 */

/** How a table is made smaller. */
export interface TableFit {
  /** Columns of cells that are left out where nothing stands in them. */
  readonly optional?: readonly number[];
  /** Its columns on the terminal; without it nothing is cut. */
  readonly width?: number | undefined;
  /** Which columns of cells are left out if it would be wider, one after the other. */
  readonly drop?: readonly number[];
  /** Which are cut if it still would be, likewise. */
  readonly shorten?: readonly number[];
}

/** Columns that are left of a cell that is cut. */
const MIN_CELL = 8;

/** Columns as wide as what stands in them, and within `fit`, if that can be; the first row is the head. */
export function tableLines(rows: readonly (readonly string[])[], fit: TableFit = {}): string[] {
  const { optional = [], width = Infinity, drop = [], shorten = [] } = fit;
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const shown = new Set(widths.keys());
  for (const column of optional) if (rows.slice(1).every((row) => row[column] === "")) shown.delete(column);
  const excess = () => [...shown].reduce((sum, column) => sum + widths[column]! + 2, -2) - width;
  for (const column of drop) if (excess() > 0) shown.delete(column);
  for (const column of shorten) {
    if (!shown.has(column)) continue;
    widths[column] = Math.max(Math.min(widths[column]!, MIN_CELL), widths[column]! - Math.max(0, excess()));
  }
  const columns = [...shown];
  return rows.map((row) =>
    columns.map((column) => cut(row[column]!, widths[column]!).padEnd(widths[column]!)).join("  ").trimEnd()
  );
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** As many of some words as fit into `width`, and how many there are besides. */
export function fitList(words: readonly string[], width: number): string {
  const whole = words.join(" ");
  if (whole.length <= width) return whole;
  for (let count = words.length - 1; count > 0; count--) {
    const text = `${words.slice(0, count).join(" ")} +${words.length - count}`;
    if (text.length <= width) return text;
  }
  const more = words.length > 1 ? ` +${words.length - 1}` : "";
  return cut(words[0]!, width - more.length) + more;
}

/** How many there are of something, as in `1 client` and `2 clients`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes as in `512 B` or `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let [size, at] = [bytes, 0];
  for (; size >= 1024 && at < UNITS.length - 1; at++) size /= 1024;
  return `${at === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${UNITS[at]}`;
}

/** How long ago something was, in its two largest units: `45s`, `3h 12m`, `12d 4h`. */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [[86_400, "d"], [3_600, "h"], [60, "m"], [1, "s"]] as const;
  const from = parts.findIndex(([size]) => seconds >= size);
  if (from < 0) return "0s";
  let rest = seconds;
  const words = parts.slice(from, from + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return words.filter(Boolean).join(" ");
}
