// The page in Chromium: node browser.mjs FOLDER CHROMIUM. Prints TAP.
//
// FOLDER has NAME.html and NAME.json (what `vmprof show --json` says of the same
// log) as tests/web/check_viewer.py makes them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [folder, executablePath] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const args = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const told = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));

const tests = [];
const test = (name, run) => tests.push({ name, run });

/** Opens a page; what it asks for or complains of makes the test fail. init: runs in it before its own script. */
async function open(browser, name, { hash = "", width = 1440, height = 900, scheme = "light", init = () => {} } = {}) {
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
function percentText(percent) {
  if (percent > 0 && percent < 0.005) return "<0.01 %";
  return `${percent.toFixed(percent >= 99.95 || percent === 0 ? 0 : percent >= 10 ? 1 : 2)} %`;
}

/** Ends of an interval, in percent, as the page writes them. */
function intervalText(low, high) {
  const digits = high >= 10 ? 1 : 2;
  return `${low.toFixed(digits)}–${high.toFixed(digits)}`;
}

const cells = (page) =>
  page.locator(".list-row").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll('[role="gridcell"]')].map((cell) => cell.textContent)));

const rowNames = (page) => page.locator(".list-row .function").allTextContents();
const canvas = (page) => page.locator(".view-flame canvas");

/** Clicks the middle of a row of the flame graph. */
async function clickRow(page, row, part = 0.3) {
  const box = await canvas(page).boundingBox();
  await page.mouse.click(box.x + box.width * part, box.y + row * 20 + 10);
}

