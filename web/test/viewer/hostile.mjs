// What names, logs and the module's memory may do to the page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { test } from "../chromium.mjs";
import { canvas, crumbs, open, rowNames } from "./page.mjs";

test("names are text, whatever they say", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=functions" });
  assert.ok((await rowNames(page)).includes("</script><script>document.title='owned'</script>"));
  assert.equal(await page.title(), "prog.py --fast – vmprof");
  assert.equal(await page.locator("#app img, #app script").count(), 0);
  await page.click("#tab-flame");
  const waiting = page.waitForEvent("download");
  await page.click("text=SVG");
  const svg = readFileSync(await (await waiting).path(), "utf8");
  assert.ok(!svg.includes("<script"));
  assert.ok(svg.includes("&lt;/script&gt;"));
  const png = page.waitForEvent("download");
  await page.click("text=PNG");
  assert.equal(readFileSync(await (await png).path()).subarray(1, 4).toString(), "PNG");
  await close();
});

test("the policy forbids what the page does not do", async (browser) => {
  const { page } = await open(browser, "program");
  const outcome = await page.evaluate(async () => {
    const fetched = await fetch("https://example.org/").then(() => "sent", () => "refused");
    const script = document.createElement("script");
    script.textContent = "document.title = 'owned'";
    document.body.append(script);
    return [fetched, document.title];
  });
  assert.deepEqual(outcome, ["refused", "prog.py --fast – vmprof"]);
  await page.context().close();
});

test("a log that was cut, an empty one and a broken one say so", async (browser) => {
  const cut = await open(browser, "cut");
  assert.match(await cut.page.locator(".head").textContent(), /no clean end/);
  await cut.close();
  const behind = await open(browser, "behind");
  assert.match(await behind.page.locator(".head .warning").textContent(), /behind the log’s end, at byte \d{3,} \(this (is|looks like) /);
  await behind.close();
  const empty = await open(browser, "empty");
  assert.match(await empty.page.locator(".view").textContent(), /No sample/);
  await empty.close();
  const broken = await open(browser, "broken");
  assert.match(await broken.page.locator('[role="alert"]').textContent(), /cannot be shown/);
  await broken.close();
});

/** Lets a test make the memory of the module grow, which moves it. */
function keepMemory() {
  const instantiate = WebAssembly.instantiate;
  WebAssembly.instantiate = async (...given) => {
    const made = await instantiate.apply(WebAssembly, given);
    window.growMemory = () => made.instance.exports.memory.grow(1);
    return made;
  };
}

test("the memory of the module may move at any time", async (browser) => {
  const { page, close } = await open(browser, "program", { init: keepMemory });
  const grow = () => page.evaluate(() => void window.growMemory());
  await grow();
  const svg = page.waitForEvent("download");
  await page.click("text=SVG");
  assert.ok(readFileSync(await (await svg).path(), "utf8").includes("JSONDecoder.decode"));
  await grow();
  const png = page.waitForEvent("download");
  await page.click("text=PNG");
  assert.equal(readFileSync(await (await png).path()).subarray(1, 4).toString(), "PNG");
  await canvas(page).focus();
  await page.keyboard.press("ArrowDown");
  for (const name of ["<module>", "main", "Parser.parse"]) {
    await grow();
    await page.keyboard.press("ArrowDown");
    assert.ok((await page.locator(".spoken").textContent()).startsWith(`${name}`));
  }
  await page.keyboard.press("Enter");
  await grow();
  await page.keyboard.press("Backspace");
  assert.match((await crumbs(page)).at(-1), /^main/);
  await page.click("#tab-tree");
  await page.locator('.list-row[aria-level="1"]').click();
  await grow();
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator(".selection").textContent(), /^<module>/);
  await close();
});
