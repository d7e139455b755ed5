// Views of one profile: their numbers, and the ways from one to another.

import assert from "node:assert/strict";

import { test } from "../chromium.mjs";
import { canvas, cells, clickRow, crumbs, inTime, intervalText, open, percentText, rowNames, told } from "./page.mjs";

test("the table has the numbers of vmprof show flat", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=functions" });
  const { functions, total } = told("program").flat;
  const rows = await cells(page);
  assert.equal(rows.length, functions.length);
  for (const [i, row] of rows.entries()) {
    assert.equal(row[0], percentText(functions[i].self.percent));
    const { self, total } = functions[i];
    assert.equal(row[1], intervalText(self.percent_low, self.percent_high));
    assert.equal(row[3], percentText(total.percent));
    assert.equal(row[4], intervalText(total.percent_low, total.percent_high));
  }
  assert.equal(total.ticks, 2000);
  await close();
});

test("the call tree has the nodes of vmprof show tree", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree" });
  await page.locator(".list-row").first().focus();
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
  }
  const rows = await cells(page);
  const { nodes } = told("program").tree;
  assert.equal(rows.length, nodes.length);
  for (const [i, row] of rows.entries()) {
    assert.equal(row[0], percentText(nodes[i].total.percent), nodes[i].function);
    assert.equal(row[1], percentText(nodes[i].self.percent), nodes[i].function);
  }
  const levels = await page.locator(".list-row").evaluateAll((all) => all.map((row) => Number(row.ariaLevel)));
  assert.deepEqual(levels, nodes.map((node) => node.depth + 1));
  await close();
});

test("a click zooms, breadcrumbs and Escape lead back", async (browser) => {
  const { page, close } = await open(browser, "program");
  assert.equal((await crumbs(page)).length, 1);
  await clickRow(page, 2, 0.1);
  assert.deepEqual(await crumbs(page), ["all 100 %", "<module> prog.py 50.0 %", "main 50.0 %"]);
  const selected = page.locator(".selection");
  assert.match(await selected.textContent(), /main.*prog\.py:10/);
  const { total } = told("program").tree.nodes.find((node) => node.function === "main");
  assert.match(
    await selected.locator(".figures tr").first().textContent(),
    new RegExp(`50\\.0 %${total.percent_low.toFixed(1)}–${total.percent_high.toFixed(1)}1\\.00 s1\\D000 samples`),
  );
  await page.goBack();
  assert.equal((await crumbs(page)).length, 1);
  await page.goForward();
  assert.equal((await crumbs(page)).length, 3);
  await page.locator(".crumbs button").first().click();
  assert.equal((await crumbs(page)).length, 1);
  await close();
});

test("keys alone walk, zoom and go back", async (browser) => {
  const { page, close } = await open(browser, "program");
  await canvas(page).focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowRight");
  assert.match(await page.locator(".spoken").textContent(), /^Thread\.run: total 50\.0 %, self 0 %/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal((await crumbs(page)).at(-1), "dot 35.0 %");
  await page.keyboard.press("Backspace");
  assert.equal((await crumbs(page)).at(-1), "Thread.run 50.0 %");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  assert.equal((await crumbs(page)).length, 1);
  await page.keyboard.press("3");
  await page.keyboard.press("i");
  assert.equal(await page.locator('[role="treegrid"]').count(), 1);
  await close();
});

test("a search tells the exact share of the samples", async (browser) => {
  const { page, close } = await open(browser, "program");
  await page.keyboard.press("/");
  await page.keyboard.type("parse");
  const output = page.locator(".search output");
  // Parser.parse, and all else in parser.py: once for each sample, recursion or not.
  assert.equal(await output.textContent(), "45.0 % in 1 function");
  await page.fill(".search input", "/^(dot|main)$/");
  assert.equal(await output.textContent(), "85.0 % in 2 functions");
  await page.fill(".search input", "/(/");
  assert.equal(await output.textContent(), "not a regular expression");
  await page.fill(".search input", "nowhere");
  assert.equal(await output.textContent(), "0 % in 0 functions");
  await close();
});

test("inverted, the heaviest self comes first", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree&inv=1" });
  const names = await rowNames(page);
  const hottest = told("program").flat.functions[0];
  assert.equal(names[1], hottest.function);
  assert.equal((await cells(page))[1][0], percentText(hottest.self.percent));
  await close();
});

