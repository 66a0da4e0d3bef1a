/**
 * Acts by the dashboard, in a real browser, on a real server with a real device.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type AdminClient, adminClient } from "../../app/admin/client.ts";
import type { Device, ServerState } from "../../server/admin/schemas.ts";
import { demandFits, openBrowser } from "../rig/dashboard/browser.ts";
import { Child } from "../rig/processes/child.ts";
import { sallyport, startDevice } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { echoRelay, joinArgs, serviceOpen, type V2Relay } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** A relay whose service was given the rule `closed`, and a page that is in. */
async function opened() {
  await using stack = new AsyncDisposableStack();
  const echo = stack.use(await echoRelay());
  const { relay } = echo;
  const command = stack.use(
    Child.start("dashboard", sallyport("server", ["dashboard", "--state", relay.folder.path])),
  );
  const [, link] = await command.line(/^dashboard (\S+)$/);
  const browser = stack.use(await openBrowser());
  const { page } = browser;
  await page.goto(link!);
  await page.waitForSelector("main .badge.online");
  const api = stack.use(adminClient({ socket: `${relay.folder.path}/server/admin.sock` }));
  const end = stack.move();
  return {
    echo,
    relay,
    browser,
    page,
    api,
    device: () => api.get<Device>("/v1/devices/gw1"),
    server: () => api.get<ServerState>("/v1/server"),
    [Symbol.asyncDispose]: () => end.disposeAsync(),
  };
}

/** Clicks the button of an act, fills in what is given, does it, and waits for what is said of it. */
async function act(page: Page, word: string, values: Record<string, string>, said: string): Promise<void> {
  await page.click(`main button:text-is("${word}")`);
  for (const [name, value] of Object.entries(values)) {
    const field = page.locator(`dialog [name=${name}]`);
    if (await field.evaluate((element) => element.tagName) === "SELECT") await field.selectOption(value);
    else await field.fill(value);
  }
  await page.click("dialog button[type=submit]");
  await page.waitForSelector(`.toast:has-text("${said}")`);
}

/** News comes to the page of the device, and is there: whatever is pressed would be another, or elsewhere. */
async function newsComes({ page, api }: { readonly page: Page; readonly api: AdminClient }): Promise<void> {
  const news = page.waitForResponse(async (response) => (await response.text()).includes('"draining":{'));
  await api.post("/v1/devices/gw1/drain", {});
  await news;
  await page.waitForTimeout(100); // it would be shown by now
}

/** Gives the service `echo` the rule. */
async function close({ folder }: V2Relay): Promise<void> {
  const file = `${folder.path}/server/devices.toml`;
  const text = await Deno.readTextFile(file);
  const changed = text.replace(/echo = "([^"]+)"/, 'echo = { listen = "$1", closed = true }');
  assert.notEqual(changed, text);
  await Deno.writeTextFile(file, changed);
}

processTest(
  "by the dashboard a service is opened for a time and shut, and an address is reached",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page, relay, echo, device, browser } = all;
    relay.device.child.signal("SIGTERM");
    await relay.device.child.exited;
    await using again = startDevice(["--state", relay.folder.path, "--allow", "127.0.0.1:*"]);
    await serviceOpen(again, "echo");
    await page.click("main >> text=gw1");
    await page.waitForSelector('main .badge:text-is("open")');
    assert.equal(await page.locator('main button:text-is("Open")').count(), 0, "it is open in any case");
    await close(relay);
    await page.waitForSelector('main .badge:text-is("closed")');

    await page.click('main button:text-is("Open")');
    await page.fill("dialog [name=for]", "soon");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector('dialog [role=alert]:has-text("is no time; write one as in 30m or 1h")');
    await page.fill("dialog [name=for]", "30m");
    await page.fill("dialog [name=from]", "nowhere");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector('dialog [role=alert]:has-text("is not a network")');
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Open", "whoever asked is back there");

    const wish = { for: "30m", from: "127.0.0.0/8, ::1", reason: "ticket <7>", keepClients: "are ended" };
    await act(page, "Open", wish, "gw1/echo is open");
    await page.waitForSelector("main >> text=/until .*; for 127.0.0.0.8, ::1; by the dashboard; ticket <7>/");
    const opening = (await device()).services[0]!.opening!;
    assert.deepEqual([opening.from, opening.reason, opening.keepClients], [
      ["127.0.0.0/8", "::1"],
      "ticket <7>",
      false,
    ]);
    assert.equal(Date.parse(opening.until) - Date.parse(opening.since), 30 * 60_000);
    await poll(async () => (await device()).services[0]!.open, () => "its host port is not open");
    using client = await Stream.connect(portOf((await device()).services[0]!.hostAddress!));
    await client.write("x");
    assert.equal(await client.readText(1), "x");
    await act(page, "Shut", {}, "gw1/echo is closed.");
    assert.equal(await client.readSome(), null);
    await page.waitForSelector("main >> text=is closed by the dashboard");

    const address = `127.0.0.1:${echo.service.port}`;
    await act(page, "Reach an address", { address, for: "10m" }, `${address} is open at 127.0.0.1:`);
    const reached = (await device()).services.find(({ name }) => name.startsWith("to-"))!;
    using other = await Stream.connect(portOf(reached.hostAddress!));
    await other.write("y");
    assert.equal(await other.readText(1), "y");
    await act(page, "Shut", {}, `gw1/${reached.name} is closed.`);
    assert.equal(await other.readSome(), null);
    await demandFits(page);
    assert.deepEqual(browser.complaints.filter((line) => !/40[01]/.test(line)), []);
  },
);

