/**
 * A path, and as whom it is touched: every file of a state is reached through one of these.
 *
 * @module
 */

import type { FileFacts, StateFile } from "../../net/kernel/native_file.ts";
import { OthersSpot } from "./others_spot.ts";
import { OwnSpot } from "./own_spot.ts";
import { actorFor, type PathActor } from "./path_actor.ts";
import type { SystemCalls } from "../../net/kernel/system_calls.ts";

/** How a file is opened: to read, to read and write, or made anew where nothing stands. */
export type Opening = "read" | "edit" | "new";

/** A path as it is reached. What the system says is thrown; what is not there is `undefined`, or NotFound. */
export interface Spot {
  /** For messages. */
  readonly path: string;
  /** The other user as whom all is done, if it is not this process. */
  readonly actor: PathActor | undefined;
  /** What stands there; a link is followed. */
  facts(): FileFacts | undefined;
  /** What stands there, a link too. */
  ownFacts(): FileFacts | undefined;
  /** Opens a file. One that is made gets `mode`, whatever the umask. */
  open(how: Opening, mode?: number): StateFile;
  /** The text of a file, which is never waited for. */
  readText(limit: number): string;
  /** A descriptor to lock, which the caller closes; `undefined` where there are no system calls. */
  openLock(calls: SystemCalls, mode: number | undefined): number;
  makeFolder(mode: number): void;
  /** Removes a file. */
  remove(): void;
  /** Puts what stands here in the place of another that stands beside it. */
  replace(other: Spot): void;
  /** Gives it the owner and group of `facts`, as far as may be. */
  giveTo(facts: FileFacts): void;
  /** The names in a folder. */
  names(): string[];
  folder(): Spot;
  /** What has the same name with `suffix` behind it. */
  beside(suffix: string): Spot;
  /** What is in this folder under a name. */
  within(name: string): Spot;
  /** Where links lead from here; itself if it is none. */
  target(): Spot;
}

/** The spot of a path, touched as whoever has it in hand, or as `actor` from the root on. */
export function spotOf(path: string, actor?: PathActor): Spot {
  const own = actorFor(path);
  if (own) return new OthersSpot(own, own.base, own.rest, path);
  return actor ? new OthersSpot(actor, "/", absolute(path), path) : new OwnSpot(path);
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}
