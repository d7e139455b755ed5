// Source lines and the expressions in them.

import assert from "node:assert/strict";

import { checkSight, test } from "../chromium.mjs";
import { open, percentText, told } from "./page.mjs";

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
  await checkSight(page, "expressions");
  await close();
  const plain = await open(browser, "unmarked", { hash: "#tab=functions" });
  await openFunction(plain.page);
  assert.equal(await plain.page.locator(".lines mark").count(), 0);
  assert.deepEqual(await rows(plain.page), want);
  await plain.close();
});