const crumbs = (page) => page.locator(".crumbs button").allTextContents();

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
  // A frame has the colors of all its states, in parts as wide as their shares.
  const keys = Object.keys(labels).filter((key) => states[key] > 0);
  const areColored = async (graph, depth, part, ticks, all) => {
    const shares = await graph.evaluate((element, [row, width]) => {
      const y = Math.round((row * 20 + 1) * (element.height / element.clientHeight));
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
  };
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
  for (const half of await page.locator(".half canvas").all()) {
    const bottom = await half.evaluate((element) => element.clientHeight / 20 - 1);
    const upward = (await half.getAttribute("aria-label")).startsWith("Callers");
    await areColored(half, upward ? bottom : 0, 1, hottest.total_states, hottest.total.ticks);
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

/** A change as the page writes it. */
function pointsText(points) {
  const size = Math.abs(points);
  return `${points < 0 ? "−" : "+"}${size.toFixed(size === 0 || size >= 9.995 ? 1 : 2)}`;
}

/** What is painted after the page is there, at its own time. */
async function becomes(read, want) {
  for (let tries = 0; tries < 100; tries++) {
    if (JSON.stringify(await read()) === JSON.stringify(want)) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.deepEqual(await read(), want);
}

test("changes are those of vmprof diff, and what is gone is among them", async (browser) => {
  const { page, close } = await open(browser, "diff", { hash: "#tab=changes" });
  const { functions } = told("diff");
  const mark = ({ change, significant }) => `${significant ? "" : "~"}${pointsText(change)}`;
  const want = (row) => [row.self, row.total].flatMap((c) => [mark(c), percentText(c.before), percentText(c.after)]);
  let rows = await cells(page);
  assert.equal(rows.length, functions.length);
  for (const [i, row] of rows.entries()) {
    assert.deepEqual(row.slice(0, 6), want(functions[i]), functions[i].function);
    const { fate } = functions[i];
    assert.equal(row[6].startsWith(fate === "kept" ? "" : fate), true);
  }
  assert.deepEqual(
    functions.filter((row) => row.fate !== "kept").map((row) => [row.function, row.fate]).sort(),
    [["dot", "new"], ["slow_dot", "gone"]],
  );
  // What stood two lines further up is hidden in both.
  const kept = functions.find((row) => row.function === "main");
  assert.equal(kept.fate, "kept");
  await page.locator(".list-row", { has: page.locator('text="main"') }).click();
  await page.click('.actions >> text="Hide"');
  assert.ok(!(await rowNames(page)).includes("main"));
  await page.click(".chip");
  await page.fill(".search input", "slow_dot");
  assert.deepEqual(await rowNames(page), ["slow_dot"]);
  await page.fill(".search input", "");
  await page.click('[role="columnheader"] button:has-text("Total")');
  rows = await cells(page);
  const sizes = rows.filter((row) => !row[3].startsWith("~")).map((row) => Math.abs(Number(row[3].replace("−", "-"))));
  assert.deepEqual(sizes, [...sizes].sort((a, b) => b - a));
  await close();
});

test("the flame graph is colored by the change, which hovering and selecting tell", async (browser) => {
  const { page, close } = await open(browser, "diff");
  const { nodes } = told("diff");
  const node = nodes.find((each) => each.function === "JSONDecoder.decode");
  assert.match(await page.locator(".head").textContent(), /compared with before\.vmprof, 2\D000 samples/);
  assert.match(await page.locator(".legend").textContent(), /less.*not significant.*more, or new/);
  // <module> has the left half, decode half of that: all in one stack.
  const box = await canvas(page).boundingBox();
  const y = box.y + node.depth * 20 + 10;
  await page.mouse.move(box.x + box.width * 0.05, y);
  const { before, change, low, high } = node.total;
  const line = `${pointsText(change)} points (${pointsText(low)} to ${pointsText(high)}), ${percentText(before)} before`;
  assert.equal(await page.locator(".tooltip .change").textContent(), line);
  const colorAt = (x, row) => canvas(page).evaluate((element, [px, py]) => {
    const ratio = element.width / element.clientWidth;
    const { data } = element.getContext("2d").getImageData(px * ratio, py * ratio, 1, 1);
    return [...data.slice(0, 3)];
  }, [x, row * 20 + 3]);
  // decode has less: pale blue; <module> has as much: grey; dot is new: orange.
  await becomes(async () => [
    await colorAt(box.width * 0.1, node.depth),
    await colorAt(box.width * 0.1, 1),
    await colorAt(box.width * 0.6, 2),
  ], [[0xbd, 0xdb, 0xf2], [0xe4, 0xe7, 0xeb], [0xee, 0x9a, 0x33]]);
  await clickRow(page, 2, 0.6);
  assert.match(await page.locator(".selection .change").textContent(), /^\+35\.0 points.*, new$/);
  await page.selectOption(".choice select", "origin");
  await page.locator(".legend >> text=Your code").waitFor();
  assert.match(page.url(), /color=origin/);
  await close();
});

/** Seconds as the page writes them, up to ten. */
function secondsText(seconds) {
  if (seconds === 0) return "0 s";
  if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
  return seconds < 0.9995 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${seconds.toFixed(2)} s`;
}

test("changes are told in seconds if asked for, of whole runs", async (browser) => {
  const { page, close } = await open(browser, "diff", { hash: "#tab=changes" });
  const { functions, nodes } = told("seconds");
  const change = (seconds) => `${seconds < 0 ? "−" : "+"}${secondsText(Math.abs(seconds))}`;
  const mark = (c) => `${c.significant ? "" : "~"}${change(c.change)}`;
  const want = (row) => [row.self, row.total].flatMap((c) => [mark(c), secondsText(c.before), secondsText(c.after)]);
  await page.click("text=Seconds");
  assert.deepEqual((await cells(page)).map((row) => row.slice(0, 6)), functions.map(want));
  assert.match(page.url(), /sec=1/);
  const { low, high } = functions[0].self;
  const title = await page.locator(".list-row .change").first().getAttribute("title");
  assert.equal(title.replace("; not significant", ""), `between ${change(low)} and ${change(high)}`);
  assert.match(await page.locator(".legend").textContent(), /a time beside that/);
  // What passes through one function took as long, and that is as sure, as among all.
  const decode = functions.find((row) => row.function === "JSONDecoder.decode");
  await page.locator(".list-row", { has: page.locator('text="JSONDecoder.decode"') }).click();
  await page.click('.actions >> text="Focus"');
  const row = page.locator(".list-row", { has: page.locator('text="JSONDecoder.decode"') });
  assert.equal(await row.locator(".change").nth(1).textContent(), change(decode.total.change));
  const sure = await row.locator(".change").nth(1).getAttribute("title");
  assert.ok(sure.startsWith(`between ${change(decode.total.low)} and ${change(decode.total.high)}`), sure);
  await page.click(".chip");
  await page.click("#tab-flame");
  const node = nodes.find((each) => each.function === "JSONDecoder.decode");
  await clickRow(page, node.depth, 0.05);
  const { total } = node;
  const line = `${change(total.change)} (${change(total.low)} to ${change(total.high)}), ${secondsText(total.before)} before`;
  assert.equal(await page.locator(".selection .change").textContent(), line);
  const box = await canvas(page).boundingBox();
  await page.mouse.move(box.x + box.width * 0.05, box.y + node.depth * 20 + 10);
  assert.equal(await page.locator(".tooltip .change").textContent(), line);
  // A part of the run is nothing beside the whole of another.
  await page.click(".threads summary");
  await page.getByLabel(/worker & <b>/).check();
  assert.ok(await page.locator("text=Seconds").isDisabled());
  await page.click("#tab-changes");
  assert.match((await cells(page))[0][1], /%$/);
  await close();
});

test("source lines are there if they were asked for, and no others", async (browser) => {
  const { page, close } = await open(browser, "sourced", { hash: "#tab=functions" });
  const source = told("sourced");
  const show = async (name) => {
    await page.click("#tab-functions");
    await page.locator(".list-row", { has: page.locator(`.function:text-is("${name}")`) }).click();
    await page.click("text=Callers and lines");
    return page.locator(".lines tbody tr").evaluateAll((all) =>
      all.map((tr) => [...tr.children].map((cell) => cell.textContent)));
  };
  const text = (line) => source[line - 1];
  assert.deepEqual(await show("work"), [
    ["1", "", "", text(1)], ["2", "", "", text(2)],
    ["3", "20.0 %", "20.0 %", text(3)], ["4", "60.0 %", "60.0 %", text(4)],
    ["5", "", "", text(5)], ["6", "", "", text(6)], ["7", "", "", text(7)],
  ]);
  const module = await show("<module> sourced.py");
  assert.deepEqual(module.map((row) => row[0]), ["1", "15", "16", "17", "18", "19", "20"]);
  assert.deepEqual(module[4], ["18", "10.0 %", "100 %", text(18)]);
  const other = await show("other");
  assert.deepEqual(other, [["1", "10.0 %", "10.0 %"]], "secret.txt is no source");
  const kept = await page.locator("script.source").textContent();
  assert.ok(!kept.includes("SECRET_3") && !kept.includes("<"));
  await close();
  const plain = await open(browser, "unsourced");
  assert.equal(await plain.page.locator("script.source").count(), 0);
  await plain.close();
});

test("expressions are marked in their lines, and told in a table that keys open", async (browser) => {
  const { page, close } = await open(browser, "marked", { hash: "#tab=functions", scheme: "dark" });
  const openFunction = async (on) => {
    await on.locator(".list-row", { has: on.locator('.function:text-is("f")') }).click();
    await on.click("text=Callers and lines");
  };
  await openFunction(page);
  const [{ lines }] = told("marked").functions;
  const expressions = lines.filter((line) => line.column !== undefined);
  const placeOf = ({ line, column, end_line: last, end_column: end }) => `${line}:${column + 1}–${last > line ? `${last}:` : ""}${end}`;
  const at = (place) => expressions.find((row) => placeOf(row) === place);
  const title = (row) => `${placeOf(row)}: total ${percentText(row.total.percent)}, self ${percentText(row.self.percent)}`;
  const [g, sum, h, long] = ["2:7–10", "2:7–21", "2:14–21", "3:9–4:5"].map(at);
  const marks = page.locator(".lines mark");
  assert.deepEqual(
    await marks.evaluateAll((all) => all.map((mark) => [mark.closest("tr").firstChild.textContent, mark.textContent, mark.title])),
    [["2", "g(x)", title(g)], ["2", " + ", title(sum)], ["2", "h('日')", title(h)], ["3", "long(", title(long)], ["4", "é)", title(long)]],
  );
  assert.equal(g.total.ticks, 50);
  assert.equal(g.self.ticks, 30);
  // The more samples, the less of what is behind it is seen through.
  const alphas = await marks.evaluateAll((all) => all.map((mark) => Number(getComputedStyle(mark).backgroundColor.match(/([\d.]+)\)$/)[1])));
  assert.ok(alphas[0] > alphas[2] && alphas[2] > alphas[1], String(alphas));
  const table = page.locator(".expressions");
  await table.locator("summary").focus();
  await page.keyboard.press("Enter");
  const rows = (on) => on.locator(".expressions tbody tr").evaluateAll((all) =>
    all.map((tr) => [...tr.children].map((cell) => cell.textContent)));
  const texts = { "2:7–10": "g(x)", "2:7–21": "g(x) + h('日')", "2:14–21": "h('日')", "3:9–4:5": "long( …", "2:91–95": "" };
  const want = expressions.toSorted((a, b) => b.total.ticks - a.total.ticks || b.self.ticks - a.self.ticks)
    .map((row) => [placeOf(row), percentText(row.self.percent), percentText(row.total.percent)]);
  assert.deepEqual(await rows(page), want.map((row) => [...row, texts[row[0]]]));
  assert.ok(await table.locator("tbody").isVisible());
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  const bad = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes[0].html}`), []);
  await close();
  const plain = await open(browser, "unmarked", { hash: "#tab=functions" });
  await openFunction(plain.page);
  assert.equal(await plain.page.locator(".lines mark").count(), 0);
  assert.deepEqual(await rows(plain.page), want);
  await plain.close();
});

/** A whole number as the page writes it. */
const countText = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u202f");

const traceName = (trace) => `${trace.type} ${trace.trace}`;

/** Rows of the table of traces, of what `vmprof jit --json` says. */
const traceCells = (traces) => traces.map((trace) => [
  trace.entered, traceName(trace), trace.operations.noopt, trace.operations.opt, trace.operations.asm, trace.guards,
  parseInt(trace.code_end, 16) - parseInt(trace.code_start, 16), `${trace.function} ${trace.file}:${trace.line}`,
].map((cell) => (typeof cell === "number" ? countText(cell) : cell)));

/** Operations of a stage, as the page writes them, with what `vmprof jit --json` says they were counted. */
function operationCells({ stages }, stage) {
  const counted = new Map(stages.asm.filter((op) => op.count > 0).map((op) => [op.descr, op]));
  return stages[stage].filter((entry) => entry.kind === "operation").map((op) => {
    const [result, ...args] = op.args.split(",");
    const { count } = stage === "opt" && op.name !== "jump" ? (counted.get(op.descr) ?? op) : op;
    return [count === 0 ? "" : countText(count), `${result === "?" ? "" : `${result} = `}${op.name}(${args.join(",")})`];
  });
}

/** All rows of a list that shows only those in sight. */
async function allCells(page) {
  const list = page.locator(".list");
  const rows = new Map();
  const height = await list.evaluate((element) => element.scrollHeight);
  for (let y = 0; y < height; y += 200) {
    await list.evaluate((element, top) => element.scrollTo(0, top), y);
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seen = await page.locator(".list-row").evaluateAll((all) =>
      all.map((row) => [Number(row.ariaRowIndex), row.className, [...row.children].map((cell) => cell.textContent)]));
    for (const [i, name, row] of seen) rows.set(i, [name, row]);
  }
  return [...rows].sort((a, b) => a[0] - b[0]).map((entry) => entry[1]);
}

test("traces have the numbers of vmprof jit, and lead to functions and back", async (browser) => {
  const { page, close } = await open(browser, "jit");
  await page.click("#tab-jit");
  const { traces } = told("jit");
  assert.deepEqual(await cells(page), traceCells(traces));
  assert.deepEqual(traces.map(traceName), ["bridge 2", "loop 1"]);
  await page.click('[role="columnheader"] button:has-text("Bytes")');
  assert.deepEqual((await cells(page)).map((row) => row[1]), ["loop 1", "bridge 2"]);
  await page.fill(".search input", "bridge");
  assert.deepEqual((await cells(page)).map((row) => row[1]), ["bridge 2"]);
  assert.match(await page.locator(".jit-facts").textContent(), /1 of 2 traces, x86_64, jitlog of version 4/);
  await page.fill(".search input", "jitlog_loop");
  assert.equal((await cells(page)).length, 2);
  await page.fill(".search input", "");
  // By keys alone: the loop, its guard, the bridge, and back.
  await page.locator(".list-row").first().focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("Enter");
  assert.match(page.url(), /tab=jit.*trace=1/);
  const loop = traces.find((trace) => trace.trace === 1);
  assert.match(await page.locator(".trace-head").textContent(), new RegExp(`loop 1entered ${loop.entered} times${loop.guards} guards, .*at ${loop.code_start}`));
  for (const [stage, label] of [["opt", "Optimized"], ["asm", "Assembled"], ["noopt", "As traced"]]) {
    await page.click(`[aria-label="Stage"] button:has-text("${label} (${loop.operations[stage]})")`);
    const rows = (await allCells(page)).filter(([name, row]) => name.includes("jit-entry") && !row[1].startsWith("inputs"));
    assert.deepEqual(rows.map(([, row]) => row.slice(0, 2)), operationCells(loop, stage), stage);
    if (stage !== "noopt") assert.deepEqual(rows.map(([, row]) => row[2]).filter((text) => text !== ""), ["bridge 2"]);
  }
  await page.click('[aria-label="Stage"] button:has-text("Optimized")');
  const failed = page.locator(".list-row", { hasText: "bridge 2" });
  const guard = (await allCells(page)).findIndex(([, row]) => row[2] === "bridge 2");
  await page.locator(".list").evaluate((element, row) => element.scrollTo(0, row * 26), guard);
  await failed.click();
  assert.match(await page.locator(".jit-details").textContent(), /guard_false\(.*saves p0,.*failed 452 timesgoes to bridge 2/);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".trace-line").first().textContent(), /^From guard_false of loop 1, which failed 452 times in loop \/src\/jitlog_loop\.py:16$/);
  await page.keyboard.press("Backspace");
  assert.equal(await page.locator('.list-row[aria-selected="true"] .trace').textContent(), "bridge 2");
  await page.goBack();
  await page.reload();
  await page.waitForSelector(".trace-head");
  assert.match(await page.locator(".trace-head h2").textContent(), /bridge 2/);
  await page.click('.trace-line button:has-text("double")');
  assert.match(await page.locator(".function-head").textContent(), /^double/);
  const through = page.locator('[aria-label="JIT"] tbody tr');
  const row = await through.first().locator("td").allTextContents();
  const bridge = traces[0];
  // Operations of the optimized bridge below a point in double.
  let place = "";
  const inDouble = bridge.stages.opt.filter((entry) => {
    if (entry.kind === "point") place = entry.function;
    return entry.kind === "operation" && place === "double";
  }).length;
  assert.deepEqual(row, [countText(bridge.entered), countText(inDouble), countText(bridge.operations.opt), "bridge 2"]);
  await through.first().locator("button").click();
  assert.match(await page.locator(".trace-head h2").textContent(), /bridge 2/);
  await close();
});

