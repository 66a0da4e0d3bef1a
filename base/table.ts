/**
 * Tables for people.
 *
 * @module
 */

/** Columns as wide as what stands in them; the first row is the head. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
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
