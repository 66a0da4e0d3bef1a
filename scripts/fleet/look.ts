/**
 * The dashboard of a fleet in a real Chromium: how soon it is there, and whether it stays smooth while things change.
 *
 * @module
 */

import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { adminClient, AdminRefusal } from "../../app/admin/client.ts";
import { counted } from "../../base/table.ts";
import { openBrowser } from "../../tests/rig/dashboard/browser.ts";
import { Child } from "../../tests/rig/processes/child.ts";
import { sallyport } from "../../tests/rig/processes/daemons.ts";
import { say } from "../../tests/rig/say.ts";
import { pause } from "../../tests/rig/wait.ts";
import { turnsOf } from "./ask.ts";
import type { Fleet } from "./fleet.ts";

/** What was seen. */
export interface Look {
  /** The page's longest task while things change, and of the server's turns the longest, both in milliseconds. */
  readonly longestTask: number;
  readonly longestTurn: number;
}

/** Views, in the order in which they are looked at. */
const VIEWS = ["devices", "clients", "server", "events", "refusals", "audit"];
/** Links are dropped while a view is looked at, one after the other: milliseconds in between. */
const DROP_MS = 100;
/** Milliseconds for a view to be there. */
const OPEN_MS = 2_000;
/** What the API answers if a device has no link: it was dropped a moment ago, and is on its way. */
const NO_LINK = 409;
/** Time for a page to be there, in milliseconds. */
const LOAD_MS = 60_000;

/** Collects tasks of more than 50 ms. */
const OBSERVE = `globalThis.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });`;

/** Looks at each view, for some seconds while links are dropped. */
export async function lookAtDashboard({ server, state }: Fleet, devices: number, seconds: number): Promise<Look> {
  await using door = Child.start("dashboard", sallyport("server", ["dashboard", "--state", state]));
  const [, link] = await door.line(/^dashboard (\S+)$/, 0, LOAD_MS);
  await using browser = await openBrowser();
  const { page } = browser;
  await page.addInitScript(OBSERVE);
  const tasks = async () => await page.evaluate("tasks.splice(0)") as number[];
  let [longestTask, longestTurn] = [0, 0];
  const tell = (what: string, found: readonly number[], turn: number | undefined) => {
    const most = Math.max(0, ...found);
    const beside = turn === undefined ? "" : `; longest turn of the server ${turn} ms`;
    say(`${what}: ${counted(found.length, "long task")}, the longest ${most} ms${beside}`);
    longestTurn = Math.max(longestTurn, turn ?? 0);
    return most;
  };
  const since = performance.now();
  const first = await turnsOf(server, async () => {
    await page.goto(link!);
    await page.waitForSelector("main table tbody tr", { timeout: LOAD_MS });
  });
  const took = performance.now() - since;
  tell(`dashboard, first look (${took.toFixed(0)} ms)`, await tasks(), first?.longest);
  using client = adminClient({ socket: `${state}/server/${ADMIN_SOCKET}` });
  const drops = Math.ceil(seconds * 1_000 / DROP_MS);
  let at = 0;
  for (const view of VIEWS) {
    await page.evaluate(`location.hash = "#/${view}"`);
    await pause(OPEN_MS);
    const opening = await tasks();
    let [dropped, away] = [0, 0];
    const turns = await turnsOf(server, async () => {
      for (let n = 0; n < drops; n++) {
        at = (at + 7) % devices;
        await client.post(`/v1/devices/gw${at}/drop`).then(() => dropped++, (error: unknown) => {
          if (!(error instanceof AdminRefusal) || error.status !== NO_LINK) throw error;
          away++;
        });
        await pause(DROP_MS);
      }
    });
    const found = await tasks();
    longestTask = Math.max(longestTask, ...found);
    tell(`dashboard, ${view}, opened`, opening, undefined);
    const were = away > 0 ? `, ${away} were away already` : "";
    tell(`dashboard, ${view}, ${dropped} links dropped meanwhile${were}`, found, turns?.longest);
  }
  browser.complaints.forEach((line) => say(line));
  return { longestTask, longestTurn };
}
