import assert from "node:assert/strict";
import { test } from "node:test";
import { findFunction, functionKey, makeMatcher, matchAll, placeOf, readNames } from "./names.ts";
import type { Facts } from "./viewdata.ts";

const PYTHON = 1;
const NATIVE = 2;

test("files tell where a function comes from", () => {
  const cases: readonly [string, number, string, string][] = [
    ["/srv/app/parser.py", PYTHON, "own", "parser"],
    ["/usr/lib/python3/dist-packages/numpy/core/x.py", PYTHON, "library", "numpy"],
    ["/v/lib/python3.13t/site-packages/six.py", PYTHON, "library", "six"],
    ["/usr/lib/python3.11/json/decoder.py", PYTHON, "stdlib", "json"],
    ["/usr/lib/python3.11/threading.py", PYTHON, "stdlib", "threading"],
    ["/opt/pypy/lib/pypy3.10/re.py", PYTHON, "stdlib", "re"],
    ["/opt/pypy/lib-python/3/re.py", PYTHON, "stdlib", "re"],
    ["<frozen importlib._bootstrap>", PYTHON, "stdlib", "importlib._bootstrap"],
    ["<string>", PYTHON, "own", "<string>"],
    ["/lib/x86_64/libc.so.6", NATIVE, "native", "libc.so.6"],
    ["", PYTHON, "unknown", "not known"],
  ];
  for (const [file, kind, origin, module] of cases) assert.deepEqual(placeOf(file, kind), [origin, module], file);
});

const facts = {
  cwd: "/srv/app",
  files: { 0: "", 5: "/srv/app/a.py", 6: "/v/lib/python3.9/site-packages/six.py" },
  functions: [["", 0, 0, 0], ["<module>", 5, 1, 1], ["A.run", 5, 7, 1], ["run", 6, 3, 1], ["", 0, 0, 3]],
} as unknown as Facts;

test("names say which file is meant, places are short", () => {
  const names = readNames(facts);
  assert.deepEqual(names.map((fn) => fn.name), ["<unknown>", "<module> a.py", "A.run", "run", "(frames left out)"]);
  assert.deepEqual(names.map((fn) => fn.place), ["", "a.py:1", "a.py:7", "six.py:3", ""]);
  assert.equal(findFunction(names, functionKey(names[3])), 3);
  assert.equal(findFunction(names, "nothing"), null);
});

test("text is searched in names and files, case ignored; /.../ is an expression", () => {
  const names = readNames(facts);
  const found = (text: string): number[] => {
    const matcher = makeMatcher(text);
    return matcher === null || typeof matcher === "string" ? [] : [...matchAll(names, matcher)];
  };
  assert.deepEqual(found("RUN"), [0, 0, 1, 1, 0]);
  assert.deepEqual(found("/a.PY"), [0, 1, 1, 0, 0]);
  assert.deepEqual(found("/^run$/"), [0, 0, 0, 1, 0]);
  assert.equal(makeMatcher(""), null);
  assert.equal(typeof makeMatcher("/(/"), "string");
});
