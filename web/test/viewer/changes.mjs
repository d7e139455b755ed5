// Two profiles compared.

import assert from "node:assert/strict";

import { test } from "../chromium.mjs";
import { becomes, canvas, cells, clickRow, open, percentText, rowNames, told } from "./page.mjs";

/** A change as the page writes it. */
function pointsText(points) {
  const size = Math.abs(points);
  return `${points < 0 ? "−" : "+"}${size.toFixed(size === 0 || size >= 9.995 ? 1 : 2)}`;
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