test("threads are chosen and shown one by one", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree" });
  await page.click(".threads summary");
  await page.getByLabel(/worker & <b>/).check();
  assert.match(page.url(), /threads=2/);
  assert.equal((await rowNames(page))[1], "Thread.run");
  assert.equal((await cells(page))[1][0], "100 %");
  await page.click("text=All threads");
  await page.click("text=One by one");
  assert.deepEqual((await rowNames(page)).slice(0, 2), ["all", "MainThread"]);
  await close();
});

test("dragging over the timeline gives the range its own profile", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree" });
  const plot = await page.locator(".u-over").boundingBox();
  await page.mouse.move(plot.x + plot.width * 0.6, plot.y + 20);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.9, plot.y + 20, { steps: 4 });
  await page.mouse.up();
  assert.equal((await rowNames(page))[1], "Thread.run");
  assert.equal((await cells(page))[1][0], "100 %");
  assert.match(page.url(), /range=1\.[12]\d*%2C1\.[78]\d*$/);
  await page.click("text=Whole run");
  assert.equal((await cells(page))[1][0], "50.0 %");
  const [from] = await page.locator(".timeline-range input").all();
  await from.fill("1.5");
  await from.press("Enter");
  assert.equal((await rowNames(page))[1], "Thread.run");
  await close();
});

test("functions and modules are hidden and focused in two clicks", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree" });
  const choose = (name) => page.locator(".list-row", { has: page.locator(`text="${name}"`) }).first().click();
  await choose("Thread.run");
  await page.click('.actions >> text="Focus"');
  assert.equal((await cells(page))[1][0], "100 %");
  await page.click(".chip");
  await choose("Thread.run");
  await page.click("text=Hide threading");
  assert.ok(!(await rowNames(page)).includes("Thread.run"));
  assert.equal((await cells(page))[0][0], "100 %");
  await page.click(".chip");
  assert.equal(await page.locator(".chip").count(), 0);
  await close();
});

test("only my code gives what libraries cost to who called them", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=functions" });
  await page.click("text=Only my code");
  const rows = await cells(page);
  assert.equal(rows[0][6].startsWith("Parser.parse"), true);
  assert.equal(rows[0][0], "45.0 %");
  assert.ok(!(await rowNames(page)).includes("JSONDecoder.decode"));
  await close();
});

test("PyPy's states are those of vmprof show tree", async (browser) => {
  const { page, close } = await open(browser, "pypy", { hash: "#color=state" });
  const { states, total } = told("pypy").tree;
  const labels = { interpreter: "interpreter", jit: "JIT", gc_minor: "minor GC", gc_major: "major GC", warm_up: "warm-up", native: "native" };
  const shares = Object.entries(labels).filter(([key]) => states[key] > 0)
    .map(([key, label]) => `${label} ${percentText((100 * states[key]) / total.ticks)}`);
  assert.ok(shares.length >= 4);
  assert.deepEqual((await page.locator(".legend-entry").allTextContents()).map((text) => text.trim()), shares);
  const line = await page.locator(".states").textContent();
  for (const share of shares) assert.ok(line.includes(share), `${share} in ${line}`);
  // A frame has the colors of all its states, in parts as wide as their shares. Row -1 is the lowest.
  const keys = Object.keys(labels).filter((key) => states[key] > 0);
  const areColored = (graph, depth, part, ticks, all) => inTime(async () => {
    const shares = await graph.evaluate((element, [row, width]) => {
      const top = row * 20 + (row < 0 ? element.clientHeight : 0);
      const y = Math.round((top + 1) * (element.height / element.clientHeight));
      const pixels = element.getContext("2d").getImageData(0, y, element.width * width, 1).data;
      const count = new Map();
      for (let i = 0; i < pixels.length; i += 4) {
        const key = `rgb(${pixels[i]}, ${pixels[i + 1]}, ${pixels[i + 2]})`;
        count.set(key, (count.get(key) ?? 0) + 4 / pixels.length);
      }
      const swatches = [...document.querySelectorAll(".legend .swatch")].map((swatch) => getComputedStyle(swatch).backgroundColor);
      return swatches.map((color) => count.get(color) ?? 0);
    }, [depth, part]);
    for (const [i, key] of keys.entries())
      assert.ok(Math.abs(shares[i] - ticks[key] / all) < 0.015, `${key}: ${shares[i]} is ${ticks[key] / all}`);
  });
  await areColored(canvas(page), 0, 1, states, total.ticks);
  await page.keyboard.press("i");
  assert.equal(await page.inputValue(".choice select"), "state");
  // Below the root stands what ran, the heaviest first: with the states of its self.
  const hottest = told("pypy").flat.functions[0];
  await page.getByText("all, by what ran").waitFor();
  await areColored(canvas(page), 0, 1, states, total.ticks);
  await areColored(canvas(page), 1, hottest.self.ticks / total.ticks, hottest.self_states, hottest.self.ticks);
  await clickRow(page, 1, 0.1);
  await page.click("text=Callers and lines");
  await page.locator(".half canvas").nth(1).waitFor();
  for (const half of await page.locator(".half canvas").all()) {
    const upward = (await half.getAttribute("aria-label")).startsWith("Callers");
    await areColored(half, upward ? -1 : 0, 1, hottest.total_states, hottest.total.ticks);
  }
  await page.keyboard.press("i");
  await page.click("#tab-functions");
  assert.ok((await page.locator(".legend").textContent()).includes("shares of self"));
  await close();
  const without = await open(browser, "program", { hash: "#color=state" });
  assert.equal(await without.page.inputValue(".choice select"), "origin");
  assert.equal(await without.page.locator(".states").count(), 0);
  await without.close();
});

