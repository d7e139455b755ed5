import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionName } from "./names.ts";
import { type ViewState, addRule, changeState, initialState, makeMarks, matchMarks, readState, removeRule, writeState } from "./state.ts";
import { mark } from "./viewdata.ts";

const busy: ViewState = {
  tab: "tree",
  inverted: true,
  seconds: true,
  foldRecursion: true,
  byThread: true,
  upward: true,
  onlyOwn: true,
  colorBy: "module",
  threads: [1, 3],
  range: [0.5, 12.25],
  at: [1.5, 2.000125],
  table: true,
  hide: [{ scope: "function", value: "a:b@x.py:3" }, { scope: "module", value: "json" }],
  focus: [{ scope: "file", value: "/a b/&=#.py" }],
  search: "/x+/",
  zoom: 17,
  fn: "run@y.py:1",
  trace: 12,
};

test("what is written is read again", () => {
  assert.deepEqual(readState(`#${writeState(busy)}`), busy);
  assert.equal(writeState(initialState), "");
  assert.deepEqual(readState(""), initialState);
});

test("what cannot be read is as in the beginning", () => {
  const wrong = "#tab=nothing&threads=x,-1,1.5,2&range=5,1&at=1,2,3&zoom=-3&hide=what:x&hide=nocolon&color=red&inv=yes";
  assert.deepEqual(readState(wrong), { ...initialState, threads: [2] });
  for (const narrow of ["0,1e-10", "5,5.0000000001"]) assert.deepEqual(readState(`#range=${narrow}&at=${narrow}`), initialState);
});

test("another tree is looked at from its root", () => {
  const zoomed = changeState(initialState, { zoom: 9 });
  assert.equal(changeState(zoomed, { inverted: true }).zoom, 0);
  assert.equal(changeState(zoomed, { search: "x" }).zoom, 9);
  assert.equal(changeState(zoomed, { tab: "tree", zoom: 4 }).zoom, 4);
});

test("another range is looked at whole", () => {
  const near = changeState(initialState, { range: [1, 3], at: [1, 2] });
  assert.deepEqual(near.at, [1, 2]);
  assert.deepEqual(changeState(near, { search: "x" }).at, [1, 2]);
  assert.equal(changeState(near, { range: null }).at, null);
});

test("a rule is there once", () => {
  const rule = { scope: "module", value: "json" } as const;
  assert.deepEqual(addRule(addRule([], rule), { ...rule }), [rule]);
  assert.deepEqual(removeRule([rule], { ...rule }), []);
});

test("marks say what is hidden and what is looked at", () => {
  const name = (text: string, origin: FunctionName["origin"], module: string): FunctionName =>
    ({ name: text, file: `${module}.py`, place: `${module}.py:1`, line: 1, origin, module });
  const names = [name("", "unknown", ""), name("mine", "own", "app"), name("loads", "stdlib", "json")];
  const marks = (change: Partial<ViewState>): number[] => [...makeMarks(names, { ...initialState, ...change })];
  assert.deepEqual(marks({}), [0, 0, 0]);
  assert.deepEqual(marks({ onlyOwn: true }), [0, 0, mark.hide]);
  assert.deepEqual(marks({ hide: [{ scope: "function", value: "mine@app.py:1" }] }), [0, mark.hide, 0]);
  const moved = { ...names[1], line: 9, place: "app.py:9" };
  const hidden: ViewState = { ...initialState, hide: [{ scope: "function", value: "mine@app.py:1" }] };
  assert.deepEqual(
    [...matchMarks(makeMarks(names, hidden), [names[0], moved, moved], Uint32Array.of(0, 1, 0), hidden)],
    [0, mark.hide, 0],
  );
  assert.deepEqual(marks({ focus: [{ scope: "file", value: "json.py" }] }), [0, 0, mark.focus]);
});