processTest(
  "by the dashboard a device is tagged, drained, looked at closely and given a keep-alive",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page, relay, device, browser } = all;
    await page.click("main >> text=gw1");
    await act(page, "Tags", { tags: "site:berlin, lte" }, "gw1 has the tags site:berlin, lte.");
    assert.deepEqual((await device()).tags, ["site:berlin", "lte"]);
    await page.waitForSelector('main .tags li:text-is("site:berlin")');
    await act(page, "Tags", { tags: "lte" }, "gw1 has the tags lte.");
    assert.deepEqual((await device()).tags, ["lte"]);
    await page.click('main button:text-is("Tags")');
    await page.fill("dialog [name=tags]", "site:berlin:mitte");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector('dialog [role=alert]:has-text("as in site:berlin")');
    await page.click("dialog >> text=Leave it");

    const names = async () => (await device()).services.map(({ name, granted }) => [name, granted]);
    const web = { service: "web", listen: "127.0.0.1:0", closed: "closed, but for a time" };
    await act(page, "Add a service", web, "gw1 may offer web.");
    const row = page.locator("main tr", { hasText: "web" });
    await row.locator('button:text-is("Open")').waitFor();
    await row.locator('button:text-is("Move")').click();
    await page.fill("dialog [name=listen]", "127.0.0.1:4000-4999");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector('.toast:has-text("gw1/web is at 127.0.0.1:4000-4999 from now on.")');
    assert.deepEqual(await names(), [["echo", "127.0.0.1:0"], ["web", "127.0.0.1:4000-4999"]]);
    await row.locator('button:text-is("Remove")').click();
    await page.click("dialog button[type=submit]");
    await page.waitForSelector('.toast:has-text("gw1 may not offer web any more.")');
    assert.deepEqual(await names(), [["echo", "127.0.0.1:0"]]);

    await act(page, "Drain", { for: "10m" }, "New clients of gw1 are refused; the others are ended after 10 min.");
    assert.ok((await device()).draining!.until);
    await page.waitForSelector("main >> text=/drains since .* the others are ended at/");
    using refused = await Stream.connect(relay.hostPort);
    assert.equal(await refused.readSome(), null);
    await act(page, "Undrain", {}, "New clients of gw1 may come again.");
    assert.equal((await device()).draining, null);

    await act(page, "Keep-alive", { endpoint: "both", way: "metered" }, "The keep-alive of gw1 is metered.");
    await poll(async () => (await device()).keepAlive?.idleTimeout !== 1_000, () => "it is fast");
    await act(page, "Look closely", { for: "5m" }, "gw1 is looked at for 5 min.");
    await poll(async () => (await device()).keepAlive?.idleTimeout === 1_000, () => "it is not fast");
    await act(page, "Mode config", { drain: "1m" }, "gw1 goes to mode config when its clients have gone");
    await poll(async () => (await device()).mode === "config", () => "it is not in mode config");
    await act(page, "Mode run", {}, "Done: Ask gw1 for mode run.");
    await poll(async () => (await device()).mode === "run", () => "it does not run");
    assert.deepEqual(browser.complaints.filter((line) => !/40[01]/.test(line)), []);
  },
);

