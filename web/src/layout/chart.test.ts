import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChartColumns, ChartStates, NodeIndex } from "../model/viewdata.ts";
import {
  axisTicks, besides, findSpot, inLane, lanesWithin, layoutChart, moved, placeLanes, rowOf, spotOf, stateParts, within, zoomed,
} from "./chart.ts";

const node = (i: number): NodeIndex => i as NodeIndex;

/** Lines: a dot for each level, what it is, begin, end. */
function makeChart(text: string): ChartColumns {
  const lines = text.trim().split("\n").map((line) => line.trim());
  const rows = lines.map((line) => {
    const depth = line.lastIndexOf(".") + 1;
    const [what, begin, end] = line.slice(depth).split(" ").map(Number);
    return { depth, what, begin, end };
  });
  const parent = rows.map((row, i) => {
    let at = Math.max(0, i - 1);
    while (at > 0 && rows[at].depth >= row.depth) at--;
    return at;
  });
  const end = rows.map((row, i) => {
    const next = rows.findIndex((other, k) => k > i && other.depth <= row.depth);
    return next < 0 ? rows.length : next;
  });
  return {
    count: rows.length,
    parent: Uint32Array.from(parent),
    end: Uint32Array.from(end),
    depth: Uint32Array.from(rows, (row) => row.depth),
    what: Uint32Array.from(rows, (row) => row.what),
    begins: Float64Array.from(rows, (row) => row.begin),
    ends: Float64Array.from(rows, (row) => row.end),
    seconds: new Float64Array(rows.length),
    samples: new Float64Array(rows.length),
  };
}

const chart = makeChart(`
0 0 100
.101 0 90
..1 0 40
...2 0 10
...3 10 40
..1 60 90
...2 60 90
.102 5 6
..4 5 6
.103 0 0
`);
const { places, rows } = placeLanes([{ thread: 1, depth: 2 }, { thread: 2, depth: 1 }, { thread: 3, depth: 1 }], new Set());
const all = { at: [0, 100], width: 1000, upward: false, firstRow: 0, endRow: 100 } as const;

test("lanes stand below each other, with a row for the name and one between them", () => {
  assert.deepEqual(places.map((lane) => lane.top), [0, 4, 7]);
  assert.equal(rows, 10);
  assert.deepEqual(lanesWithin(places, 0, 100), [0, 3]);
  assert.deepEqual(lanesWithin(places, 4, 7), [1, 2]);
  assert.deepEqual(lanesWithin(places, 3, 5), [0, 2]);
  assert.deepEqual(lanesWithin(places, 50, 60), [3, 3]);
  assert.deepEqual([2, 3].map((depth) => rowOf(places[0], depth, false)), [1, 2]);
  assert.deepEqual([2, 3].map((depth) => rowOf(places[0], depth, true)), [2, 1]);
});

test("of several lanes a deep one is shown in part, unless it is asked for", () => {
  const lanes = [{ thread: 1, depth: 50 }, { thread: 2, depth: 3 }];
  const shown = placeLanes(lanes, new Set());
  assert.deepEqual(shown.places.map(({ depth, top, hidden }) => [depth, top, hidden]), [[20, 0, 30], [3, 22, 0]]);
  assert.equal(placeLanes(lanes, new Set([1])).places[0].hidden, 0);
  assert.equal(placeLanes(lanes.slice(0, 1), new Set()).rows, 52);
  const flat = [{ thread: 1, depth: 1, top: 0, hidden: 1 }, ...places.slice(1)];
  assert.deepEqual([...layoutChart(chart, flat, all).node], [2, 5, 8]);
});

test("frames are where their times are, and what is too narrow is seen", () => {
  const boxes = layoutChart(chart, places, all);
  assert.deepEqual(
    Array.from(boxes.node, (n, i) => `${n}@${boxes.row[i]} ${boxes.x[i]}+${boxes.width[i]}`),
    ["2@1 0+400", "3@2 0+100", "4@2 100+300", "5@1 600+300", "6@2 600+300", "8@5 50+10"],
  );
  assert.deepEqual([...layoutChart(chart, places, { ...all, firstRow: 2, endRow: 3 }).node], [3, 4, 6]);
  assert.deepEqual([...layoutChart(chart, places, { ...all, at: [0, 1e6] }).width], [1, 1, 1, 1, 1, 1]);
});

