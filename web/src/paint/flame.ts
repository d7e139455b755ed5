// Boxes of a flame graph as pixels, or as SVG.

import type { Boxes } from "../layout/flame.ts";

export const ROW_HEIGHT = 20;
const GAP = 1;
const PADDING = 4;
/** Narrower boxes have no text. */
const TEXT_WIDTH = 26;
export const FONT = "12px system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** How a box looks beside its fill. */
export const enum Look {
  Plain = 0,
  /** Does not match the search. */
  Faded = 1,
  /** Matches the search. */
  Found = 2,
}

export interface Theme {
  readonly page: string;
  readonly ink: string;
  readonly faint: string;
  readonly fadedFill: string;
  readonly fadedInk: string;
  readonly restFill: string;
  readonly mark: string;
}

export interface Part {
  readonly fill: string;
  /** Of the box, 0 .. 1. */
  readonly share: number;
}

/** What is drawn beside the boxes: a filled rectangle, a text in it, or both. */
export interface Extra {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** "": none. */
  readonly fill: string;
  readonly text?: string;
  readonly ink?: string;
}

export interface Scene {
  readonly boxes: Boxes;
  readonly below?: readonly Extra[];
  readonly above?: readonly Extra[];
  /** Top of a row, from the top of the drawing. */
  readonly yOf: (row: number) => number;
  readonly fillOf: (box: number) => string;
  /** Instead of one fill: parts of the width, left to right. */
  readonly partsOf?: (box: number) => readonly Part[];
  readonly textOf: (box: number) => string;
  readonly lookOf: (box: number) => Look;
  /** Boxes of the function under the pointer. */
  readonly isKin: (box: number) => boolean;
  readonly selected: number;
  readonly theme: Theme;
}

const INK = "#1b1e24";

