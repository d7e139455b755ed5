import assert from "node:assert/strict";
import { test } from "node:test";
import { piecesOf, placeText, textOf } from "./expressions.ts";

const place = (line: number, column: number, endLine: number, endColumn: number) => ({ line, column, endLine, endColumn });
const cut = (line: number, text: string, places: readonly ReturnType<typeof place>[]): readonly (readonly [string, number])[] =>
  piecesOf(line, text, places).map((piece) => [piece.text, piece.of === null ? -1 : places.indexOf(piece.of)]);

test("the innermost expression has its part, others what is left", () => {
  const sum = place(3, 4, 3, 15);
  const [f, g] = [place(3, 4, 3, 8), place(3, 11, 3, 15)];
  const want = [["x = ", -1], ["f(1)", 0], [" + ", 1], ["g(2)", 2]];
  assert.deepEqual(cut(3, "x = f(1) + g(2)", [f, sum, g]), want);
  assert.deepEqual(cut(4, "x = f(1) + g(2)", [f, sum, g]), [["x = f(1) + g(2)", -1]]);
  assert.deepEqual(cut(3, "", [f, sum, g]), []);
  // What crosses another one cuts it.
  assert.deepEqual(cut(1, "abcdef", [place(1, 0, 1, 4), place(1, 2, 1, 6)]), [["ab", 0], ["cdef", 1]]);
});

test("columns are bytes of UTF-8", () => {
  const text = "\té = f(\u65e5\u{1f600}) + 1";
  const bytes = (part: string): number => new TextEncoder().encode(part).length;
  const from = bytes("\té = ");
  const call = place(1, from, 1, from + bytes("f(\u65e5\u{1f600})"));
  assert.deepEqual(cut(1, text, [call]), [["\té = ", -1], ["f(\u65e5\u{1f600})", 0], [" + 1", -1]]);
  assert.equal(textOf(call, text), "f(\u65e5\u{1f600})");
  // Within a character, and in what is no UTF-8.
  for (const [column, line] of [[2, text], [0, "\ufffd(1)"]] as const)
    assert.deepEqual(cut(1, line, [place(1, column, 1, column + 3)]), [[line, -1]]);
});

test("an expression of several lines has all of them, but what they begin and end with", () => {
  const all = place(1, 4, 3, 2);
  const inner = place(2, 2, 2, 3);
  assert.deepEqual(cut(1, "x = f(  ", [all, inner]), [["x = ", -1], ["f(", 0], ["  ", -1]]);
  assert.deepEqual(cut(2, "  y, 1  ", [all, inner]), [["  ", -1], ["y", 1], [", 1", 0], ["  ", -1]]);
  assert.deepEqual(cut(3, "\t) + 1", [all, inner]), [["\t", -1], [")", 0], [" + 1", -1]]);
  assert.equal(textOf(all, "x = f(  "), "f( …");
  assert.equal(placeText(all), "1:5–3:2");
});

test("what is not in the text is left out", () => {
  const places = [place(1, 2, 1, 9), place(1, 9, 1, 12), place(1, 3, 1, 3), place(1, 4, 1, 2), place(1, 2 ** 32 - 1, 1, 2 ** 32 - 1)];
  assert.deepEqual(cut(1, "abcdef", places), [["abcdef", -1]]);
  assert.deepEqual(places.map((each) => textOf(each, "abcdef")), ["", "", "", "", ""]);
  assert.equal(textOf(places[0], undefined), "");
  assert.equal(placeText(places[0]), "1:3–9");
});
