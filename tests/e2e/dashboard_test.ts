/**
 * The dashboard in a real browser: by the command's own link, and by the token.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { ServerEvent } from "../../server/events.ts";
import { demandFits, logIn, openBrowser, rows } from "../rig/dashboard/browser.ts";
import { FLEET_TOKEN, serveFleet } from "../rig/dashboard/fleet.ts";
import { Child } from "../rig/processes/child.ts";
import { sallyport } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { exists } from "../rig/processes/programs.ts";
import { echoRelay } from "../rig/processes/relay.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

processTest(
  "by the link of server dashboard a device is seen, changes as it happens, and is acted on",
  ["chromium"],
  async () => {
    await using echo = await echoRelay();
    const { relay } = echo;
    using client = await Stream.connect(relay.hostPort);
    await client.write("hello");
    await client.read(5);
    await using command = Child.start("dashboard", sallyport("server", ["dashboard", "--state", relay.folder.path]));
    const [, link] = await command.line(/^dashboard (http:\/\/127\.0\.0\.1:\d+\/#login=\S+)$/);
    await using browser = await openBrowser();
    const { page } = browser;
    await page.goto(link!);
    await page.waitForSelector("main .badge.online");
    assert.deepEqual((await rows(page)).map((row) => row.slice(0, 2)), [["gw1", "online"]]);
    assert.match(page.url(), /#\/devices$/, "the secret is gone from the address");
    await page.waitForSelector("#live:has-text('live'):not(.off)");

    await page.click("main >> text=gw1");
    await page.click("text=Drop link");
    assert.match(await page.locator("dialog").innerText(), /The link of gw1 ends.*Its client waits/s);
    await page.click("dialog >> text=Leave it");
    await page.click("text=Drop link");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector("main >> text=link lost: dropped");
    await page.waitForSelector("main >> text=/back after .* sent again/");
    await client.write("again");
    await client.read(5);

    await page.click("main td.act >> text=Close");
    await page.click("dialog button[type=submit]");
    assert.equal(await client.readSome(), null);
    await page.waitForSelector("main >> text=closed-by-admin");

    await page.click("text=Disable");
    await page.click("dialog button[type=submit]");
    await page.waitForSelector("main .badge.disabled");
    await page.click("nav >> text=Devices");
    await page.waitForSelector("main table .badge.disabled");
    await page.click("nav >> text=Refusals");
    await page.waitForSelector("main td >> text=gw1 is disabled");
    assert.deepEqual((await rows(page)).map((row) => [row[3], row[4]!.slice(0, 11)]), [["127.0.0.1", "gw1ed25519:"]]);
    await page.click("nav >> text=Audit");
    await page.waitForSelector("main >> text=This server writes no audit");
    assert.deepEqual(browser.complaints.filter((line) => !line.includes("401")), []);

    const other = await browser.another();
    await other.goto(link!);
    await other.waitForSelector(".login"); // it was good once
    command.signal("SIGINT");
    assert.equal(await command.exited, 0);
    await page.waitForSelector("#live.off:has-text('not live')");
  },
);

processTest(
  "a browser is opened with a file that nobody else can read, and no secret on its command line",
  [],
  async () => {
    await using echo = await echoRelay();
    using folder = new TempFolder();
    const [seen, opened] = [`${folder.path}/seen`, `${folder.path}/opened`];
    const script = `#!/bin/sh\nstat -c %a "$1" >"${seen}"\ncat "$1" >>"${seen}"\necho "$1" >"${opened}.new"\n` +
      `mv "${opened}.new" "${opened}"\n`;
    await Deno.writeTextFile(`${folder.path}/xdg-open`, script, { mode: 0o755 });
    const args = ["dashboard", "--open", "--state", echo.relay.folder.path];
    const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
    await using command = Child.start("dashboard", sallyport("server", args), { env });
    const [, link] = await command.line(/^dashboard (\S+)$/);
    await poll(() => exists(opened), () => "nothing was opened");
    const [mode, page] = (await Deno.readTextFile(seen)).split("\n");
    assert.equal(mode, "600");
    assert.ok(page!.includes(`url=${link}"`), page);
    const file = (await Deno.readTextFile(opened)).trim();
    assert.ok(!file.includes(link!.split("=")[1]!), file);
    command.signal("SIGTERM");
    assert.equal(await command.exited, 0);
    assert.ok(!exists(file), "it is removed");
  },
);

processTest(
  "with the token somebody is in until they leave, and pages without it see nothing",
  ["chromium"],
  async () => {
    using folder = new TempFolder();
    await using fleet = await serveFleet(folder.path, 2_000);
    await using browser = await openBrowser();
    const { page } = browser;
    await page.goto(`http://${fleet.address}/`);
    await page.fill("#token", "not the token at all");
    await page.keyboard.press("Enter");
    await page.waitForSelector("text=the token is not the one of this API");
    await page.fill("#token", FLEET_TOKEN);
    await page.keyboard.press("Enter");
    await page.waitForSelector("main table");
    const [cookie, ...others] = await page.context().cookies();
    assert.deepEqual([cookie!.httpOnly, cookie!.sameSite, others.length], [true, "Strict", 0]);
    assert.ok(!cookie!.value.includes(FLEET_TOKEN));
    await page.reload();
    await page.waitForSelector("main table");
    await page.click("text=Log out");
    await page.waitForSelector(".login");
    await page.reload();
    await page.waitForSelector(".login");
  },
);

processTest(
  "2,000 devices are sorted, searched and leafed through at once, by keyboard too",
  ["chromium"],
  async () => {
    using folder = new TempFolder();
    await using fleet = await serveFleet(folder.path, 2_000);
    await using browser = await openBrowser();
    const { page } = browser;
    const enter = async (of: typeof page) => {
      await logIn(of, fleet.address, FLEET_TOKEN);
      await of.waitForSelector("main tbody a");
    };
    await enter(page);
    const first = await rows(page);
    assert.equal(first.length, 100);
    const losses = first.map((row) => Number(row[3]) || 0);
    assert.deepEqual(losses.slice(0, 20), losses.slice(0, 20).toSorted((a, b) => b - a), "those that flap come first");
    await page.click("thead >> text=Device");
    await page.click("text=Next");
    await page.waitForSelector("text=101 to 200 of 2,000");
    await page.fill("#search", "gw-oslo");
    await poll(
      async () => (await rows(page)).every(([name]) => name!.startsWith("gw-oslo")),
      () => "the search does nothing",
    );
    await page.fill("#search", "");
    // What a second of events does to the page: no frame takes long.
    const frames = page.evaluate(`new Promise((resolve) => {
    let [last, longest, count] = [performance.now(), 0, 0];
    const look = (now) => {
      longest = Math.max(longest, now - last);
      last = now;
      if (++count < 90) requestAnimationFrame(look); else resolve(longest);
    };
    requestAnimationFrame(look);
  })`) as Promise<number>;
    for (let n = 0; n < 200; n++) fleet.happen(linkUp(fleet.devices[n * 7]!.name));
    assert.ok(await frames < 1_000, `a frame took ${await frames} ms`);
    await page.focus("#search");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate("document.activeElement.className"), "filter all");
    await page.click("nav >> text=Events");
    await page.waitForSelector("main >> text=linked from 192.0.2.1:1");
    await page.keyboard.press("Tab");
    assert.ok(await page.evaluate("document.querySelector('main').contains(document.activeElement)"), "into the view");

    const phone = await browser.another({ viewport: { width: 360, height: 700 }, isMobile: true, hasTouch: true });
    await enter(phone);
    for (
      const view of [
        "#/devices",
        `#/device/${fleet.devices[3]!.name}`,
        "#/clients",
        "#/events",
        "#/refusals",
        "#/audit",
        "#/server",
      ]
    ) {
      await phone.goto(`http://${fleet.address}/${view}`);
      await phone.waitForSelector("main h1");
      await demandFits(phone);
    }
    assert.deepEqual(browser.complaints.filter((line) => !line.includes("401")), []);
  },
);

processTest("what devices and clients say is text, whatever it is", ["chromium"], async () => {
  using folder = new TempFolder();
  const bad = `"><img src=x onerror="document.title='broken'"><script>document.title='broken'</script>`;
  await using fleet = await serveFleet(folder.path, 3);
  Object.assign(fleet.devices[0]!, {
    comment: bad,
    software: bad,
    remote: bad,
    conflict: bad,
    losses: 9,
    link: "online",
  });
  fleet.devices[0]!.services[0]!.error = bad;
  const { name } = fleet.devices[0]!;
  fleet.happen({ type: "refused", listen: "0.0.0.0:1", remote: `${bad}:1`, reason: "stranger", why: bad });
  fleet.happen({
    type: "client-end",
    client: "192.0.2.1:1",
    hostAddress: bad,
    localAddress: bad,
    device: name,
    reason: "not-allowed",
    error: bad,
    ...{ bytesUp: 0, bytesDown: 0, duration: 0 },
  });
  fleet.audit("act", { act: bad, by: { via: bad, [bad]: bad }, body: { [bad]: bad }, error: bad });
  fleet.audit(bad, { device: bad, [bad]: bad });
  fleet.happen(linkUp(bad));
  fleet.happen(linkUp(name, bad));
  await using browser = await openBrowser();
  const { page } = browser;
  await logIn(page, fleet.address, FLEET_TOKEN);
  await page.waitForSelector("main tbody a");
  for (
    const view of [
      "#/devices",
      `#/device/${name}`,
      `#/device/${encodeURIComponent(bad)}`,
      "#/events",
      "#/refusals",
      "#/audit",
    ]
  ) {
    await page.goto(`http://${fleet.address}/${view}`);
    await page.waitForSelector(`main :text("onerror"):visible`);
    assert.equal(await page.locator("main img, main script").count(), 0);
    assert.ok(!(await page.title()).startsWith("broken"));
  }
  assert.deepEqual(browser.complaints.filter((line) => !/40[01]/.test(line)), []);
});

processTest("refusals and the audit are seen as they come about, found, and leafed through", ["chromium"], async () => {
  using folder = new TempFolder();
  await using fleet = await serveFleet(folder.path, 20);
  await using browser = await openBrowser();
  const { page } = browser;
  const { name } = fleet.devices[0]!;
  await logIn(page, fleet.address, FLEET_TOKEN);
  await page.waitForSelector("main tbody a");
  await page.click("nav >> text=Refusals");
  await page.waitForSelector("main tbody .mood.bad");
  const key = `ed25519:${"x".repeat(43)}`;
  const came = (n: number) =>
    fleet.happen({
      ...{ type: "refused", listen: "0.0.0.0:7443", remote: `192.0.2.99:${n}`, reason: "unknown-device" },
      ...{ why: `unknown-device: nobody authorized ${key}`, key },
    });
  const one = () => poll(async () => (await rows(page)).length === 1, () => "not filtered");
  for (let n = 0; n < 500; n++) came(n);
  await page.waitForSelector("main tbody tr:first-child >> text=500");
  const [first] = await rows(page);
  assert.deepEqual([first![1], first![3], first![4]], ["500", "192.0.2.99", key]);
  came(500);
  await page.waitForSelector("main tbody tr:first-child >> text=501");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate("document.activeElement.id"), "who", "the filters are the first in the view");
  await page.selectOption("#who", "clients");
  await one();
  assert.match((await rows(page))[0]![2]!, /^not-allowed/);
  await page.fill("#search", "no such thing");
  await page.waitForSelector("main >> text=Nobody of that was turned away since the server runs.");

  await page.click("nav >> text=Audit");
  await page.waitForSelector("main tbody tr:nth-child(100)");
  await page.click("text=Older lines");
  await page.waitForSelector("text=1 to 100 of 200");
  fleet.audit("act", { act: "POST /v1/devices/gw1/drop", by: { via: "tcp", with: "token" }, status: 200 });
  fleet.happen(linkUp(name)); // by which the page knows that there is something to read
  await page.waitForSelector("main tbody tr:first-child >> text=POST /v1/devices/gw1/drop: 200 (by tcp, with token)");
  await page.waitForSelector("text=1 to 100 of 201");
  await page.selectOption("#kind", "server");
  await one();
  assert.equal((await rows(page))[0]![1], "server-start", "the oldest line of all is found");
  await page.selectOption("#kind", "links");
  await page.fill("#search", name);
  const all = async () => (await rows(page)).map((row) => [row[1], row[2]]);
  await poll(
    async () => (await all()).every(([event, of]) => event === "link-up" && of === name),
    () => "not filtered",
  );
  await page.fill("#search", "no device of that name");
  await page.waitForSelector("main .wrong:has-text('query.device')");
  await page.fill("#search", "no-such-device");
  await page.waitForSelector("main >> text=Nothing of that is in the audit.");
  assert.deepEqual(browser.complaints.filter((line) => !/40[01]/.test(line)), []);
});

processTest(
  "where nobody was turned away, and no audit is written, the views say what would be there",
  ["chromium"],
  async () => {
    using folder = new TempFolder();
    await using fleet = await serveFleet(folder.path, 0, { audit: false });
    await using browser = await openBrowser();
    const { page } = browser;
    await logIn(page, fleet.address, FLEET_TOKEN);
    await page.click("nav >> text=Refusals");
    await page.waitForSelector("main td.none:has-text('Nobody')");
    await page.waitForSelector("main .count:has-text('0 turned away')");
    await page.waitForSelector("main .hint:has-text('Devices that may not come in')");
    await page.click("nav >> text=Audit");
    await page.waitForSelector("main section >> text=--audit FILE");
    await page.waitForSelector("main section >> text=who came, who was turned away, and who changed what");
    assert.deepEqual(browser.complaints.filter((line) => !line.includes("401")), []);
  },
);

function linkUp(device: string, remote = "192.0.2.1:1"): ServerEvent {
  return { type: "link-up", listen: "0.0.0.0:7443", device, remote };
}
