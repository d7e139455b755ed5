// A profile so big that a rough tree is shown first.

import assert from "node:assert/strict";

import { test } from "../chromium.mjs";
import { becomes, canvas, clickRow, crumbs, open, percentText, told } from "./page.mjs";

/** Keeps the whole tree of a big profile from taking the place of the rough one, until release(). */
function holdTimers() {
  const { setTimeout: start, clearTimeout: stop } = window;
  const held = new Map();
  let last = 0;
  window.setTimeout = (run, ms, ...given) => {
    if (ms !== 100) return start(run, ms, ...given);
    held.set(--last, run);
    return last;
  };
  window.clearTimeout = (id) => {
    held.delete(id);
    stop(id);
  };
  window.release = () => {
    for (const run of held.values()) run();
    return held.size;
  };
}

/** The legend of a profile of the program's code and the standard library. */
function sharesOf({ functions }) {
  const own = (fn) => fn.file.startsWith("/srv/app/");
  const percent = (rows) => rows.reduce((sum, fn) => sum + fn.self.percent, 0);
  return [
    `Your code ${percentText(percent(functions.filter(own)))}`,
    `Standard library ${percentText(percent(functions.filter((fn) => !own(fn))))}`,
  ];
}

const legendTexts = async (page) => (await page.locator(".legend-entry").allTextContents()).map((text) => text.trim());

/** Makes changes; no legend is seen after one but its own, or one of others. */
async function legendChanges(page, changes, others) {
  await page.locator(".legend-entry").first().waitFor();
  await page.evaluate(() => {
    window.seen = [];
    const look = () => window.seen.push([...document.querySelectorAll(".legend-entry")].map((entry) => entry.textContent.trim()).join());
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  for (const [change, want] of changes) {
    const before = (await legendTexts(page)).join();
    if ((await page.locator(".threads").count()) > 0 && (await page.locator(".threads[open]").count()) === 0)
      await page.click(".threads summary");
    await page.evaluate(() => { window.seen = []; });
    await change();
    await becomes(async () => (await legendTexts(page)).slice(0, want.length), want);
    const known = [(await legendTexts(page)).join(), ...others];
    for (const entries of await page.evaluate(() => window.seen))
      assert.ok(known.includes(entries), `${entries} after ${before}`);
  }
}

test("the legend has no shares but those of what is shown", async (browser) => {
  const { page, close } = await open(browser, "program");
  await legendChanges(page, [
    [() => page.getByLabel(/worker & <b>/).check(), ["Your code 30.0 %", "Libraries 70.0 %"]],
    [() => page.selectOption(".choice select", "module"), ["numeric 70.0 %"]],
    [() => page.click("text=All threads"), ["numeric 35.0 %", "json 25.0 %"]],
  ], []);
  await close();
  const big = await open(browser, "big");
  assert.match(await big.page.locator(".head").textContent(), /160\D002 samples for 2\D660\D000 ticks/);
  const onlyOwn = () => big.page.click("text=Only my code");
  const byModule = sharesOf(told("big").flat).map((text) => text.replace("Your code", "big").replace("Standard library", "json"));
  await legendChanges(big.page, [
    [() => big.page.selectOption(".choice select", "module"), byModule],
    [onlyOwn, ["big 100 %"]],
    [() => big.page.selectOption(".choice select", "origin"), ["Your code 100 %"]],
    [onlyOwn, sharesOf(told("big").flat)],
  ], [""]);
  await big.close();
});

test("of a big profile a node of the first look is that of the whole tree", async (browser) => {
  const { page, close } = await open(browser, "big", { init: holdTimers });
  const big = told("big");
  await canvas(page).waitFor();
  assert.deepEqual(await legendTexts(page), [], "the first look leaves out what has shares");
  await clickRow(page, 3, 0.8);
  const hash = await page.evaluate(() => window.location.hash.slice(1));
  assert.equal(Number(new URLSearchParams(hash).get("zoom")), big.C, hash);
  assert.match(await page.locator(".selection").textContent(), /^C .*big\.py/);
  assert.deepEqual((await crumbs(page)).map((text) => text.split(" ")[0]), ["all", "<module>", "B", "C"]);
  await page.evaluate(() => window.release());
  await becomes(() => legendTexts(page), sharesOf(big.flat));
  await close();
});

test("of a big profile the whole tree takes the place of the first look", async (browser) => {
  const { page, close } = await open(browser, "big", { init: holdTimers });
  await canvas(page).waitFor();
  await becomes(() => page.evaluate(() => window.release()), 1);
  await becomes(() => legendTexts(page), sharesOf(told("big").flat));
  await close();
});

test("of a big profile the whole tree stays when it is there, and what is selected", async (browser) => {
  const { page, close } = await open(browser, "big", { hash: "#tab=tree", init: holdTimers });
  await page.locator(".list-row").first().click();
  await page.keyboard.press("End");
  assert.match(await page.locator(".selection").textContent(), /^B /);
  await page.click("#tab-flame");
  await canvas(page).waitFor();
  assert.match(await page.locator(".selection").textContent(), /^B /);
  await becomes(() => legendTexts(page), sharesOf(told("big").flat));
  assert.match(await page.locator(".selection").textContent(), /^B /);
  await close();
  const zoomed = await open(browser, "big", { hash: `#zoom=${told("big").C}`, init: holdTimers });
  await clickRow(zoomed.page, 2);
  await zoomed.page.locator(".crumbs button").first().click();
  assert.match(await zoomed.page.locator(".selection").textContent(), /^B /);
  await becomes(() => legendTexts(zoomed.page), sharesOf(told("big").flat));
  await zoomed.close();
});