test("a jitlog alone is a page of its own, and a log without one has no tab for it", async (browser) => {
  const { page, close } = await open(browser, "jitalone");
  assert.equal(await page.title(), "jitalone.vmprof.jit – vmprof");
  assert.equal(await page.locator('[role="tab"]').count(), 0);
  assert.deepEqual(await cells(page), traceCells(told("jitalone").traces));
  await page.fill(".search input", "/(/");
  assert.match(await page.locator(".search output").textContent(), /not a regular expression/);
  await page.fill(".search input", "nowhere");
  assert.match(await page.locator(".view").textContent(), /No trace matches/);
  await page.fill(".search input", "");
  await page.locator(".list-row", { hasText: "loop 1" }).click();
  assert.match(page.url(), /trace=1/);
  await close();
  for (const name of ["program", "nojit", "bad"]) {
    const without = await open(browser, name, { hash: "#tab=jit&trace=1" });
    assert.equal(await without.page.locator("#tab-jit").count(), 0);
    assert.equal(await without.page.locator('[role="tab"][aria-selected="true"]').textContent(), "Flame graph");
    await without.close();
  }
});

test("what a jitlog says is text, and its largest numbers are shown", async (browser) => {
  const { page, close } = await open(browser, "jithostile", { hash: "#tab=jit" });
  const rows = await cells(page);
  assert.equal(rows.length, 2);
  for (const row of rows) assert.ok(row[7].startsWith("<img src=x onerror="));
  assert.ok(rows.some((row) => row[0].replaceAll("\u202f", "").startsWith("18446744073709552")));
  await page.locator(".list-row").first().click();
  await page.click('[aria-label="Stage"] button:has-text("Assembled")');
  for (let i = 0; i < 4; i++) await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator("#app img, #app script").count(), 0);
  assert.equal(await page.title(), "jitlog_loop.py – vmprof");
  await page.goto(page.url().replace(/trace=\d+/, "trace=999999999999"));
  assert.equal((await cells(page)).length, 2);
  await close();
});

