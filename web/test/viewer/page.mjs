// A page of the viewer, as a test opens it and reads it.
//
// FOLDER, the first argument, has NAME.html and NAME.json (what `vmprof show --json`
// says of the same log) as tests/web/check_viewer.py makes them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
export const told = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

/** Opens a page; what it asks for or complains of makes the test fail. init: runs in it before its own script. */
export async function open(browser, name, { hash = "", width = 1440, height = 900, scheme = "light", init = () => {} } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, acceptDownloads: true });
  const page = await context.newPage();
  const asked = [];
  const complaints = [];
  page.on("request", (request) => {
    if (!/^(file|blob|data):/.test(request.url())) asked.push(request.url());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.addInitScript(init);
  await page.goto(`file://${join(folder, `${name}.html`)}${hash}`);
  await page.waitForSelector(".page, .failure");
  const close = async () => {
    assert.deepEqual(asked, [], "no request leaves the page");
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return { page, close };
}

/** A percentage as the page writes it. */
export function percentText(percent) {
  if (percent > 0 && percent < 0.005) return "<0.01 %";
  return `${percent.toFixed(percent >= 99.95 || percent === 0 ? 0 : percent >= 10 ? 1 : 2)} %`;
}

/** Ends of an interval, in percent, as the page writes them. */
export function intervalText(low, high) {
  const digits = high >= 10 ? 1 : 2;
  return `${low.toFixed(digits)}–${high.toFixed(digits)}`;
}

export const cells = (page) =>
  page.locator(".list-row").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll('[role="gridcell"]')].map((cell) => cell.textContent)));

export const rowNames = (page) => page.locator(".list-row .function").allTextContents();
export const canvas = (page) => page.locator(".view-flame canvas");

/** Clicks the middle of a row of the flame graph. */
export async function clickRow(page, row, part = 0.3) {
  const box = await canvas(page).boundingBox();
  await page.mouse.click(box.x + box.width * part, box.y + row * 20 + 10);
}

export const crumbs = (page) => page.locator(".crumbs button").allTextContents();

/** For what is painted after the page is there, at its own time: the check may fail until then. */
export async function inTime(check) {
  for (let tries = 0; tries < 100; tries++) {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return check();
}

export const becomes = (read, want) => inTime(async () => assert.deepEqual(await read(), want));
