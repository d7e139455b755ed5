// Colors that people who see fewer of them can tell apart too: those of Okabe
// and Ito ("Color Universal Design", 2008), a little lighter so that dark text
// is read on all of them.

import type { FunctionName, Origin } from "../model/names.ts";
import type { State } from "../model/viewdata.ts";

export interface Rgb {
  readonly r: number;
  readonly g: number;
  readonly b: number;
}

const rgb = (hex: string): Rgb => ({
  r: parseInt(hex.slice(1, 3), 16),
  g: parseInt(hex.slice(3, 5), 16),
  b: parseInt(hex.slice(5, 7), 16),
});

export const originColor: Readonly<Record<Origin, Rgb>> = {
  own: rgb("#f2ab3d"),
  library: rgb("#72bfed"),
  stdlib: rgb("#dba0c4"),
  native: rgb("#a9b3c1"),
  unknown: rgb("#d5d8dd"),
};

/** The modules with the largest shares have these, all others `otherColor`. */
export const moduleColors: readonly Rgb[] = [
  "#f2ab3d", "#72bfed", "#dba0c4", "#58c2a0", "#efe36b", "#e98b5b", "#7fa3dd",
].map(rgb);
export const otherColor: Rgb = rgb("#b9c0ca");

/** What shrank a lot .. a little, and what grew a little .. a lot. */
export const shrunkColors: readonly Rgb[] = ["#5fa8dc", "#8dc1e8", "#bddbf2"].map(rgb);
export const grownColors: readonly Rgb[] = ["#fbdcae", "#f7bd6a", "#ee9a33"].map(rgb);
/** What may be chance. */
export const unchangedColor: Rgb = rgb("#e4e7eb");

/** strength: the change against the larger of both shares, -1 .. 1. */
export function changeColor(strength: number, significant: boolean): Rgb {
  if (!significant || strength === 0) return unchangedColor;
  const step = Math.abs(strength) < 1 / 3 ? 0 : Math.abs(strength) < 2 / 3 ? 1 : 2;
  return strength > 0 ? grownColors[step] : shrunkColors[2 - step];
}

export const stateColor: Readonly<Record<State, Rgb>> = {
  interpreter: rgb("#72bfed"),
  jit: rgb("#58c2a0"),
  gcMinor: rgb("#e98b5b"),
  gcMajor: rgb("#dba0c4"),
  warmUp: rgb("#efe36b"),
  native: rgb("#a9b3c1"),
};

function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Neighbours of one color differ a little in brightness. */
export function shade(color: Rgb, name: string): string {
  const factor = 1 + ((hash(name) % 13) - 6) * 0.014;
  const part = (v: number): number => Math.max(0, Math.min(255, Math.round(v * factor)));
  return `rgb(${part(color.r)},${part(color.g)},${part(color.b)})`;
}

export const cssColor = (c: Rgb): string => `rgb(${c.r},${c.g},${c.b})`;

/** What a color stands for, with its functions. */
export interface LegendEntry {
  readonly label: string;
  readonly color: Rgb;
  /** Rules for `hide` and `focus` that mean it; none for what is put together. */
  readonly module: string | null;
}

export interface Coloring {
  readonly legend: readonly LegendEntry[];
  /** Index into the legend, by function. */
  readonly entryOf: Uint32Array;
  /** Fill of each function. */
  readonly fill: readonly string[];
}

export function colorByOrigin(names: readonly FunctionName[], labels: Readonly<Record<Origin, string>>): Coloring {
  const order: readonly Origin[] = ["own", "library", "stdlib", "native", "unknown"];
  return {
    legend: order.map((origin) => ({ label: labels[origin], color: originColor[origin], module: null })),
    entryOf: Uint32Array.from(names, (fn) => order.indexOf(fn.origin)),
    fill: names.map((fn) => shade(originColor[fn.origin], fn.name)),
  };
}

/** modules: the heaviest first. */
export function colorByModule(names: readonly FunctionName[], modules: readonly string[]): Coloring {
  const top = modules.slice(0, moduleColors.length);
  const place = new Map(top.map((module, i) => [module, i]));
  const entryOf = Uint32Array.from(names, (fn) => place.get(fn.module) ?? top.length);
  const legend: LegendEntry[] = top.map((module, i) => ({ label: module, color: moduleColors[i], module }));
  legend.push({ label: "Others", color: otherColor, module: null });
  return { legend, entryOf, fill: names.map((fn, i) => shade(legend[entryOf[i]].color, fn.name)) };
}