test("arrow keys stay in the row, over pauses and from caller to caller", () => {
  assert.equal(besides(chart, node(3), "next"), 4);
  assert.equal(besides(chart, node(4), "next"), 6);
  assert.equal(besides(chart, node(6), "next"), null);
  assert.equal(besides(chart, node(6), "previous"), 4);
  assert.equal(besides(chart, node(2), "previous"), null);
  assert.equal(besides(chart, node(2), "child"), 3);
  assert.equal(besides(chart, node(3), "child"), null);
  assert.equal(besides(chart, node(4), "parent"), 2);
  assert.equal(besides(chart, node(2), "parent"), null);
  assert.equal(inLane(chart, null, 1), 2);
  assert.equal(inLane(chart, node(6), 1), 8);
  assert.equal(inLane(chart, node(8), 1), null, "the last lane has nothing");
  assert.equal(inLane(chart, node(8), -1), 2);
});

test("a frame is found again in another view", () => {
  assert.deepEqual([2, 4, 6, 8].map((i) => findSpot(chart, spotOf(chart, node(i)))), [2, 4, 6, 8]);
  assert.equal(findSpot(chart, { lane: 101, what: 1, depth: 2, time: 50 }), null);
  assert.equal(findSpot(chart, { lane: 104, what: 1, depth: 2, time: 5 }), null);
});

test("states last until the next one, within the frame", () => {
  const states: ChartStates = {
    lane: Uint32Array.of(1, 1, 1, 1, 7),
    state: Uint32Array.of(1, 2, 1, 1, 3),
    begins: Float64Array.of(0, 8, 20, 60, 5),
    ends: Float64Array.of(8, 15, 40, 90, 6),
  };
  assert.deepEqual(stateParts(states, 0, chart, 2), [
    { state: 1, share: 0.2 }, { state: 2, share: 0.3 }, { state: 1, share: 0.5 },
  ]);
  assert.deepEqual(stateParts(states, 0, chart, 3), [{ state: 1, share: 0.8 }, { state: 2, share: 0.2 }]);
  assert.deepEqual(stateParts(states, 0, chart, 6), [{ state: 1, share: 1 }]);
  assert.deepEqual(stateParts(states, 4, chart, 8), [{ state: 3, share: 1 }]);
});

test("an axis has round times", () => {
  assert.deepEqual(axisTicks([0, 10], 900), { step: 1, times: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10] });
  assert.deepEqual(axisTicks([1.2, 1.4], 300).times.map((time) => time.toFixed(1)), ["1.2", "1.3", "1.4"]);
  assert.deepEqual(axisTicks([3, 9], 10).times, [], "no room for one");
  assert.ok(axisTicks([9e9, 9e9 + 1e-5], 2000).times.length < 50, "they end where numbers are too coarse for them");
});

test("zooming keeps the time under the pointer, and the bounds", () => {
  const bounds = [0, 10] as const;
  assert.deepEqual(zoomed([0, 10], 0.5, 2, bounds), [1, 6]);
  assert.deepEqual(zoomed([1, 6], 2, 2, bounds), [0, 10]);
  assert.deepEqual(zoomed([0, 5], 1.5, 0, bounds), [0, 7.5]);
  assert.ok(zoomed([0, 1e-5], 0.5, 0, bounds)[1] >= 1e-5);
  assert.deepEqual(moved([2, 4], 7, bounds), [8, 10]);
  assert.deepEqual(moved([2, 4], -7, bounds), [0, 2]);
  assert.deepEqual(within([5, 20], bounds), [5, 10]);
  assert.deepEqual(within([11, 20], bounds), bounds);
  assert.deepEqual(within([9.999999, 20], bounds), bounds, "too narrow");
  assert.deepEqual(within(null, bounds), bounds);
});