test("a log that was cut, an empty one and a broken one say so", async (browser) => {
  const cut = await open(browser, "cut");
  assert.match(await cut.page.locator(".head").textContent(), /no clean end/);
  await cut.close();
  const empty = await open(browser, "empty");
  assert.match(await empty.page.locator(".view").textContent(), /No sample/);
  await empty.close();
  const broken = await open(browser, "broken");
  assert.match(await broken.page.locator('[role="alert"]').textContent(), /cannot be shown/);
  await broken.close();
});

test("nothing is selected by a row of what is gone", async (browser) => {
  const { page, close } = await open(browser, "diff", { hash: "#tab=changes" });
  const rowOf = (name) => page.locator(".list-row", { has: page.locator(`.function:text-is("${name}")`) });
  const selected = () => page.locator('.list-row[aria-selected="true"] .function').allTextContents();
  await rowOf("main").click();
  assert.match(await page.locator(".selection").textContent(), /^main/);
  assert.deepEqual(await selected(), ["main"]);
  await rowOf("slow_dot").click();
  assert.equal(await page.locator(".selection").count(), 0);
  assert.deepEqual(await selected(), []);
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
  assert.equal(await page.evaluate(() => window.release()), 1);
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

/** What axe finds, and what is cut off at the side. */
async function checkSight(page, name) {
  const found = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })`);
  const bad = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v) => `${name}: ${v.id}: ${v.nodes[0].html}: ${v.nodes[0].failureSummary}`), []);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  assert.ok(wide <= 0, `${name}: nothing is cut off at the side (${wide})`);
}

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

for (const scheme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    test(`axe finds nothing serious, ${scheme}, ${width} pixels wide`, async (browser) => {
      const { page, close } = await open(browser, "diff", { scheme, width, hash: "#search=parse" });
      for (const tab of ["flame", "functions", "tree", "function", "chart", "changes"]) {
        await page.click(`#tab-${tab}`);
        if (tab === "functions") {
          await page.locator(".list-row").first().click();
          await page.click("text=Callers and lines");
          await page.click("#tab-functions");
        }
        await checkSight(page, tab);
      }
      await close();
      const jit = await open(browser, "jit", { scheme, width, hash: "#tab=jit" });
      await checkSight(jit.page, "traces");
      await jit.page.locator(".list-row").first().click();
      await checkSight(jit.page, "trace");
      await jit.page.click('.trace-line button:has-text("double")');
      await checkSight(jit.page, "traces of a function");
      await jit.close();
    });
  }
}

const browser = await chromium.launch({ executablePath, args });
console.log(`1..${tests.length}`);
let bad = 0;
for (const [i, { name, run }] of tests.entries()) {
  try {
    await run(browser);
    console.log(`ok ${i + 1} - ${name}`);
  } catch (error) {
    bad += 1;
    console.log(`not ok ${i + 1} - ${name}`);
    for (const line of String(error.stack ?? error).split("\n")) console.log(`# ${line}`);
    for (const context of browser.contexts()) await context.close();
  }
}
await browser.close();
process.exitCode = bad ? 1 : 0;
