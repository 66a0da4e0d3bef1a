/**
 * Memory and CPU time of processes, from /proc; unknown where there is none.
 *
 * @module
 */

/** Clock ticks of /proc in a second; the same on every Linux that Deno runs on. */
const TICKS = 100;

/** The processes and all their descendants. */
export function processTree(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const pid of allPids()) {
    const parent = Number(statFields(pid)?.[1]);
    if (!Number.isNaN(parent)) children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const tree: number[] = [];
  const queue = [...roots];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    tree.push(pid);
    queue.push(...children.get(pid) ?? []);
  }
  return tree;
}

/** Resident bytes of the processes and their descendants, summed. */
export function residentBytes(roots: readonly number[]): number | undefined {
  let sum = 0;
  for (const pid of processTree(roots)) {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? "");
    sum += Number(kilobytes?.[1] ?? 0) * 1024;
  }
  return sum > 0 ? sum : undefined;
}

/** Anonymous bytes of the process among `roots` that has most: what its program does not share with its file. */
export function anonymousBytes(roots: readonly number[]): number | undefined {
  const each = processTree(roots).map((pid) => {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? "");
    return Number(kilobytes?.[1] ?? 0) * 1024;
  });
  const most = Math.max(0, ...each);
  return most > 0 ? most : undefined;
}

/** CPU seconds that the processes and their living descendants have used. */
export function cpuSeconds(roots: readonly number[]): number | undefined {
  let ticks: number | undefined;
  for (const pid of processTree(roots)) {
    const fields = statFields(pid);
    if (fields) ticks = (ticks ?? 0) + Number(fields[11]) + Number(fields[12]); // utime and stime
  }
  return ticks === undefined ? undefined : ticks / TICKS;
}

/** The fields of /proc/PID/stat behind the command, of which the first is the state and the second the parent. */
function statFields(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function allPids(): number[] {
  try {
    return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined; // no /proc, or the process has just ended
  }
}