test("recursion is folded", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=tree&fold=1" });
  const names = await rowNames(page);
  assert.equal(names.filter((name) => name === "Parser.parse").length, 1);
  await close();
});

test("a function shows its callers, its callees and its lines", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=functions" });
  await page.locator(".list-row", { hasText: "Parser.parse" }).click();
  await page.click("text=Callers and lines");
  const row = told("program").lines.functions.find((fn) => fn.function === "Parser.parse");
  const lines = await page.locator(".lines tbody tr").evaluateAll((all) =>
    all.map((tr) => [...tr.children].map((cell) => cell.textContent)));
  assert.deepEqual(
    lines,
    row.lines.map((line) => [String(line.line), percentText(line.self.percent), percentText(line.total.percent)]),
  );
  assert.equal(await page.locator(".half canvas").count(), 2);
  assert.equal(await page.locator(".expressions").count(), 0, "the log knows no columns");
  await close();
});

test("the address holds the whole state", async (browser) => {
  const hash =
    "#tab=tree&inv=1&own=1&color=module&threads=1&range=0.1%2C0.9&hide=module%3Ajson&search=main";
  const { page, close } = await open(browser, "program", { hash });
  assert.equal(await page.locator('[role="tab"][aria-selected="true"]').textContent(), "Call tree");
  assert.deepEqual(await page.locator('.options [aria-pressed="true"]').allTextContents(), ["Inverted", "Only my code"]);
  assert.match(await page.locator(".chip").textContent(), /module json/);
  assert.equal(await page.inputValue(".search input"), "main");
  const before = await cells(page);
  await page.reload();
  await page.waitForSelector(".page");
  assert.deepEqual(await cells(page), before);
  await close();
});

/** The page gets no frame and no timer until long after it appeared. */
function holdFrames() {
  const { setTimeout: start } = window;
  const late = (run, ms, ...given) => start(run, (ms ?? 0) + 3000, ...given);
  window.setTimeout = late;
  window.requestAnimationFrame = (run) => late(() => run(performance.now()));
}

test("keys work from the first moment, each on what the last one left", async (browser) => {
  const { page, close } = await open(browser, "program", { init: holdFrames });
  const hash = () => page.evaluate(() => window.location.hash);
  await page.keyboard.press("i");
  assert.match(await hash(), /inv=1/);
  await page.keyboard.press("i");
  assert.doesNotMatch(await hash(), /inv=1/);
  await page.keyboard.press("2");
  assert.match(await hash(), /tab=functions/);
  await close();
});

test("the key of a tab that is not there does nothing", async (browser) => {
  const { page, close } = await open(browser, "program", { hash: "#tab=functions" });
  const hash = () => page.evaluate(() => window.location.hash);
  await page.keyboard.press("6");
  assert.equal(await hash(), "#tab=functions");
  assert.equal(await page.locator('[role="tab"][aria-selected="true"]').textContent(), "Functions");
  await close();
  const compared = await open(browser, "diff");
  await compared.page.keyboard.press("6");
  assert.equal(await compared.page.locator('[role="tab"][aria-selected="true"]').textContent(), "Changes");
  await compared.close();
});
