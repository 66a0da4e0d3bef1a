/**
 * What a process has open.
 *
 * @module
 */

/** 127.83.80.1, as the kernel writes it. */
const DOORBELL = "0150537F";

/**
 * How many descriptors a process has open, without those of its connection to itself (`net/native/doorbell.ts`): it comes to
 * be there some turns after the start, and stays.
 */
export function countDescriptors(pid: number): number {
  const inodes: (string | undefined)[] = [];
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) inodes.push(socketInode(`/proc/${pid}/fd/${name}`));
  const own = new Set(inodes);
  const ends = new Map<string, string>(); // of its connections over IPv4: from, to
  for (const line of Deno.readTextFileSync(`/proc/${pid}/net/tcp`).split("\n").slice(1)) {
    const [, from, to, , , , , , , inode] = line.trim().split(/\s+/);
    if (from?.startsWith(DOORBELL) && to?.startsWith(DOORBELL) && own.has(inode)) ends.set(from, to);
  }
  const toItself = [...ends].filter(([from, to]) => ends.get(to) === from).length;
  return inodes.length - toItself;
}

/** The number of the socket behind a descriptor; `undefined`: it is none, or was closed meanwhile. */
function socketInode(path: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(path))?.[1];
  } catch {
    return undefined;
  }
}
