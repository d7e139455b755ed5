// Threads over time as rectangles: one lane of rows for each thread, all along
// one axis. What is drawn is what C made of the pixels; here it gets its places.

import type { Range } from "../model/state.ts";
import type { ChartColumns, ChartStates, Lane, NodeIndex } from "../model/viewdata.ts";
import type { Boxes, Step } from "./flame.ts";

/** In rows from the top: the name of the thread, its frames, and a row that keeps lanes apart. */
export interface LanePlace extends Lane {
  readonly top: number;
  /** Rows of frames that are not shown: deeper ones. */
  readonly hidden: number;
}

/** Of several lanes none is deeper, unless it is asked for: a few deep stacks would hide all others. */
const SHALLOW = 20;

/** whole: threads whose lanes are as deep as they are. */
export function placeLanes(lanes: readonly Lane[], whole: ReadonlySet<number>): { readonly places: readonly LanePlace[]; readonly rows: number } {
  let rows = 0;
  const places = lanes.map((lane) => {
    const top = rows;
    const depth = lanes.length === 1 || whole.has(lane.thread) ? lane.depth : Math.min(lane.depth, SHALLOW);
    rows += depth + 2;
    return { thread: lane.thread, depth, top, hidden: lane.depth - depth };
  });
  return { places, rows };
}

/** Indices of the lanes that have one of these rows: the first and the one behind the last. */
export function lanesWithin(places: readonly LanePlace[], firstRow: number, endRow: number): readonly [number, number] {
  let first = places.findIndex((lane) => lane.top + lane.depth + 2 > firstRow);
  if (first < 0) first = places.length;
  let end = first;
  while (end < places.length && places[end].top < endRow) end++;
  return [first, end];
}

/** The row of a frame; depth counts as in the columns, where lanes have 1. */
export function rowOf(lane: LanePlace, depth: number, upward: boolean): number {
  return lane.top + (upward ? lane.depth - depth + 2 : depth - 1);
}

/** Narrower ones are drawn as wide: there was something. */
const LEAST_WIDTH = 1;

/** lanes: those that the columns are of. Only rows within [firstRow, endRow). */
export function layoutChart(
  columns: ChartColumns,
  lanes: readonly LanePlace[],
  view: { readonly at: Range; readonly width: number; readonly upward: boolean; readonly firstRow: number; readonly endRow: number },
): Boxes {
  const { at, width, upward, firstRow, endRow } = view;
  const scale = width / (at[1] - at[0]);
  const out = { node: [] as number[], row: [] as number[], x: [] as number[], width: [] as number[] };
  let lane = -1;
  for (let i = 1; i < columns.count; i++) {
    if (columns.depth[i] === 1) {
      lane++;
      continue;
    }
    const row = rowOf(lanes[lane], columns.depth[i], upward);
    if (columns.depth[i] > lanes[lane].depth + 1 || row < firstRow || row >= endRow) continue;
    out.node.push(i);
    out.row.push(row);
    out.x.push((columns.begins[i] - at[0]) * scale);
    out.width.push(Math.max(LEAST_WIDTH, (columns.ends[i] - columns.begins[i]) * scale));
  }
  return {
    count: out.node.length,
    node: Uint32Array.from(out.node),
    row: Uint32Array.from(out.row),
    x: Float64Array.from(out.x),
    width: Float64Array.from(out.width),
    rest: new Uint8Array(out.node.length),
  };
}

/** The lane that a node is in, or is. */
export function laneOf(columns: ChartColumns, node: NodeIndex): NodeIndex {
  let at = node as number;
  while (columns.depth[at] > 1) at = columns.parent[at];
  return at as NodeIndex;
}

/** Where an arrow key leads from a frame: of its lane, in its row, whoever called it; null: nowhere. */
export function besides(columns: ChartColumns, node: NodeIndex, step: Step): NodeIndex | null {
  const { parent, end, depth } = columns;
  const lane = laneOf(columns, node);
  switch (step) {
    case "parent":
      return depth[node] > 2 ? (parent[node] as NodeIndex) : null;
    case "child":
      return end[node] > node + 1 ? ((node + 1) as NodeIndex) : null;
    case "next":
      for (let i = node + 1; i < end[lane]; i++) if (depth[i] === depth[node]) return i as NodeIndex;
      return null;
    case "previous":
      for (let i = node - 1; i > lane; i--) if (depth[i] === depth[node]) return i as NodeIndex;
      return null;
  }
}

