/**
 * What any daemon needs of its machine.
 *
 * @module
 */

import { statfs } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { formatBytes } from "../../base/table.ts";
import { chooseEngine, type EngineChoice } from "../../net/engines.ts";
import { descriptorLimit } from "../../net/kernel/descriptor_room.ts";
import { kernelText } from "../../net/kernel/process_files.ts";
import { statPath } from "../files/private_folder.ts";
import { LOW_DISK, MIN_DESCRIPTORS } from "../limits.ts";
import type { Check, Finding } from "./doctor.ts";

/** A number in a file of the kernel's, if it is there. */
export function kernelNumbers(path: string): number[] | undefined {
  return kernelText(path)?.trim().split(/\s+/).map(Number);
}

/** The engine that there is; `running`: that of the daemon that runs. */
export function engineCheck(choice: EngineChoice, running?: string): Check {
  return {
    name: "engine",
    look() {
      if (running !== undefined) return { level: "ok", text: `${running}, of the one that runs` };
      const { engine, fallback } = chooseEngine(choice);
      if (fallback === undefined) return { level: "ok", text: engine.name };
      return {
        level: "warn",
        text: `${engine.name}: ${fallback}`,
        advice: "install OpenSSL 3 (libssl3), and allow ffi",
      };
    },
  };
}

/** Descriptors that a process may have, if the system says so. */
export function descriptorsOf(pid: number): number | undefined {
  const [, limit] = /^Max open files +(\d+)/m.exec(kernelText(`/proc/${pid}/limits`) ?? "") ?? [];
  return limit === undefined ? undefined : Number(limit);
}

/** Descriptors: one for each client and link; `pid`: the daemon that runs. */
export function descriptorCheck(pid?: number): Check {
  return {
    name: "descriptors",
    look() {
      const limit = (pid === undefined ? undefined : descriptorsOf(pid)) ?? descriptorLimit();
      return descriptorFinding(limit);
    },
  };
}

/** What so many of them are enough for. */
export function descriptorFinding(limit: number | undefined): Finding {
  if (limit === undefined) return { level: "warn", text: "the system does not say how many there may be" };
  if (limit >= MIN_DESCRIPTORS) return { level: "ok", text: `${limit} (ulimit -n)` };
  return {
    level: "warn",
    text: `${limit} (ulimit -n), and each client and link takes one`,
    advice: "LimitNOFILE=65536 in the unit, or ulimit -n 65536 before the start",
  };
}

/** The folder of the state: who may read it, and room on its disk. */
export function stateChecks(folder: string): Check[] {
  return [{
    name: "state",
    look() {
      const facts = statPath(folder);
      if (!facts) {
        return {
          level: "ok",
          text: `there is no ${folder} yet; the first start makes it, and --state names another`,
        };
      }
      if (!facts.isDirectory) return { level: "fail", text: `${folder} is no folder`, advice: "move it away" };
      if (facts.mode !== null && (facts.mode & 0o077) !== 0) {
        return {
          level: "fail",
          text: `${folder} can be entered by others (mode ${(facts.mode & 0o777).toString(8)})`,
          advice: `chmod 700 ${folder}`,
        };
      }
      const uid = Deno.uid();
      if (uid !== null && uid !== 0 && facts.uid !== uid) {
        return { level: "fail", text: `${folder} is user ${facts.uid}'s`, advice: "run this as that user, or as root" };
      }
      return { level: "ok", text: folder };
    },
  }, {
    name: "disk",
    async look() {
      let place = folder; // it is made in the first folder above that is there
      while (!statPath(place) && dirname(place) !== place) place = dirname(place);
      return diskFinding(await promisify(statfs)(place));
    },
  }];
}

/** What there is room for. */
export function diskFinding({ bavail, bsize }: { readonly bavail: number; readonly bsize: number }): Finding {
  const free = bavail * bsize;
  const text = `${formatBytes(free)} free for the state`;
  if (free >= LOW_DISK) return { level: "ok", text };
  return {
    level: free === 0 ? "fail" : "warn",
    text,
    advice: "make room: ports, enrolments and keys are written there",
  };
}
