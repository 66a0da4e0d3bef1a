/**
 * A path that this process touches as it is, through the runtime.
 *
 * @module
 */

import { type FileFacts, lockFlags, openAt, readNow, type StateFile } from "../../net/kernel/native_file.ts";
import { dirname, unlessMissing } from "./paths.ts";
import type { Opening, Spot } from "./spot.ts";
import type { SystemCalls } from "../../net/kernel/system_calls.ts";

/** A path of this process's. */
export class OwnSpot implements Spot {
  readonly actor = undefined;

  constructor(readonly path: string) {}

  facts(): FileFacts | undefined {
    return unlessMissing(() => factsOf(Deno.statSync(this.path)));
  }

  ownFacts(): FileFacts | undefined {
    return unlessMissing(() => factsOf(Deno.lstatSync(this.path)));
  }

  open(how: Opening, mode = 0o600): StateFile {
    if (how === "read") return new OwnFile(Deno.openSync(this.path));
    if (how === "edit") return new OwnFile(Deno.openSync(this.path, { read: true, write: true }));
    const file = Deno.openSync(this.path, { write: true, createNew: true, mode });
    if ((mode & 0o077) !== 0) Deno.chmodSync(this.path, mode);
    return new OwnFile(file);
  }

  readText(limit: number): string {
    return readNow(this.path, limit);
  }

  openLock(calls: SystemCalls, mode: number | undefined): number {
    return openAt(calls, undefined, this.path, lockFlags(mode), mode);
  }

  makeFolder(mode: number): void {
    Deno.mkdirSync(this.path, { mode });
  }

  remove(): void {
    Deno.removeSync(this.path);
  }

  replace(other: Spot): void {
    Deno.renameSync(this.path, other.path);
  }

  giveTo({ uid, gid }: FileFacts): void {
    const mine = Deno.statSync(this.path);
    if (uid === null || mine.uid === uid && mine.gid === gid) return;
    try {
      Deno.chownSync(this.path, mine.uid === uid ? null : uid, gid);
    } catch {
      // Only root can give files away, and only those of a group can give them to it.
    }
  }

  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name);
  }

  folder(): Spot {
    return new OwnSpot(dirname(this.path));
  }

  beside(suffix: string): Spot {
    return new OwnSpot(this.path + suffix);
  }

  within(name: string): Spot {
    return new OwnSpot(`${this.path}/${name}`);
  }

  target(): Spot {
    return new OwnSpot(unlessMissing(() => Deno.realPathSync(this.path)) ?? this.path);
  }
}

function factsOf(info: Deno.FileInfo): FileFacts {
  const { isFile, isDirectory, isSymlink, mode, uid, gid, size, nlink, ino } = info;
  const [mtime, ctime] = [info.mtime?.getTime(), info.ctime?.getTime()];
  return { isFile, isDirectory, isSymlink, mode, uid, gid, size, nlink, ino, mtime, ctime };
}

/** A file that the runtime opened. */
class OwnFile implements StateFile {
  constructor(readonly file: Deno.FsFile) {}

  facts(): FileFacts {
    return factsOf(this.file.statSync());
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.file.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.file.write(bytes);
  }

  async rewind(): Promise<void> {
    await this.file.seek(0, Deno.SeekMode.Start);
  }

  truncate(size: number): Promise<void> {
    return this.file.truncate(size);
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  [Symbol.dispose](): void {
    this.file.close();
  }
}
