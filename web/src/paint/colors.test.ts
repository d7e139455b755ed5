import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionName } from "../model/names.ts";
import { type Rgb, changeColor, colorByModule, grownColors, moduleColors, originColor, otherColor, shrunkColors, unchangedColor } from "./colors.ts";

/** Contrast of two colors, by WCAG 2. */
function contrast(a: Rgb, b: Rgb): number {
  const light = ({ r, g, b: blue }: Rgb): number => {
    const [x, y, z] = [r, g, blue].map((v) => {
      const s = v / 255;
      return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

test("dark text is read on every color, at its darkest too", () => {
  const ink = { r: 0x1b, g: 0x1e, b: 0x24 };
  for (const color of [...Object.values(originColor), ...moduleColors, otherColor, ...shrunkColors, ...grownColors, unchangedColor]) {
    const darkest = { r: color.r * 0.91, g: color.g * 0.91, b: color.b * 0.91 };
    assert.ok(contrast(ink, darkest) >= 4.5, JSON.stringify(color));
  }
});

test("the heaviest modules have colors of their own, the rest shares one", () => {
  const modules = Array.from({ length: 9 }, (_, i) => `m${i}`);
  const names = modules.map((module) => ({ name: "f", module }) as FunctionName);
  const { legend, entryOf } = colorByModule(names, modules);
  assert.equal(legend.length, moduleColors.length + 1);
  assert.deepEqual([...entryOf].slice(-3), [6, 7, 7]);
  assert.equal(legend.at(-1)?.color, otherColor);
});

test("the color of a change tells its direction and its size, and chance from neither", () => {
  assert.equal(changeColor(1, true), grownColors[2]);
  assert.equal(changeColor(0.1, true), grownColors[0]);
  assert.equal(changeColor(-0.5, true), shrunkColors[1]);
  assert.equal(changeColor(-1, true), shrunkColors[0]);
  assert.equal(changeColor(-1, false), unchangedColor);
  assert.equal(changeColor(0, true), unchangedColor);
});