/** The longest beginning of a text that fits, with dots if it is not all. */
function fit(text: string, room: number, widthOf: (text: string) => number): string {
  if (widthOf(text) <= room) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`) <= room) low = middle;
    else high = middle - 1;
  }
  return low < 2 ? "" : `${text.slice(0, low)}…`;
}

const textCache = new Map<string, number>();

function textWidth(context: CanvasRenderingContext2D, text: string): number {
  let width = textCache.get(text);
  if (width === undefined) {
    if (textCache.size > 20000) textCache.clear();
    width = context.measureText(text).width;
    textCache.set(text, width);
  }
  return width;
}

export function paintFlame(context: CanvasRenderingContext2D, scene: Scene): void {
  const { boxes, theme } = scene;
  context.font = FONT;
  context.textBaseline = "middle";
  const widthOf = (text: string): number => textWidth(context, text);
  paintExtras(context, scene.below ?? [], widthOf);
  for (let i = 0; i < boxes.count; i++) {
    const x = boxes.x[i];
    const y = scene.yOf(boxes.row[i]);
    const width = Math.max(boxes.width[i] - (boxes.width[i] > 3 ? GAP : 0), 0.5);
    const height = ROW_HEIGHT - GAP;
    const look = scene.lookOf(i);
    const rest = boxes.rest[i] === 1;
    context.fillStyle = rest ? theme.restFill : look === Look.Faded ? theme.fadedFill : scene.fillOf(i);
    context.fillRect(x, y, width, height);
    if (rest) continue;
    if (scene.partsOf && look !== Look.Faded) {
      let left = x;
      for (const part of scene.partsOf(i)) {
        context.fillStyle = part.fill;
        context.fillRect(left, y, part.share * width, height);
        left += part.share * width;
      }
    }
    if (look === Look.Found && width > 2) {
      context.fillStyle = theme.mark;
      context.fillRect(x, y + height - 3, width, 3);
    }
    if (width >= TEXT_WIDTH) {
      const text = fit(scene.textOf(i), width - 2 * PADDING, widthOf);
      context.fillStyle = look === Look.Faded ? theme.fadedInk : INK;
      if (text !== "") context.fillText(text, x + PADDING, y + height / 2 + 0.5);
    }
    if (scene.isKin(i) && width > 1) outline(context, x, y, width, height, theme.ink, 1);
  }
  if (scene.selected >= 0) {
    const i = scene.selected;
    const y = scene.yOf(boxes.row[i]);
    outline(context, boxes.x[i], y, Math.max(boxes.width[i] - GAP, 2), ROW_HEIGHT - GAP, theme.ink, 2);
  }
  paintExtras(context, scene.above ?? [], widthOf);
}

function paintExtras(context: CanvasRenderingContext2D, extras: readonly Extra[], widthOf: (text: string) => number): void {
  for (const { x, y, width, height, fill, text, ink } of extras) {
    if (fill !== "") {
      context.fillStyle = fill;
      context.fillRect(x, y, width, height);
    }
    if (text === undefined) continue;
    context.fillStyle = ink ?? INK;
    context.fillText(fit(text, width - 2 * PADDING, widthOf), x + PADDING, y + height / 2 + 0.5);
  }
}

function outline(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  color: string,
  line: number,
): void {
  context.strokeStyle = color;
  context.lineWidth = line;
  context.strokeRect(x + line / 2, y + line / 2, Math.max(width - line, 1), height - line);
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeXml(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"]/g, (c) => escapes[c]);
}

/** The scene as an SVG file of this size. */
export function flameSvg(scene: Scene, width: number, height: number, title: string): string {
  const canvas = document.createElement("canvas").getContext("2d");
  if (canvas === null) return "";
  canvas.font = FONT;
  const { boxes, theme } = scene;
  const out = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${theme.page}"/>`,
    `<g font-family="system-ui, 'Liberation Sans', sans-serif" font-size="12" fill="${INK}">`,
  ];
  const extras = (all: readonly Extra[]): readonly string[] => all.map((extra) => extraSvg(extra, (part) => textWidth(canvas, part)));
  out.push(...extras(scene.below ?? []));
  for (let i = 0; i < boxes.count; i++) {
    const rest = boxes.rest[i] === 1;
    const look = scene.lookOf(i);
    const fill = rest ? theme.restFill : look === Look.Faded ? theme.fadedFill : scene.fillOf(i);
    const boxWidth = Math.max(boxes.width[i] - (boxes.width[i] > 3 ? GAP : 0), 0.5);
    const y = scene.yOf(boxes.row[i]);
    const text = rest || boxWidth < TEXT_WIDTH ? ""
      : fit(scene.textOf(i), boxWidth - 2 * PADDING, (part) => textWidth(canvas, part));
    let left = boxes.x[i];
    const parts = rest || look === Look.Faded ? [] : (scene.partsOf?.(i) ?? []);
    const partRects = parts.map((part) => {
      const at = left;
      left += part.share * boxWidth;
      return `<rect x="${at.toFixed(2)}" y="${y}" width="${(left - at).toFixed(2)}" height="${ROW_HEIGHT - GAP}" fill="${part.fill}"/>`;
    });
    out.push(
      `<g><title>${escapeXml(scene.textOf(i))}</title>` +
        `<rect x="${boxes.x[i].toFixed(2)}" y="${y}" width="${boxWidth.toFixed(2)}" height="${ROW_HEIGHT - GAP}" fill="${fill}"/>` +
        partRects.join("") +
        (text === "" ? "" : `<text x="${(boxes.x[i] + PADDING).toFixed(2)}" y="${y + 14}">${escapeXml(text)}</text>`) +
        `</g>`,
    );
  }
  out.push(...extras(scene.above ?? []), "</g></svg>");
  return out.join("\n");
}

function extraSvg({ x, y, width, height, fill, text, ink }: Extra, widthOf: (text: string) => number): string {
  const rect = fill === "" ? "" : `<rect x="${x.toFixed(2)}" y="${y}" width="${width.toFixed(2)}" height="${height}" fill="${fill}"/>`;
  if (text === undefined) return rect;
  const shown = escapeXml(fit(text, width - 2 * PADDING, widthOf));
  return `${rect}<text x="${(x + PADDING).toFixed(2)}" y="${y + height / 2 + 4}" fill="${ink ?? INK}">${shown}</text>`;
}
