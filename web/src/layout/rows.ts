// Rows of the call tree that are open.

import type { NodeIndex, TreeColumns } from "../model/viewdata.ts";

/** What of a tree, or of a chart, says which rows there are. */
export type Rows = Pick<TreeColumns, "count" | "parent" | "end" | "depth">;

export function children(tree: Rows, node: NodeIndex): readonly NodeIndex[] {
  const out: NodeIndex[] = [];
  for (let i = node + 1; i < tree.end[node]; i = tree.end[i]) out.push(i as NodeIndex);
  return out;
}

/** The root and what is below open nodes, in the order of the tree. */
export function openRows(tree: Rows, open: ReadonlySet<number>): readonly NodeIndex[] {
  const out: NodeIndex[] = [];
  for (let i = 0; i < tree.count; i = open.has(i) ? i + 1 : tree.end[i]) out.push(i as NodeIndex);
  return out;
}

/** The nodes on the way from `node` down the heaviest children, while each has a good
 *  part of its parent: what one wants to see open. */
export function hotPath(tree: TreeColumns, node: NodeIndex, part = 0.5): readonly NodeIndex[] {
  const out: NodeIndex[] = [];
  for (let i: number = node; tree.end[i] > i + 1; i++) {
    out.push(i as NodeIndex);
    if (tree.total[i + 1] < tree.total[i] * part) break;
  }
  return out;
}
