// A tree for tests from a few lines: a dot for each level, then the self.

import type { TreeColumns } from "../model/viewdata.ts";

export function makeTree(text: string): TreeColumns {
  const lines = text.trim().split("\n").map((line) => line.trim());
  const count = lines.length;
  const tree = {
    count,
    parent: new Uint32Array(count),
    end: new Uint32Array(count),
    depth: new Uint32Array(count),
    what: new Uint32Array(count),
    self: new Float64Array(count),
    total: new Float64Array(count),
    left: new Float64Array(count),
    seconds: new Float64Array(count),
  };
  const path: number[] = [];
  lines.forEach((line, i) => {
    const depth = line.lastIndexOf(".") + 1;
    tree.depth[i] = depth;
    tree.parent[i] = depth > 0 ? path[depth - 1] : 0;
    tree.what[i] = i;
    tree.self[i] = Number(line.slice(depth));
    path[depth] = i;
  });
  for (let i = count - 1; i >= 0; i--) {
    tree.end[i] = Math.max(tree.end[i], i + 1);
    tree.total[i] += tree.self[i];
    if (i === 0) continue;
    const parent = tree.parent[i];
    tree.total[parent] += tree.total[i];
    tree.end[parent] = Math.max(tree.end[parent], tree.end[i]);
  }
  const next = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (i > 0) {
      tree.left[i] = next[tree.parent[i]];
      next[tree.parent[i]] += tree.total[i];
    }
    next[i] = tree.left[i];
  }
  return tree;
}
