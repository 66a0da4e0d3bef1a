/**
 * Folders for tests to write in.
 *
 * @module
 */

/** A folder that is gone after the test. */
export class TempFolder implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "sallyport-test-" });

  /** Writes a file in it. @returns its path. */
  write(name: string, text: string, mode = 0o600): string {
    const path = `${this.path}/${name}`;
    Deno.writeTextFileSync(path, text, { mode });
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