/** A frame of another lane, `step` further, or of the first one; null: there is none. */
export function inLane(columns: ChartColumns, node: NodeIndex | null, step: 1 | -1): NodeIndex | null {
  const filled: number[] = [];
  for (let i = 1; i < columns.count; i = columns.end[i]) if (columns.end[i] > i + 1) filled.push(i);
  const at = node === null ? -1 : filled.indexOf(laneOf(columns, node));
  const lane = filled[node === null ? 0 : at + step];
  return lane === undefined ? null : ((lane + 1) as NodeIndex);
}

/** A frame that is told without a number: of this thread (its `what`), at this depth, at this time. */
export interface Spot {
  readonly lane: number;
  readonly what: number;
  readonly depth: number;
  readonly time: number;
}

export function spotOf(columns: ChartColumns, node: NodeIndex): Spot {
  return {
    lane: columns.what[laneOf(columns, node)],
    what: columns.what[node],
    depth: columns.depth[node],
    time: (columns.begins[node] + columns.ends[node]) / 2,
  };
}

/** The frame in the columns of another view; null: it is not among them. */
export function findSpot(columns: ChartColumns, spot: Spot): NodeIndex | null {
  let lane = 1;
  while (lane < columns.count && columns.what[lane] !== spot.lane) lane = columns.end[lane];
  if (lane >= columns.count) return null;
  for (let i = lane; i < columns.end[lane]; i++) {
    const inside = columns.begins[i] <= spot.time && spot.time <= columns.ends[i];
    if (inside && columns.depth[i] === spot.depth && columns.what[i] === spot.what) return i as NodeIndex;
  }
  return null;
}

export interface StatePart {
  readonly state: number;
  /** Of the rectangle, 0 .. 1. */
  readonly share: number;
}

/** The states of a frame by time: each lasts until the next one. `first`: of its lane. */
export function stateParts(states: ChartStates, first: number, columns: ChartColumns, node: number): readonly StatePart[] {
  const [begin, end] = [columns.begins[node], columns.ends[node]];
  const lane = states.lane[first];
  const whole = end - begin;
  let low = first;
  let high = states.lane.length;
  while (low < high) { // the first one that ends behind the begin
    const middle = (low + high) >> 1;
    if (states.lane[middle] > lane || states.ends[middle] > begin) high = middle;
    else low = middle + 1;
  }
  const parts: { state: number; share: number }[] = [];
  let left = begin;
  for (let i = low; i < states.lane.length && states.lane[i] === lane && left < end; i++) {
    const next = states.lane[i + 1] === lane ? states.begins[i + 1] : end;
    const right = Math.min(end, Math.max(left, next));
    const share = whole > 0 ? (right - left) / whole : 1;
    const last = parts.at(-1);
    if (last !== undefined && last.state === states.state[i]) last.share += share;
    else if (share > 0) parts.push({ state: states.state[i], share });
    left = right;
  }
  return parts;
}

/** Round times along an axis, with room for a text at each. */
export function axisTicks([from, to]: Range, width: number): { readonly step: number; readonly times: readonly number[] } {
  const ROOM = 90;
  const least = ((to - from) * ROOM) / Math.max(width, ROOM);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
  const NEAR = 1e-6; // what is off by the rounding of its figure is there
  const first = Math.ceil(from / step - NEAR);
  // Far from 0 a number has no next one at a distance of 1: they are counted.
  const count = Math.max(0, Math.floor(to / step + NEAR) - first + 1);
  return { step, times: Array.from({ length: count }, (_, i) => (first + i) * step + 0) }; // no -0
}

/** Seconds: narrower is no range. */
const LEAST = 1e-5;

/** The range a part as wide, with `time` where it was; within the bounds, and not too narrow to be one. */
export function zoomed([from, to]: Range, factor: number, time: number, bounds: Range): Range {
  const width = Math.min(bounds[1] - bounds[0], Math.max(LEAST, (to - from) * factor));
  const place = to > from ? (time - from) / (to - from) : 0.5;
  return moved([time - place * width, time - place * width + width], 0, bounds);
}

/** The range further by some seconds, as far as the bounds go. */
export function moved([from, to]: Range, seconds: number, bounds: Range): Range {
  const width = Math.min(to - from, bounds[1] - bounds[0]);
  const begin = Math.max(bounds[0], Math.min(bounds[1] - width, from + seconds));
  return [begin, Math.min(bounds[1], begin + width)];
}

/** What of the range is within the bounds; all of them, if that is none. */
export function within(range: Range | null, bounds: Range): Range {
  if (range === null) return bounds;
  const at: Range = [Math.max(bounds[0], range[0]), Math.min(bounds[1], range[1])];
  return at[1] - at[0] >= LEAST ? at : bounds;
}
