// The flame chart.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import { test } from "../chromium.mjs";
import { open, told } from "./page.mjs";

const chartCanvas = (page) => page.locator(".chart canvas");
const spoken = (page) => page.locator(".chart .spoken").textContent();
const note = (page) => page.locator(".selection .note").textContent();

/** The color at a point of the chart, below its axis. */
const chartColor = (page, x, row) => chartCanvas(page).evaluate((element, [part, at]) => {
  const ratio = element.width / element.clientWidth;
  return [...element.getContext("2d").getImageData(part * element.width, (22 + at * 20 + 3) * ratio, 1, 1).data.slice(0, 3)].join();
}, [x, row]);

test("the chart's table has the phases of the run, each at its time", async (browser) => {
  const { page, close } = await open(browser, "phased", { hash: "#tab=chart&table=1", height: 1400 });
  await page.locator(".list-row", { hasText: "MainThread" }).click();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("*");
  const rows = await page.locator(".list-row").evaluateAll((all) => all.map((row) => [
    row.querySelector(".function").textContent, Number(row.ariaLevel) - 1,
    ...[...row.querySelectorAll(".number")].map((cell) => cell.textContent),
  ]));
  const ms = (duration) => duration < 100 ? `${duration.toPrecision(3)} ms` : `${duration} ms`;
  assert.deepEqual(rows.slice(1), told("phased").map(([name, depth, begin, duration, samples]) => [
    name, depth, `${(begin / 1000).toFixed(4)} s`, ms(duration), ms(samples), String(samples),
  ]));
  await page.locator(".list-row", { has: page.locator('text="c"') }).click();
  assert.equal(await page.locator(".selection b").textContent(), "c");
  await page.keyboard.press("Enter");
  await page.click("text=Table");
  assert.match(page.url(), /#tab=chart&at=0\.7%2C0\.701$/);
  assert.match(await spoken(page), /^c: 0\.700000 s to 0\.701000 s · 1\.00 ms · 1\.00 ms of CPU in 1 sample$/);
  await close();
});

test("the chart has nothing where a thread used no CPU, and keys lead over that", async (browser) => {
  const { page, close } = await open(browser, "phased", { hash: "#tab=chart" });
  await chartCanvas(page).focus();
  await page.keyboard.press("ArrowDown");
  assert.match(await spoken(page), /^main: 0\.0000 s to 0\.3000 s · 300 ms · 300 ms of CPU in 300 samples$/);
  await page.keyboard.press("ArrowDown");
  const names = [];
  for (let i = 0; i < 5; i++) {
    names.push((await note(page)).split(" ")[0], await page.locator(".selection b").textContent());
    await page.keyboard.press("ArrowRight");
  }
  assert.deepEqual(names, ["0.0000", "a", "0.2000", "b", "0.6000", "a", "0.7000", "c", "0.7010", "a"]);
  // Rows: the thread, main, a and b; between 0.3 and 0.6 s nothing but the page.
  const [busy, idle] = [await chartColor(page, 0.1, 1), await chartColor(page, 0.45, 1)];
  assert.equal(idle, "0,0,0");
  assert.notEqual(busy, idle);
  await page.keyboard.press("PageDown");
  assert.equal(await page.locator(".selection b").textContent(), "wake");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(".selection").count(), 0);
  await close();
});

test("the chart zooms by keys, wheel and axis, in its part of the run alone", async (browser) => {
  const { page, close } = await open(browser, "phased", { hash: "#tab=chart" });
  const shown = () => page.locator(".chart-bar span").first().textContent();
  const at = (from, to) => page.waitForURL((url) => {
    const range = (new URLSearchParams(url.hash.slice(1)).get("at") ?? "").split(",").map(Number);
    return Math.abs(range[0] - from) < 0.01 && Math.abs(range[1] - to) < 0.01;
  });
  const box = await chartCanvas(page).boundingBox();
  await chartCanvas(page).focus();
  await page.keyboard.press("+");
  await at(0.225, 0.675);
  await page.keyboard.press("Shift+ArrowRight");
  await at(0.315, 0.765);
  await page.keyboard.press("-");
  await page.waitForURL((url) => !url.hash.includes("at="));
  await page.mouse.move(box.x + box.width / 3, box.y + 100);
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -300 * Math.log(2));
  await page.keyboard.up("Control");
  await at(0.15, 0.6);
  await page.mouse.down();
  await page.mouse.move(box.x, box.y + 100, { steps: 3 });
  await page.mouse.up();
  await at(0.3, 0.75);
  await page.mouse.move(box.x + box.width / 3, box.y + 8);
  await page.mouse.down();
  await page.mouse.move(box.x + (box.width * 2) / 3, box.y + 30, { steps: 3 });
  await page.mouse.up();
  await at(0.45, 0.6);
  assert.match(await shown(), /^0\.4[45]\d* s to 0\.(59|60)\d* s$/);
  assert.doesNotMatch(page.url(), /range=/);
  await page.click("text=Only this part");
  assert.match(page.url(), /range=0\.4[45]\d*%2C0\.(59|6)\d*$/);
  assert.equal(await page.locator(".legend b").first().textContent(), "100 %");
  await page.goBack();
  await page.goBack();
  await at(0.3, 0.75);
  await close();
});

test("the chart follows filters, and is a file", async (browser) => {
  const { page, close } = await open(browser, "phased", { hash: "#tab=chart&hide=function%3Amain%40%2Fsrv%2Fapp%2Fphased.py%3A1" });
  const box = await chartCanvas(page).boundingBox();
  const x = box.x + box.width * 0.1;
  await page.mouse.move(x, box.y + 22 + 20 + 10);
  assert.match(await page.locator(".tooltip").textContent(), /^a\/srv\/app\/phased\.py:100\.0000 s to 0\.2000 s · 200 ms · 200 ms of CPU in 200 samples22\.2 % of the time shown$/);
  const waiting = page.waitForEvent("download");
  await page.click("text=SVG");
  const svg = readFileSync(await (await waiting).path(), "utf8");
  for (const text of [">MainThread · 550 ms of CPU in 550 samples<", ">b</text>", ">0.5 s<"]) assert.ok(svg.includes(text), text);
  assert.ok(!svg.includes("main"));
  await page.mouse.click(x, box.y + 22 + 20 + 10);
  await page.click('.actions >> text="Callers and lines"');
  assert.equal(await page.locator(".function-head h2").textContent(), "a");
  await close();
  const pypy = await open(browser, "pypy", { hash: "#tab=chart&color=state" });
  assert.match(await pypy.page.locator(".legend").textContent(), /JIT/);
  const swatches = await pypy.page.locator(".legend .swatch").evaluateAll((all) =>
    all.map((swatch) => getComputedStyle(swatch).backgroundColor.replace(/[^\d,]/g, "")));
  assert.ok(swatches.length >= 4);
  // One frame, which ran in several states one after the other.
  const colors = new Set();
  for (let i = 1; i < 40; i++) colors.add(await chartColor(pypy.page, i / 40, 1));
  assert.ok([...colors].filter((color) => swatches.includes(color)).length >= 2, `${[...colors]} of ${swatches}`);
  await pypy.close();
});
