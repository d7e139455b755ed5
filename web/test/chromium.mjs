// Tests that run in a headless Chromium and print TAP.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

const tests = [];
/** run: an async function of the browser. */
export const test = (name, run) => tests.push({ name, run });

/** What axe finds, and what is cut off at the side. */
export async function checkSight(page, name) {
  const { violations } = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  assert.deepEqual(violations.map((v) => `${name}: ${v.id}: ${v.nodes[0].html}: ${v.nodes[0].failureSummary}`), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name}: nothing is cut off at the side (${wide})`);
}

/** Runs all tests, one after the other. */
export async function runTests(executablePath) {
  const browser = await chromium.launch({ executablePath, args });
  console.log(`1..${tests.length}`);
  for (const [i, { name, run }] of tests.entries()) {
    try {
      await run(browser);
      console.log(`ok ${i + 1} - ${name}`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`not ok ${i + 1} - ${name}`);
      for (const line of String(error.stack ?? error).split("\n")) console.log(`# ${line}`);
      for (const context of browser.contexts()) await context.close();
    }
  }
  await browser.close();
}
