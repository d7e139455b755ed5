import assert from "node:assert/strict";
import { test } from "node:test";
import { changeUnit, formatAmount, formatChange, formatPoints, formatCount, formatInterval, formatKilobytes, formatPercent, formatSeconds, formatTime } from "./format.ts";

test("numbers are short and keep three digits", () => {
  assert.deepEqual([0, 0.00001, 0.00051, 0.0123, 0.4567, 0.99949, 0.99951, 1].map(formatPercent), [
    "0 %", "<0.01 %", "0.05 %", "1.23 %", "45.7 %", "99.9 %", "100 %", "100 %",
  ]);
  assert.deepEqual([0, 0.0000123, 0.0123, 0.9994, 1.234, 59.97, 125, 7384].map(formatSeconds), [
    "0 s", "12 µs", "12.3 ms", "999 ms", "1.23 s", "60.0 s", "125.0 s", "2 h 3 min",
  ]);
  assert.deepEqual([0, 999, 1234, 1234567].map(formatCount), ["0", "999", "1\u202f234", "1\u202f234\u202f567"]);
  assert.deepEqual([512, 20480, 3 * 1024 * 1024].map(formatKilobytes), ["512 KiB", "20.0 MiB", "3.00 GiB"]);
  assert.equal(formatInterval(0.0123, 0.0456), "1.23–4.56");
  assert.equal(formatInterval(0.1, 0.25), "10.0–25.0");
});

test("a change has a sign, and points or seconds", () => {
  assert.deepEqual([0, 1.5, -0.0123].map((change) => formatChange(change, true)), ["+0 s", "+1.50 s", "−12.3 ms"]);
  assert.equal(`${formatChange(-0.2, false)}${changeUnit(false)}`, "−20.0 points");
  assert.deepEqual([formatAmount(0.2, true), formatAmount(0.2, false)], ["200 ms", "20.0 %"]);
  assert.deepEqual([0, 0.1234, -0.2, 0.00123, -0.0999].map(formatPoints), ["+0.0", "+12.3", "−20.0", "+0.12", "−9.99"]);
});

test("a moment has the digits that tell it from the next one", () => {
  assert.deepEqual([1, 0.5, 0.02, 0.001, 1e-9].map((step) => formatTime(1.23456, step)), ["1 s", "1.2 s", "1.23 s", "1.235 s", "1.234560 s"]);
});
