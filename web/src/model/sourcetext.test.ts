import assert from "node:assert/strict";
import { test } from "node:test";
import { type SourceText, sourceRows, sourcesOf } from "./sourcetext.ts";
import type { Facts } from "./viewdata.ts";

const text: SourceText = { name: "f", file: "/a.py", line: 2, changed: false, lines: [[2, "def f():"], [5, "  x"], [6, "  y"]] };

test("a text belongs to the function of its name, file and line", () => {
  const facts = { files: { 7: "/a.py" }, functions: [["", 0, 0, 0], ["f", 7, 3, 1], ["f", 7, 2, 1]] } as unknown as Facts;
  assert.deepEqual([...sourcesOf(facts, [text])], [[2, text]]);
});

test("lines with samples and with a text are there once, and gaps are told", () => {
  const rows = sourceRows([{ line: 0 }, { line: 5 }, { line: 9 }], text);
  assert.deepEqual(
    rows.map((row) => [row.line, row.figures !== null, row.text, row.gap]),
    [[0, true, null, false], [2, false, "def f():", true], [5, true, "  x", true], [6, false, "  y", false], [9, true, null, true]],
  );
  assert.deepEqual(sourceRows([{ line: 3 }, { line: 8 }], undefined).map((row) => row.gap), [false, false]);
});
