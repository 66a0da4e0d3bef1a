/**
 * Relays of others: measured where their programs are on the PATH.
 *
 * @module
 */

import type { Child } from "../../tests/rig/processes/child.ts";
import { find } from "../../tests/rig/processes/programs.ts";
import { freePort } from "../../tests/rig/ports.ts";
import { pause } from "../../tests/rig/wait.ts";
import { Instance } from "../instance.ts";
import type { Target } from "./target.ts";

/** Milliseconds from a start to a port that listens. */
const START_TIME = 10_000;

/** Milliseconds between two looks for it. */
const LOOK = 20;

/** Starts, of which each picks other ports. */
const ATTEMPTS = 3;

/** The addresses of an instance. */
export interface Places {
  /** The server's address for the device. */
  readonly address: string;
  /** Its port for the device. */
  readonly control: number;
  /** The port where clients connect. */
  readonly host: number;
  /** The port of the service, on the device's machine. */
  readonly service: number;
}

/** A relay of others. */
export interface Foreign {
  /** Its name in tables. */
  readonly name: string;
  /** The programs that it takes. */
  readonly programs: readonly string[];
  /** The server's port for the device, if there is no choice. */
  readonly controlPort?: number;
  /** An address of this machine that no other instance has, where that is needed. */
  address?(): string;
  /** Starts the server; it listens at `places.control` then. */
  server(instance: Instance, places: Places): Promise<Child> | Child;
  /** Starts the device, whereupon the server listens at `places.host` of its 127.0.0.1. */
  device(instance: Instance, places: Places): Promise<Child> | Child;
}

/** A target of it. None of them tells its ports on stdout in words to rely on, so /proc is asked. */
export function foreignTarget(foreign: Foreign): Target {
  const { name, programs } = foreign;
  return {
    name,

    needs() {
      const absent = programs.filter((program) => find(program) === undefined);
      if (absent.length > 0) return `no ${absent.join(", ")} on the PATH`;
      return Deno.build.os === "linux" ? undefined : "its start is seen in /proc only";
    },

    async start(servicePort, context) {
      for (let attempt = 1;; attempt++) {
        const here = context.server.prefix.length === 0 ? foreign.address?.() : undefined;
        const places = {
          address: here ?? context.server.address,
          control: foreign.controlPort ?? freePort(),
          host: freePort(),
          service: servicePort,
        };
        try {
          return await new Instance(context).start(async (instance) => {
            const server = await foreign.server(instance, places);
            await listening([server], places.address, places.control);
            const device = await foreign.device(instance, places);
            await listening([server, device], "127.0.0.1", places.host);
            return places.host;
          });
        } catch (error) {
          if (attempt === ATTEMPTS) throw error; // before, another process may have taken a port
        }
      }
    },
  };
}

/** The full path of a program that is known to be there. */
export function programPath(name: string): string {
  const path = find(name);
  if (path === undefined) throw new Error(`${name} is gone from the PATH`);
  return path;
}

/** Writes a file of an instance that nobody else may read. @returns its path. */
export function writeFile(instance: Instance, name: string, text: string): string {
  const path = `${instance.folder}/${name}`;
  Deno.writeTextFileSync(path, text, { mode: 0o600 });
  return path;
}

/** Resolves when something listens there, on the machine of the first process; none of them may end before. */
async function listening(processes: readonly [Child, ...Child[]], address: string, port: number): Promise<void> {
  const [server] = processes;
  const socket = `: ${hexadecimal(address, port)} 00000000:0000 0A `;
  for (const until = performance.now() + START_TIME; performance.now() < until; await pause(LOOK)) {
    const dead = processes.find(({ running }) => !running);
    if (dead) throw new Error(`${dead.name} ended: ${dead.tail}`);
    if (readText(`/proc/${server.pid}/net/tcp`).includes(socket)) return;
  }
  throw new Error(`${server.name} does not listen at ${address}:${port}: ${server.tail}`);
}

/** An IPv4 address as /proc has it: its number as this processor reads it, then the port. */
function hexadecimal(address: string, port: number): string {
  const [number] = new Uint32Array(Uint8Array.from(address.split("."), Number).buffer);
  return [[number!, 8], [port, 4]].map(([value, digits]) => value!.toString(16).toUpperCase().padStart(digits!, "0"))
    .join(":");
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // the process has ended
  }
}
