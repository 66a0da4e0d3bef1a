/**
 * What the steps of the demo share, and what has to be gone in the end.
 *
 * @module
 */

import { TempFolder } from "../../tests/rig/temp_folder.ts";
import { FrameLog } from "./link/frame_log.ts";
import { Processes } from "./processes.ts";
import { Screen } from "./screen.ts";

/** The demo's own processes, directory and screen. */
export class Stage {
  /** Where it is shown. */
  readonly screen = new Screen();
  /** What goes by on the link. */
  readonly frames = new FrameLog(this.screen);
  /** What runs. */
  readonly processes = new Processes();
  /** A directory that goes with the demo. */
  readonly dir: string;

  readonly #undo: (() => void | Promise<void>)[] = [];

  /** Begins, with a directory. */
  constructor() {
    const folder = new TempFolder();
    this.dir = folder.path;
    this.defer(() => folder[Symbol.dispose]());
  }

  /** Takes what has to be undone when every process has ended. */
  defer(undo: () => void | Promise<void>): void {
    this.#undo.push(undo);
  }

  /** Leaves nothing behind. */
  async end(): Promise<void> {
    await this.processes.stopAll();
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        await undo();
      } catch {
        // Gone already, or kept by somebody else: either way it is not the demo's any more.
      }
    }
  }
}
