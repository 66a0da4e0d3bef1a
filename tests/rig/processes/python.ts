/**
 * Programs in Python as users have them, python-can in two generations among them: each in a virtual environment of its
 * own, in the user's cache.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { exists, find } from "./programs.ts";

/** What is installed, by the name of the environment. */
const ENVIRONMENTS = {
  "python-can 4": ["python-can==4.6.1", "python-can-remote==0.3.0", "pyserial==3.5"],
  "python-can 2.1": ["python-can==2.1.0", "setuptools==80.9.0"], // the last that has the remote interface of version 5
  "schemathesis": ["schemathesis==4.32.5", "hypothesis==6.170.17"],
} as const;

/** Which of them. */
export type PythonTool = keyof typeof ENVIRONMENTS;

/** All of them. */
export const PYTHON_TOOLS = Object.keys(ENVIRONMENTS) as PythonTool[];

function folderOf(name: PythonTool): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME") ?? "/tmp"}/.cache`;
  return `${cache}/sallyport/${name.replaceAll(" ", "-")}`;
}

/** Written when all is there. */
const DONE = "installed";

/** Whether it is there. */
export function hasPythonTool(name: PythonTool): boolean {
  return exists(`${folderOf(name)}/${DONE}`) && find("python", [`${folderOf(name)}/bin`]) !== undefined;
}

/** The command line that runs a program of `tests/can/python` with it. */
export function pythonCan(
  name: Exclude<PythonTool, "schemathesis">,
  program: string,
  ...args: readonly (string | number)[]
): string[] {
  const path = fileURLToPath(new URL(`../../can/python/${program}.py`, import.meta.url));
  return [`${folderOf(name)}/bin/python`, "-u", path, ...args.map(String)];
}

/** The command line that runs a program of `tests/serial/python` with pyserial, which python-can 4 has with it. */
export function pySerial(program: string, ...args: readonly (string | number)[]): string[] {
  const path = fileURLToPath(new URL(`../../serial/python/${program}.py`, import.meta.url));
  return [`${folderOf("python-can 4")}/bin/python`, "-u", path, ...args.map(String)];
}

/** The command line of schemathesis, which asks an API whatever its OpenAPI document allows and forbids. */
export function schemathesis(...args: readonly string[]): string[] {
  return [`${folderOf("schemathesis")}/bin/schemathesis`, ...args];
}

/** Installs what is missing. @returns why not, if it cannot be had. */
export async function installPythonTool(name: PythonTool): Promise<string | undefined> {
  const python = find("python3");
  if (python === undefined) return "no python3 here";
  const folder = folderOf(name);
  const packages = ENVIRONMENTS[name];
  const failure = await run(python, ["-m", "venv", "--clear", folder]) ??
    await run(`${folder}/bin/python`, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages]);
  if (failure === undefined) await Deno.writeTextFile(`${folder}/${DONE}`, "");
  return failure;
}

async function run(program: string, args: readonly string[]): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], stdin: "null" }).output();
  if (success) return undefined;
  const lines = new TextDecoder().decode(stderr.length > 0 ? stderr : stdout).trim().split("\n");
  return lines.at(-1) ?? `${program} failed`;
}
