/**
 * The dashboard of a fleet in a real Chromium: how soon it is there, and whether it stays smooth while things change.
 *
 * @module
 */

import { ADMIN_SOCKET } from "../../app/admin/address.ts";
import { adminClient } from "../../app/admin/client.ts";
import { openBrowser } from "../../tests/rig/dashboard/browser.ts";
import { Child } from "../../tests/rig/processes/child.ts";
import { sallyport } from "../../tests/rig/processes/daemons.ts";
import { pause } from "../../tests/rig/wait.ts";
import { turnsOf } from "./ask.ts";
import type { Fleet } from "./fleet.ts";

/** What was seen. */
export interface Look {
  readonly lines: readonly string[];
  /** The page's longest task while things change, and of the server's turns the longest, both in milliseconds. */
  readonly longestTask: number;
  readonly longestTurn: number;
}

/** Links that are dropped while the page is looked at, one after the other, and the milliseconds in between. */
const [DROPS, DROP_MS] = [200, 100];
/** Time for a page to be there, in milliseconds. */
const LOAD_MS = 60_000;

/** Collects tasks of more than 50 ms. */
const OBSERVE = `globalThis.tasks = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)))
  .observe({ type: "longtask", buffered: true });`;

/** Looks at each view. */
export async function lookAtDashboard({ server, state }: Fleet, devices: number): Promise<Look> {
  await using door = Child.start("dashboard", sallyport("server", ["dashboard", "--state", state]));
  const [, link] = await door.line(/^dashboard (\S+)$/, 0, LOAD_MS);
  await using browser = await openBrowser();
  const { page } = browser;
  await page.addInitScript(OBSERVE);
  const tasks = async () => await page.evaluate("tasks.splice(0)") as number[];
  const lines: string[] = [];
  let [longestTask, longestTurn] = [0, 0];
  const tell = (what: string, found: readonly number[], turn: number | undefined) => {
    const most = Math.max(0, ...found);
    lines.push(
      `${what}: ${found.length} long tasks, the longest ${most} ms; longest turn of the server ${turn ?? "?"} ms`,
    );
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
  for (const view of ["devices", "clients", "server", "events"]) {
    await page.evaluate(`location.hash = "#/${view}"`);
    await pause(2_000);
    const opening = await tasks();
    const turns = await turnsOf(server, async () => {
      for (let n = 0; n < DROPS; n++) {
        await client.post(`/v1/devices/gw${(n * 7) % devices}/drop`);
        await pause(DROP_MS);
      }
    });
    const found = await tasks();
    longestTask = Math.max(longestTask, ...found);
    tell(`dashboard, ${view}, opened`, opening, undefined);
    tell(`dashboard, ${view}, ${DROPS} links dropped meanwhile`, found, turns?.longest);
  }
  lines.push(...browser.complaints);
  return { lines, longestTask, longestTurn };
}
