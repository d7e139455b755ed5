// Rectangles of a flame graph, only those that can be seen.
//
// Children stand side by side in their parent's rectangle, the heaviest first,
// so that the first one that is too narrow to draw ends its row: all that comes
// behind it is narrower still, and becomes one rectangle that says so. The cost
// is what is drawn, not what is there.

import type { NodeIndex, TreeColumns } from "../model/viewdata.ts";

export interface View {
  /** The node that fills the width; its callers stand above it, as wide. */
  readonly zoom: NodeIndex;
  readonly width: number;
  /** Rows from the root on that can be seen. */
  readonly firstRow: number;
  readonly endRow: number;
}

/** Rectangles in pixels; y counts rows from the root. */
export interface Boxes {
  readonly count: number;
  readonly node: Uint32Array;
  readonly row: Uint32Array;
  readonly x: Float64Array;
  readonly width: Float64Array;
  /** 1: not the node but what is too narrow from it on to its last sibling. */
  readonly rest: Uint8Array;
}

/** Narrower rectangles are put together. */
export const MIN_WIDTH = 0.8;

class Gatherer {
  readonly node: number[] = [];
  readonly row: number[] = [];
  readonly x: number[] = [];
  readonly width: number[] = [];
  readonly rest: number[] = [];

  add(node: number, row: number, x: number, width: number, rest: number): void {
    this.node.push(node);
    this.row.push(row);
    this.x.push(x);
    this.width.push(width);
    this.rest.push(rest);
  }

  take(): Boxes {
    return {
      count: this.node.length,
      node: Uint32Array.from(this.node),
      row: Uint32Array.from(this.row),
      x: Float64Array.from(this.x),
      width: Float64Array.from(this.width),
      rest: Uint8Array.from(this.rest),
    };
  }
}

/** From the root to a node, both included. */
export function pathTo(tree: Pick<TreeColumns, "parent">, node: NodeIndex): readonly NodeIndex[] {
  const path = [node];
  for (let at: number = node; at !== 0; ) {
    at = tree.parent[at];
    path.push(at as NodeIndex);
  }
  return path.reverse();
}

/** A node of a tree without light nodes, in the whole one: a child has its place among its siblings in both. */
export function sameNode(tree: TreeColumns, node: NodeIndex, whole: TreeColumns): NodeIndex {
  let at = 0;
  for (const next of pathTo(tree, node).slice(1)) {
    let same = at + 1;
    for (let i = tree.parent[next] + 1; i < next; i = tree.end[i]) same = whole.end[same];
    at = same;
  }
  return at as NodeIndex;
}

export function layoutFlame(tree: TreeColumns, view: View): Boxes {
  const out = new Gatherer();
  const { zoom, width, firstRow, endRow } = view;
  if (tree.total[zoom] <= 0) return out.take();
  const scale = width / tree.total[zoom];
  const origin = tree.left[zoom];
  for (const node of pathTo(tree, zoom)) {
    const row = tree.depth[node];
    if (node !== zoom && row >= firstRow && row < endRow) out.add(node, row, 0, width, 0);
  }
  const end = tree.end[zoom];
  for (let i: number = zoom; i < end; ) {
    const row = tree.depth[i];
    const boxWidth = tree.total[i] * scale;
    const x = (tree.left[i] - origin) * scale;
    if (boxWidth < MIN_WIDTH && i !== zoom) {
      const parent = tree.parent[i];
      const right = tree.left[parent] + tree.total[parent] - tree.self[parent];
      const restWidth = (right - tree.left[i]) * scale;
      if (row >= firstRow && restWidth >= MIN_WIDTH / 2) out.add(i, row, x, restWidth, 1);
      i = tree.end[parent];
      continue;
    }
    if (row >= firstRow) out.add(i, row, x, boxWidth, 0);
    i = row + 1 >= endRow ? tree.end[i] : i + 1;
  }
  return out.take();
}

/** Rows of what is wide enough to be seen below the zoomed node, with its callers. */
export function visibleDepth(tree: TreeColumns, zoom: NodeIndex, width: number): number {
  const least = (tree.total[zoom] * MIN_WIDTH) / Math.max(width, 1);
  const end = tree.end[zoom];
  let deepest = tree.depth[zoom];
  for (let i: number = zoom; i < end; ) {
    if (tree.total[i] < least) {
      i = tree.end[tree.parent[i]];
      continue;
    }
    if (tree.depth[i] > deepest) deepest = tree.depth[i];
    i++;
  }
  return deepest + 1;
}

/** The box at a point, or -1. */
export function boxAt(boxes: Boxes, x: number, row: number): number {
  for (let i = 0; i < boxes.count; i++)
    if (boxes.row[i] === row && x >= boxes.x[i] && x < boxes.x[i] + boxes.width[i]) return i;
  return -1;
}

export type Step = "parent" | "child" | "next" | "previous";

/** Where an arrow key leads in a graph; undefined: another key. */
export function stepOf(key: string, upward: boolean): Step | undefined {
  const steps: Readonly<Record<string, Step>> = {
    ArrowUp: upward ? "child" : "parent",
    ArrowDown: upward ? "parent" : "child",
    ArrowRight: "next",
    ArrowLeft: "previous",
  };
  return steps[key];
}

/** Where an arrow key leads from a node; the node itself where nothing is. */
export function neighbour(
  tree: TreeColumns,
  node: NodeIndex,
  step: Step,
): NodeIndex {
  const parent = tree.parent[node];
  switch (step) {
    case "parent":
      return parent as NodeIndex;
    case "child":
      return (tree.end[node] > node + 1 ? node + 1 : node) as NodeIndex;
    case "next": {
      const next = tree.end[node];
      return (node !== 0 && next < tree.end[parent] ? next : node) as NodeIndex;
    }
    case "previous": {
      if (node === 0) return node;
      let before = node as number;
      for (let i = parent + 1; i < node; i = tree.end[i]) before = i;
      return before as NodeIndex;
    }
  }
}
