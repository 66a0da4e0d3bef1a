/**
 * Where programs are.
 *
 * @module
 */

/** Where programs for root are, which the PATH may leave out. */
const MORE_FOLDERS = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin"];

/** The full path of a program that may be run: in one of `folders`, or if none are given where the system has them. */
export function find(program: string, folders?: readonly string[]): string | undefined {
  const places = folders ?? [...(Deno.env.get("PATH") ?? "").split(":"), ...MORE_FOLDERS];
  return places.filter((folder) => folder !== "").map((folder) => `${folder}/${program}`).find(isProgram);
}

/** The full path of a program of a PostgreSQL server, which Debian keeps apart, by version. */
export function findPostgres(program: string): string | undefined {
  const root = "/usr/lib/postgresql";
  const versions = exists(root) ? [...Deno.readDirSync(root)].map(({ name }) => name).sort() : [];
  return find(program) ?? find(program, versions.map((version) => `${root}/${version}/bin`).reverse());
}

/** Whether there is something at a path. */
export function exists(path: string): boolean {
  return infoOf(path) !== undefined;
}

function isProgram(path: string): boolean {
  const info = infoOf(path);
  return info !== undefined && info.isFile && ((info.mode ?? 0o111) & 0o111) !== 0;
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined;
  }
}
