import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeIndex } from "../model/viewdata.ts";
import { makeTree } from "./fixture.ts";
import { type Boxes, boxAt, layoutFlame, neighbour, pathTo, sameNode, visibleDepth } from "./flame.ts";

const node = (i: number): NodeIndex => i as NodeIndex;

const tree = makeTree(`
0
.10
..50
...20
..10
.10
`);

const boxText = (boxes: Boxes): string[] =>
  Array.from(boxes.node, (n, i) =>
    `${n}@${boxes.row[i]} ${boxes.x[i].toFixed(1)}+${boxes.width[i].toFixed(1)}${boxes.rest[i] ? " rest" : ""}`);

const all = { width: 100, firstRow: 0, endRow: 100 };

test("children stand side by side in their parent, the self is what is left", () => {
  assert.deepEqual(boxText(layoutFlame(tree, { ...all, zoom: node(0) })), [
    "0@0 0.0+100.0", "1@1 0.0+90.0", "2@2 0.0+70.0", "3@3 0.0+20.0", "4@2 70.0+10.0", "5@1 90.0+10.0",
  ]);
});

test("a zoomed node fills the width, below its callers", () => {
  assert.deepEqual(boxText(layoutFlame(tree, { ...all, zoom: node(4) })), [
    "0@0 0.0+100.0", "1@1 0.0+100.0", "4@2 0.0+100.0",
  ]);
});

test("only rows in sight are laid out", () => {
  const rows = layoutFlame(tree, { zoom: node(0), width: 100, firstRow: 1, endRow: 3 }).row;
  assert.deepEqual([...new Set(rows)].sort(), [1, 2]);
});

test("what is too narrow becomes one box, and costs no more than that", () => {
  const wide = makeTree(`0\n.1000\n${".1\n".repeat(5000)}`);
  const boxes = layoutFlame(wide, { ...all, zoom: node(0) });
  assert.equal(boxes.count, 3);
  assert.equal(boxes.rest[2], 1);
  assert.ok(Math.abs(boxes.x[2] + boxes.width[2] - 100) < 1e-6);
});

test("a profile without samples has no boxes", () => {
  assert.equal(layoutFlame(makeTree("0"), { ...all, zoom: node(0) }).count, 0);
});

test("the depth counts what can be seen", () => {
  assert.equal(visibleDepth(tree, node(0), 100), 4);
  assert.equal(visibleDepth(tree, node(0), 2), 3);
});

test("points find boxes", () => {
  const boxes = layoutFlame(tree, { ...all, zoom: node(0) });
  assert.equal(boxes.node[boxAt(boxes, 75, 2)], 4);
  assert.equal(boxAt(boxes, 95, 2), -1);
});

test("arrow keys lead to neighbours, and nowhere beyond the last", () => {
  assert.equal(neighbour(tree, node(2), "parent"), 1);
  assert.equal(neighbour(tree, node(2), "child"), 3);
  assert.equal(neighbour(tree, node(3), "child"), 3);
  assert.equal(neighbour(tree, node(2), "next"), 4);
  assert.equal(neighbour(tree, node(4), "next"), 4);
  assert.equal(neighbour(tree, node(4), "previous"), 2);
  assert.equal(neighbour(tree, node(2), "previous"), 2);
  assert.equal(neighbour(tree, node(0), "previous"), 0);
  assert.deepEqual(pathTo(tree, node(3)), [0, 1, 2, 3]);
});

test("a node of a tree without light nodes is found in the whole one", () => {
  const whole = makeTree(`
0
.10
..50
...20
...3
..10
..2
.10
..8
...7
.1
`);
  const light = makeTree(`
0
.10
..50
...20
..10
.10
..8
`);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map((i) => sameNode(light, node(i), whole)), [0, 1, 2, 3, 5, 7, 8]);
});