processTest(
  "by the dashboard a device is enrolled on a phone, and the server drained and reloaded",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page, relay, server, echo, browser } = all;
    await page.setViewportSize({ width: 360, height: 700 });
    await page.click('main button:text-is("Enroll")');
    await page.fill("dialog [name=device]", "gw2");
    await page.fill("dialog [name=services]", "echo=127.0.0.1:0");
    await page.keyboard.press("Enter");
    const string = await page.locator("#shown").inputValue();
    assert.match(string, /^sp2_/);
    await demandFits(page);
    await page.click("text=I have it");
    await page.waitForSelector('.toast:has-text("A string for gw2 is made.")');
    using folder = new TempFolder();
    const local = `echo=127.0.0.1:${echo.service.port}`;
    await using device = startDevice(joinArgs(folder.path, string, [local]));
    await serviceOpen(device, "echo");
    await page.waitForSelector("main tbody >> text=gw2");

    await page.click("nav >> text=Server");
    await act(page, "Reload", {}, "Nothing has changed.");
    await act(page, "Drain", {}, "New clients of all devices are refused.");
    await page.waitForSelector("main >> text=/The server drains since/");
    assert.deepEqual((await server()).draining?.until, null);
    using refused = await Stream.connect(relay.hostPort);
    assert.equal(await refused.readSome(), null);
    await act(page, "Undrain", {}, "New clients of all devices may come again.");
    assert.equal((await server()).draining, null);
    await demandFits(page);
    assert.deepEqual(browser.complaints.filter((line) => !/40[01]/.test(line)), []);
  },
);

processTest(
  "by the dashboard a button does its work, though news comes while it is pressed",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page } = all;
    await page.click("main >> text=gw1");
    await page.hover('main button:text-is("Keep-alive")');
    await page.mouse.down();
    await newsComes(all);
    await page.mouse.up();
    await page.waitForSelector("dialog [name=endpoint]");
    await page.waitForSelector("main >> text=/drains since/");
  },
);

processTest(
  "by the dashboard whoever is on a button with the keyboard stays there, and Space does its work, though news comes",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page, api } = all;
    await page.click("main >> text=gw1");
    await page.focus('main button:text-is("Keep-alive")');
    const where = () => page.evaluate("document.activeElement.textContent");
    await page.keyboard.down(" ");
    await newsComes(all);
    await page.keyboard.up(" ");
    await page.waitForSelector("dialog [name=endpoint]");
    await page.waitForSelector("main >> text=/drains since/");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog", { state: "detached" });
    assert.equal(await where(), "Keep-alive");
    await api.post("/v1/devices/gw1/undrain");
    await page.waitForSelector('main button:text-is("Drain")');
    assert.equal(await where(), "Keep-alive", "though its neighbour is another");
  },
);

processTest(
  "by the dashboard a client is closed, though rows come above it while its button is pressed or tapped",
  ["chromium"],
  async () => {
    await using all = await opened();
    const { page, relay } = all;
    using first = await Stream.connect(relay.hostPort);
    const close = page.locator("main tbody button").last();
    await page.click("nav >> text=Clients");
    await close.waitFor();
    for (let clicks = 0; clicks < 2; clicks++) await page.click('main th button:text-is("For")'); // the newest above
    const { port } = first.conn.localAddr as Deno.NetAddr;
    const question = page.locator("dialog h2", { hasText: `Close client 127.0.0.1:${port}?` });
    const rows = page.locator("main tbody tr");
    const answer = (clients: number) =>
      page.waitForResponse(async (response) =>
        response.url().includes("/v1/clients") && (await response.text()).split('"hostAddress"').length === clients + 1
      );

    await close.hover();
    await page.mouse.down();
    const [second] = await Promise.all([Stream.connect(relay.hostPort), answer(2)]);
    using _second = second;
    await page.waitForTimeout(100); // it would be shown by now
    await page.mouse.up();
    await question.waitFor();
    await page.keyboard.press("Escape");
    await poll(async () => await rows.count() === 2, () => "what is new is not shown");

    const devtools = await page.context().newCDPSession(page);
    await devtools.send("Emulation.setTouchEmulationEnabled", { enabled: true });
    // As on a slow phone: timers are due before the click that follows a touch.
    const busy = "() => { for (const end = performance.now() + 20; performance.now() < end;); }";
    for (const [type, fn] of [["touchstart", "() => {}"], ["touchend", busy]]) {
      await page.evaluate(`addEventListener("${type}", ${fn}, { passive: false })`); // the click has to wait for both
    }
    const [asked, touched] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    await page.route(/\/v1\/clients/, async (route) => {
      asked.resolve();
      await touched.promise; // a tap is short: news that waits for it is in time
      await route.continue();
    });
    using _third = await Stream.connect(relay.hostPort);
    await asked.promise;
    const { x, y } = (await close.boundingBox())!;
    const news = answer(3);
    await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x: x + 5, y: y + 5 }] });
    touched.resolve();
    await news;
    await page.waitForTimeout(100); // it would be shown by now
    await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await question.waitFor();
    await page.keyboard.press("Escape");
    await poll(async () => await rows.count() === 3, () => "what is new is not shown");
  },
);
