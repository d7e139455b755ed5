// Traces of PyPy's JIT.

import assert from "node:assert/strict";

import { test } from "../chromium.mjs";
import { cells, open, told } from "./page.mjs";

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
