/**
 * What the kernel says of processes, and of itself, in `/proc`. A compiled program has no permission to look there, but for system calls.
 *
 * @module
 */

import { factsAt, namesAt, readNow } from "./native_file.ts";
import { systemCalls } from "./system_calls.ts";

const AT_FDCWD = -100;
const DESCRIPTORS = "/proc/self/fd";

/** Bytes of such a text at most; the one about a process has about 1,500. */
const TEXT_SIZE = 64 * 1024;

/** A text of the kernel's; `undefined` where there is none, or it may not be read. */
export function kernelText(path: string): string | undefined {
  try {
    return readNow(path, TEXT_SIZE);
  } catch {
    return undefined; // no Linux, no permission, or another user's
  }
}

/** Bytes of memory that are no file (RssAnon); `undefined` where that is not known. */
export function anonymousMemory(): number | undefined {
  const [, kib] = /^RssAnon:\s+(\d+) kB$/m.exec(kernelText("/proc/self/status") ?? "") ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Descriptors that are open, as kernels from 6.2 on count them; `undefined` where that is not known. */
export function countedDescriptors(): number | undefined {
  try {
    const calls = systemCalls();
    const { size } = calls ? factsAt(calls, AT_FDCWD, DESCRIPTORS) : Deno.statSync(DESCRIPTORS);
    return size > 0 ? size : undefined;
  } catch {
    return undefined;
  }
}

/** The same, by counting them: not for every day where there are many. */
export function countDescriptors(): number | undefined {
  try {
    const calls = systemCalls();
    const names = calls ? namesAt(calls, AT_FDCWD, DESCRIPTORS) : [...Deno.readDirSync(DESCRIPTORS)];
    return names.length - 1; // one is that of the folder
  } catch {
    return undefined;
  }
}
