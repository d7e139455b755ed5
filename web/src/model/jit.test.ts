import assert from "node:assert/strict";
import { test } from "node:test";
import { type JitEntry, stageRows } from "./jit.ts";

test("functions have a line each, also those that are left out", () => {
  const point = (name: string, index: number): JitEntry =>
    ({ kind: "point", function: name, file: "/a.py", line: 1, place: 0, index, opcode: "NOP" });
  const rows = stageRows([point("f", 0), point("f", 2), point("g", 0)]);
  assert.deepEqual(rows.map((row) => row.is), ["line", "bytecode", "bytecode", "line", "bytecode"]);
});
