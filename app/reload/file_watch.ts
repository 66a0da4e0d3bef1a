/**
 * Looks whether a configuration file has changed, so that nobody has to tell the daemon.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { stampOf } from "../files/private_file.ts";
import { CONFIG_POLL_MS, CONFIG_SETTLE_LOOKS } from "../limits.ts";

/** A file as it was before it was read: what changes after that is seen, also while the daemon still starts. */
export interface ConfigFile {
  readonly path: string;
  /** Differs from that of any other text there. */
  readonly stamp: string;
}

/** The file at `path` as it is now. */
export function configFile(path: string): ConfigFile {
  return { path, stamp: stampOf(path) };
}

/** What is looked at, and who hears of it. */
export interface FileWatchOptions {
  readonly file: ConfigFile;
  readonly clock: Clock;
  /** Is told once for each text that has stood still: an editor may be half through, and several files change together. */
  readonly onChange: () => void;
}

/** One file, until it is disposed of. */
export class FileWatch implements Disposable {
  readonly #options: FileWatchOptions;
  #told: string;
  #cancel: () => void;

  /** Begins to look. */
  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#told = options.file.stamp;
    this.#cancel = this.#next(this.#told, 0);
  }

  /** Looks no more. Idempotent. */
  [Symbol.dispose](): void {
    this.#cancel();
  }

  /** `seen` is what stood there at the last look, and at `looks` before it. */
  #next(seen: string, looks: number): () => void {
    return this.#options.clock.after(CONFIG_POLL_MS, () => {
      const stamp = stampOf(this.#options.file.path);
      const still = stamp === seen ? looks + 1 : 0;
      const isNew = stamp !== this.#told && still >= CONFIG_SETTLE_LOOKS;
      if (isNew) this.#told = stamp;
      this.#cancel = this.#next(stamp, still);
      if (isNew) this.#options.onChange();
    });
  }
}
