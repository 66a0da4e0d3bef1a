/**
 * A real Chromium, for the tests of the dashboard.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { find } from "../processes/programs.ts";
import { DEADLINE_MS } from "../wait.ts";

/** A page, and its browser. */
export interface Seen extends AsyncDisposable {
  readonly page: Page;
  /** What the page said on its console, and errors. */
  readonly complaints: string[];
  /** Another page, in a context of its own. */
  another(options?: BrowserContextOptions): Promise<Page>;
}

/** Opens a browser with a page. */
export async function openBrowser(options: BrowserContextOptions = {}): Promise<Seen> {
  const browser: Browser = await chromium.launch({
    executablePath: find("chromium")!,
    args: ["--disable-dev-shm-usage", ...(Deno.uid() === 0 ? ["--no-sandbox"] : [])],
  });
  const complaints: string[] = [];
  const another = async (given: BrowserContextOptions = {}) => {
    const context = await browser.newContext(given);
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    return page;
  };
  try {
    const page = await another(options);
    return { page, complaints, another, [Symbol.asyncDispose]: () => browser.close() };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

/** Shows the dashboard at an address, and logs in. */
export async function logIn(page: Page, address: string, token: string): Promise<void> {
  await page.goto(`http://${address}/`);
  await page.fill("#token", token);
  await page.keyboard.press("Enter");
}

/** The first table's rows, as texts of their cells. */
export async function rows(page: Page): Promise<string[][]> {
  return await page.locator("main table").first().locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.children].map((cell) => (cell.textContent ?? "").trim()))
  );
}

/** Demands that a page is no wider than its window. */
export async function demandFits(page: Page): Promise<void> {
  const [wide, window] = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]") as [number, number];
  assert.ok(wide <= window, `the page is ${wide} wide, its window ${window}`);
}
