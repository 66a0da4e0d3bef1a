/**
 * The whole suite in parts, each of them a process of `deno test`: most of what tests do is to wait, so several parts go
 * side by side.
 *
 * @module
 */

/** Test files that run in one process. */
export interface Part {
  readonly name: string;
  readonly files: readonly string[];
  /** The engine that they run on; without one, what the environment says. */
  readonly engine?: string;
}

/** Rooms whose files start processes and wait for them: how many parts they make. Every other room is one. */
const SLICES: Readonly<Record<string, number>> = { "tests/e2e": 8, "tests/faults": 5, "tests/v2": 2, "server": 2 };

/** What measures how long a turn of a loop takes, or what a crowd costs: it has the machine for itself, at the end. */
export const ALONE: readonly string[] = [
  "server/devices/reader_test.ts",
  "server/large_fleet_test.ts",
  "tests/e2e/v2_crowd_test.ts",
  "tests/faults/few_descriptors_test.ts",
  "tests/faults/v2_latency_test.ts",
];

/** What runs on the portable engine as well: whole relays, and what sockets are put through. */
export const PORTABLE: readonly string[] = [
  "tests/v1/",
  "tests/v2/",
  "tests/resets_test.ts",
  ...["v1_link_cut", "v1_peers_gone", "v1_strangers", "v2_strangers", "v2_take_over"].map((name) =>
    `tests/faults/${name}_test.ts`
  ),
];

/** Rooms whose tests run the program in processes, and so can run compiled binaries in their place. */
const WITH_PROCESSES: readonly string[] = ["tests/e2e/", "tests/faults/"];

/**
 * What does not depend on being compiled, and is not repeated with binaries: how links and sessions end and are resumed in
 * all their ways, and what an API answers to whatever it is asked. That a cut harms no client, that a silent link is
 * given up, and that API and dashboard work is in what is left.
 */
export const FROM_SOURCE: readonly string[] = [
  "tests/e2e/api_fuzz_test.ts",
  "tests/e2e/dashboard_acts_test.ts",
  "tests/faults/silent_services_test.ts",
  "tests/faults/v1_half_open_test.ts",
  "tests/faults/v1_keep_alive_test.ts",
  "tests/faults/v1_link_cut_test.ts",
  "tests/faults/v1_strangers_test.ts",
  "tests/faults/v2_latency_test.ts",
  "tests/faults/v2_resume_test.ts",
  "tests/faults/v2_silent_uplink_test.ts",
];

/** All files with tests below a folder, by their paths from there. */
export function testFiles(root: string, folder = ""): string[] {
  const found: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${root}/${folder}`)) {
    if (isDirectory && !/^(\.|dist$|node_modules$)/.test(name)) found.push(...testFiles(root, `${folder}${name}/`));
    else if (name.endsWith("_test.ts")) found.push(folder + name);
  }
  return found.toSorted();
}

/**
 * The parts of these files that may go side by side, those that take long first; the parts of one room are spread, so that
 * what works hard runs beside what waits. What is {@linkcode ALONE} is in none.
 */
export function partsOf(files: readonly string[], engine?: string): Part[] {
  const rooms = Map.groupBy(files.filter((file) => !ALONE.includes(file)), roomOf);
  const placed = [...rooms].flatMap(([room, files]) => {
    const count = SLICES[room] ?? 1;
    return Array.from({ length: count }, (_, n) => ({
      place: count === 1 ? 1 : n / count,
      part: {
        name: count === 1 ? room : `${room} ${n + 1}/${count}`,
        files: files.filter((_, at) => at % count === n),
        ...(engine && { engine }),
      },
    }));
  });
  return placed.toSorted((a, b) => a.place - b.place).map(({ part }) => part).filter(({ files }) => files.length > 0);
}

/** What has to have the machine for itself. */
export function alone(files: readonly string[], engine?: string): Part[] {
  const found = files.filter((file) => ALONE.includes(file));
  return found.length === 0 ? [] : [{ name: "what measures", files: found, ...(engine && { engine }) }];
}

/** The files that run on the portable engine, too. */
export function portable(files: readonly string[]): string[] {
  return files.filter((file) => PORTABLE.some((path) => file.startsWith(path)));
}

/** The files that run with compiled binaries. */
export function compiled(files: readonly string[]): string[] {
  return files.filter((file) => WITH_PROCESSES.some((path) => file.startsWith(path)) && !FROM_SOURCE.includes(file));
}

/** The room of a file: a folder of `tests/`, `tests` itself, or else the first folder of its path. */
function roomOf(file: string): string {
  const [room, folder, ...rest] = file.split("/");
  return room === "tests" && rest.length > 0 ? `${room}/${folder}` : room!;
}
