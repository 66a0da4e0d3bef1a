/**
 * A path in somebody else's hand: root opens the folder that it has found by itself, and goes on as that user from there.
 *
 * @module
 */

import { MAX_LINKS } from "../limits.ts";
import {
  factsAt,
  type FileFacts,
  linkAt,
  lockFlags,
  namesAt,
  NativeFile,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  openAt,
  readThrough,
  type StateFile,
} from "../../net/kernel/native_file.ts";
import { actAs, type PathActor } from "./path_actor.ts";
import { dirname, unlessMissing } from "./paths.ts";
import type { Opening, Spot } from "./spot.ts";
import { cString, type SystemCalls, systemCalls, systemError } from "../../net/kernel/system_calls.ts";

/** A path as another user reaches it. */
export class OthersSpot implements Spot {
  readonly #base: string;
  readonly #rest: string;

  constructor(readonly actor: PathActor, base: string, rest: string, readonly path: string) {
    this.#base = base;
    this.#rest = rest.replace(/^\/+/, "");
  }

  facts(): FileFacts | undefined {
    return unlessMissing(() => this.#as((calls, base) => factsAt(calls, base, this.#rest)));
  }

  ownFacts(): FileFacts | undefined {
    return unlessMissing(() => this.#as((calls, base) => factsAt(calls, base, this.#rest, false)));
  }

  open(how: Opening, mode = 0o600): StateFile {
    const flags = how === "read" ? O_RDONLY : how === "edit" ? O_RDWR : O_WRONLY | O_CREAT | O_EXCL;
    return this.#as((calls, base) => {
      const fd = openAt(calls, base, this.#rest, flags, mode);
      if (how === "new") calls.fchmod(fd, mode);
      return new NativeFile(calls, fd, this.path);
    });
  }

  readText(limit: number): string {
    return this.#as((calls, base) => readThrough(calls, this.path, limit, openAt(calls, base, this.#rest, O_RDONLY)));
  }

  openLock(_calls: SystemCalls, mode: number | undefined): number {
    return this.#as((calls, base) => openAt(calls, base, this.#rest, lockFlags(mode), mode));
  }

  makeFolder(mode: number): void {
    this.#do("mkdir", (calls, base) => calls.mkdirat(base, cString(this.#rest), mode));
  }

  remove(): void {
    this.#do("remove", (calls, base) => calls.unlinkat(base, cString(this.#rest), 0));
  }

  replace(other: Spot): void {
    if (!(other instanceof OthersSpot) || other.#base !== this.#base) throw new TypeError("not in one place");
    this.#do("rename", (calls, base) => calls.renameat(base, cString(this.#rest), base, cString(other.#rest)));
  }

  giveTo(): void {
    // What that user makes is that user's.
  }

  names(): string[] {
    return this.#as((calls, base) => namesAt(calls, base, this.#rest));
  }

  folder(): Spot {
    return this.#at(dirname(this.#rest), dirname(this.path));
  }

  beside(suffix: string): Spot {
    return this.#at(this.#rest + suffix, this.path + suffix);
  }

  within(name: string): Spot {
    return this.#at(this.#rest === "" ? name : `${this.#rest}/${name}`, `${this.path}/${name}`);
  }

  target(): Spot {
    let spot: OthersSpot = new OthersSpot(this.actor, this.#base, this.#rest, this.path);
    for (let links = 0; spot.ownFacts()?.isSymlink && links < MAX_LINKS; links++) {
      const link: string = spot.#as((calls, base) => linkAt(calls, base, spot.#rest));
      spot = link.startsWith("/")
        ? new OthersSpot(this.actor, "/", link, link)
        : spot.#at(`${dirname(spot.#rest)}/${link}`, `${dirname(spot.path)}/${link}`);
    }
    return spot;
  }

  #at(rest: string, path: string): OthersSpot {
    return new OthersSpot(this.actor, this.#base, rest, path);
  }

  /** Runs `fn` as the other user, with the folder that root has opened. */
  #as<T>(fn: (calls: SystemCalls, base: number) => T): T {
    const open = (calls: SystemCalls) => openAt(calls, undefined, this.#base, O_PATH | O_DIRECTORY | O_NOFOLLOW);
    const calls = systemCalls();
    const base = calls && open(calls);
    try {
      return actAs(this.actor, (calls) => fn(calls, base!)); // without system calls it does not come so far
    } finally {
      if (calls) calls.close(base!);
    }
  }

  #do(doing: string, call: (calls: SystemCalls, base: number) => number): void {
    this.#as((calls, base) => {
      if (call(calls, base) !== 0) throw systemError(calls, doing, this.path);
    });
  }
}
