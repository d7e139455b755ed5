import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeIndex } from "../model/viewdata.ts";
import { makeTree } from "./fixture.ts";
import { children, hotPath, openRows } from "./rows.ts";

const tree = makeTree(`
0
.0
..60
..5
.10
`);

test("rows are those below open nodes", () => {
  assert.deepEqual(openRows(tree, new Set()), [0]);
  assert.deepEqual(openRows(tree, new Set([0])), [0, 1, 4]);
  assert.deepEqual(openRows(tree, new Set([0, 1])), [0, 1, 2, 3, 4]);
  assert.deepEqual(openRows(tree, new Set([1])), [0], "an open node below a closed one");
});

test("children are in order", () => {
  assert.deepEqual(children(tree, 0 as NodeIndex), [1, 4]);
  assert.deepEqual(children(tree, 4 as NodeIndex), []);
});

test("the hot path follows the heaviest children while they are heavy", () => {
  assert.deepEqual(hotPath(tree, 0 as NodeIndex), [0, 1]);
  assert.deepEqual(hotPath(makeTree("0\n.1\n.1\n.1"), 0 as NodeIndex), [0]);
});
