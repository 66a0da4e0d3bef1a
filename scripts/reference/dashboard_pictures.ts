/**
 * `deno run -A scripts/reference/dashboard_pictures.ts [FOLDER]`: pictures of the dashboard with a fleet that there is not;
 * without a folder those of the documents, in docs/pictures.
 *
 * @module
 */

import type { BrowserContextOptions, Page } from "playwright-core";
import { logIn, openBrowser } from "../../tests/rig/dashboard/browser.ts";
import { FLEET_TOKEN, serveFleet } from "../../tests/rig/dashboard/fleet.ts";
import { say } from "../../tests/rig/say.ts";
import { TempFolder } from "../../tests/rig/temp_folder.ts";

const [given] = Deno.args;
const out = given ?? "docs/pictures";
await Deno.mkdir(out, { recursive: true });

const WIDE = { viewport: { width: 1100, height: 620 } };
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };

using folder = new TempFolder();
await using fleet = await serveFleet(folder.path, 2_000);
await using browser = await openBrowser();

/** A page that is logged in. */
async function enter(options: BrowserContextOptions): Promise<Page> {
  const page = await browser.another(options);
  await logIn(page, fleet.address, FLEET_TOKEN);
  await page.waitForSelector("main table");
  await page.waitForSelector("text=live");
  return page;
}

async function take(page: Page, name: string, hash: string, wait = "main h1", fullPage = false) {
  await page.goto(`http://${fleet.address}/${hash}`);
  await page.waitForSelector(wait);
  await page.screenshot({ path: `${out}/${name}.png`, fullPage });
  say(`${out}/${name}.png`);
}

const worst = fleet.devices.toSorted((a, b) => b.losses - a.losses)[0]!.name;
const busy = fleet.devices.find(({ draining, services, link }) => draining && services[1] && link === "online")!.name;
const light = await enter({ ...WIDE, colorScheme: "light" });
await take(light, "devices", "#/devices");
const dark = await enter({ ...WIDE, colorScheme: "dark" });
await take(dark, "server-dark", "#/server", ".chart svg");
const phone = await enter({ ...PHONE, colorScheme: "light" });
await take(phone, "phone", `#/device/${worst}`, ".chart svg");
if (given !== undefined) {
  await take(dark, "devices-dark", "#/devices");
  await take(light, "server", "#/server", ".chart svg", true);
  await take(light, "device", `#/device/${worst}`, ".chart svg", true);
  await take(dark, "device-dark", `#/device/${worst}`, ".chart svg");
  await take(light, "clients", "#/clients", "main tbody tr");
  await take(light, "events", "#/events");
  for (const [page, suffix] of [[light, ""], [dark, "-dark"], [phone, "-phone"]] as const) {
    for (const view of ["refusals", "audit"]) await take(page, `${view}${suffix}`, `#/${view}`, "main tbody th");
  }
  await take(phone, "phone-devices", "#/devices");
  await take(phone, "phone-server", "#/server", ".chart svg");
  await take(phone, "phone-events", "#/events");
  await light.goto(`http://${fleet.address}/#/device/${worst}`);
  await light.click("text=Revoke");
  await light.screenshot({ path: `${out}/dialog.png` });
  for (const [page, name] of [[light, "open"], [dark, "open-dark"], [phone, "open-phone"]] as const) {
    await take(page, `${name}-device`, `#/device/${busy}`, ".chart svg", true);
    await page.click('main button:text-is("Shut")');
    await page.screenshot({ path: `${out}/${name}-shut.png` });
    await page.click("dialog >> text=Leave it");
    await page.click('main button:text-is("Keep-alive")');
    await page.screenshot({ path: `${out}/${name}-keep-alive.png` });
    await page.click("dialog >> text=Leave it");
  }
  const out2 = await browser.another(WIDE);
  await out2.goto(`http://${fleet.address}/`);
  await out2.waitForSelector("#token");
  await out2.screenshot({ path: `${out}/login.png` });
}
for (const line of browser.complaints) say(line);
