import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "./engine.ts";

const FACTS = 64;
const TABLE = 512;

/** A profile of nothing in a module whose memory can end. */
async function openFake(): Promise<{ readonly engine: Engine; readonly memory: WebAssembly.Memory; readonly endMemory: () => void }> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  let room = 1024;
  new Uint8Array(memory.buffer, FACTS).set(new TextEncoder().encode(JSON.stringify({ threads: [{ id: 0 }] })));
  const exports = {
    memory,
    _initialize: () => undefined,
    vmp_wasm_alloc: () => room,
    vmp_wasm_free: () => undefined,
    vmp_wasm_open: () => 8,
    vmp_wasm_error: () => 0xff00,
    vmp_wasm_facts: () => FACTS,
    vmp_wasm_marks: () => room,
    vmp_wasm_threads: () => room,
    vmp_wasm_range: () => undefined,
    vmp_wasm_tree: () => TABLE,
    vmp_wasm_share: () => 0,
    vmp_wasm_groups: () => TABLE,
    vmp_wasm_tree_groups: () => TABLE,
    vmp_wasm_details: () => undefined,
    vmp_wasm_table_free: () => undefined,
  };
  const instantiate = WebAssembly.instantiate;
  Object.assign(WebAssembly, { instantiate: () => Promise.resolve({ instance: { exports } }) });
  try {
    const engine = await Engine.open(new Uint8Array(1), new Uint8Array(1));
    return { engine, memory, endMemory: () => { room = 0; } };
  } finally {
    Object.assign(WebAssembly, { instantiate });
  }
}

test("without memory nothing is written where the module has its own data", async () => {
  const { engine, memory, endMemory } = await openFake();
  const tree = engine.tree(0);
  const marks = Uint8Array.of(7, 7);
  const groups = Uint32Array.of(7, 7);
  const calls: readonly (() => unknown)[] = [
    () => engine.setFilter({ marks, threads: [0], range: null }),
    () => engine.groups(groups, 1),
    () => tree.groups(groups, 1),
    () => tree.share(marks),
    () => tree.details(0 as Parameters<typeof tree.details>[0]),
  ];
  for (const call of calls) assert.doesNotThrow(call);
  endMemory();
  for (const call of calls) assert.throws(call, /^Error: out of memory$/, String(call));
  assert.deepEqual([...new Uint8Array(memory.buffer, 0, 16)], new Array(16).fill(0));
});
