// The profile: C compiled to WebAssembly, which computes every number that the
// page shows (src/wasm/wasm.h says what each function and column is).
//
// Columns are read where they lie. The module's memory moves when it grows, so
// a column is looked at anew each time it is asked for and never kept.

import {
  type Change, type ChangeRow, type ChartColumns, type ChartStates, type ChartView, type Details, type ExpressionRow, type Facts,
  type Figures, type FlatRow, type FunctionIndex, type GroupShare, type Lane, type LineRow, type NodeIndex, type TimelineColumns,
  type TreeColumns, type TreeStates, states, treeFlag,
} from "./viewdata.ts";

interface Exports {
  readonly memory: WebAssembly.Memory;
  _initialize(): void;
  vmp_wasm_open(log: number, size: number): number;
  vmp_wasm_error(profile: number): number;
  vmp_wasm_facts(profile: number): number;
  vmp_wasm_marks(profile: number): number;
  vmp_wasm_threads(profile: number): number;
  vmp_wasm_range(profile: number, from: number, to: number): void;
  vmp_wasm_tree(profile: number, flags: number, fn: number): number;
  vmp_wasm_share(tree: number, profile: number, marks: number): number;
  vmp_wasm_tree_states(tree: number, profile: number): number;
  vmp_wasm_tree_groups(tree: number, profile: number, groupOf: number, count: number): number;
  vmp_wasm_details(tree: number, node: number, profile: number, out: number): void;
  vmp_wasm_flat(profile: number): number;
  vmp_wasm_groups(profile: number, groupOf: number, count: number): number;
  vmp_wasm_lines(profile: number, fn: number): number;
  vmp_wasm_expressions(profile: number, fn: number): number;
  vmp_wasm_timeline(profile: number, bins: number): number;
  vmp_wasm_chart(profile: number, flags: number): number;
  vmp_wasm_chart_view(chart: number, from: number, to: number, bins: number, firstLane: number, laneCount: number, flags: number): number;
  vmp_wasm_match(profile: number, before: number): number;
  vmp_wasm_tree_changes(tree: number, profile: number, before: number, flags: number): number;
  vmp_wasm_changes(profile: number, before: number, flags: number): number;
  vmp_wasm_table_free(table: number): void;
  vmp_wasm_alloc(size: number): number;
  vmp_wasm_free(pointer: number): void;
}

/** VMP_WASM_* in wasm.h. */
const changeFlag = { significant: 1, totalSignificant: 2, isNew: 4, gone: 8 } as const;

/** What changed at each node of a tree. */
export class TreeChanges {
  private readonly flags: Uint32Array;
  private readonly figures: readonly Float64Array[];
  /** By node: see Change. */
  readonly strength: Float64Array;

  constructor(table: Table, private readonly seconds: boolean) {
    this.flags = table.words(0).slice();
    this.figures = [3, 4, 5, 6, 7, 8].map((column) => table.doubles(column).slice());
    this.strength = this.figures[5];
  }

  isSignificant(node: NodeIndex): boolean {
    return (this.flags[node] & changeFlag.significant) !== 0;
  }

  isNew(node: NodeIndex): boolean {
    return (this.flags[node] & changeFlag.isNew) !== 0;
  }

  of(node: NodeIndex): Change {
    return changeOf(this.figures, node, this.isSignificant(node), this.seconds);
  }
}

function changeOf(figures: readonly Float64Array[], row: number, significant: boolean, seconds: boolean): Change {
  const [before, after, change, low, high, strength] = figures.map((column) => column[row]);
  return { before, after, change, low, high, strength, significant, seconds };
}

/** A pointer of the module, where there was memory for it: nothing faults at address 0. */
function there(pointer: number): number {
  if (pointer === 0) throw new Error("out of memory");
  return pointer;
}

/** Memory that a log takes with its profile and a first view, for each of its bytes, about. */
const BYTES_PER_LOG_BYTE = 18;
const TABLE_COLUMNS = 2; // words before the columns of a table: rc, count
const DETAILS = 12;

/** A table of the module; free it when nothing shows it any more. */
class Table {
  constructor(
    private readonly c: Exports,
    readonly handle: number,
  ) {
    there(handle);
    const rc = this.word(0) | 0;
    if (rc < 0) throw new Error(`the view could not be made (${rc})`);
  }

  get count(): number {
    return this.word(1);
  }

  private word(index: number): number {
    return new Uint32Array(this.c.memory.buffer, this.handle, index + 1)[index];
  }

  words(column: number): Uint32Array {
    return new Uint32Array(this.c.memory.buffer, this.word(TABLE_COLUMNS + column), this.count);
  }

  doubles(column: number): Float64Array {
    return new Float64Array(this.c.memory.buffer, this.word(TABLE_COLUMNS + column), this.count);
  }

  free(): void {
    this.c.vmp_wasm_table_free(this.handle);
  }
}

/** A call tree. */
export class Tree {
  private seen: ArrayBuffer | null = null;
  private kept: TreeColumns | null = null;

  constructor(
    private readonly c: Exports,
    private readonly profile: number,
    readonly table: Table,
  ) {}

  /** The columns, valid until the engine is asked for something else. */
  get columns(): TreeColumns {
    if (this.kept === null || this.seen !== this.c.memory.buffer) {
      const t = this.table;
      this.seen = this.c.memory.buffer as ArrayBuffer;
      this.kept = {
        count: t.count,
        parent: t.words(0),
        end: t.words(1),
        depth: t.words(2),
        what: t.words(3),
        self: t.doubles(4),
        total: t.doubles(5),
        left: t.doubles(6),
        seconds: t.doubles(7),
      };
    }
    return this.kept;
  }

  details(node: NodeIndex): Details {
    const out = there(this.c.vmp_wasm_alloc(DETAILS * 8));
    this.c.vmp_wasm_details(this.table.handle, node, this.profile, out);
    const v = Array.from(new Float64Array(this.c.memory.buffer, out, DETAILS));
    this.c.vmp_wasm_free(out);
    const figures = (at: number): Figures => ({
      samples: v[at],
      ticks: v[at + 1],
      seconds: v[at + 2],
      share: v[at + 3],
      low: v[at + 4],
      high: v[at + 5],
    });
    return { self: figures(0), total: figures(DETAILS / 2) };
  }

  /** Ticks of the samples that pass through a marked function, of all of them. */
  share(marks: Uint8Array): number {
    const at = there(this.c.vmp_wasm_alloc(marks.length));
    new Uint8Array(this.c.memory.buffer, at, marks.length).set(marks);
    const ticks = this.c.vmp_wasm_share(this.table.handle, this.profile, at);
    this.c.vmp_wasm_free(at);
    return ticks;
  }

  /** null: the profile tells no states. */
  states(): TreeStates | null {
    const table = new Table(this.c, this.c.vmp_wasm_tree_states(this.table.handle, this.profile));
    const columns = table.count === 0 ? null : states.map((_, i) => table.doubles(i).slice());
    table.free();
    return columns;
  }

  /** As Engine.groups, of a whole tree that is not inverted: quicker. */
  groups(groupOf: Uint32Array, count: number): readonly GroupShare[] {
    return groupShares(this.c, groupOf, (at) =>
      this.c.vmp_wasm_tree_groups(this.table.handle, this.profile, at, count));
  }

  free(): void {
    this.table.free();
  }
}

/** VMP_WASM_STATES in wasm.h. */
const CHART_STATES = 1;

export class Chart {
  readonly lanes: readonly Lane[];

  constructor(
    private readonly c: Exports,
    private readonly table: Table,
  ) {
    const depth = table.words(1);
    this.lanes = Array.from(table.words(0), (thread, i) => ({ thread, depth: depth[i] }));
  }

  private read<T>(view: ChartView, flags: number, row: (table: Table) => T): T {
    const { from, to, bins, firstLane, laneCount } = view;
    const table = new Table(this.c, this.c.vmp_wasm_chart_view(this.table.handle, from, to, bins, firstLane, laneCount, flags));
    const made = row(table);
    table.free();
    return made;
  }

  view(view: ChartView): ChartColumns {
    return this.read(view, 0, (t) => {
      const [parent, end, depth, what] = [0, 1, 2, 3].map((column) => t.words(column).slice());
      const [begins, ends, seconds, samples] = [4, 5, 6, 7].map((column) => t.doubles(column).slice());
      return { count: t.count, parent, end, depth, what, begins, ends, seconds, samples };
    });
  }

  states(view: ChartView): ChartStates {
    return this.read(view, CHART_STATES, (t) => ({
      lane: t.words(0).slice(),
      state: t.words(1).slice(),
      begins: t.doubles(4).slice(),
      ends: t.doubles(5).slice(),
    }));
  }

  free(): void {
    this.table.free();
  }
}

function groupShares(c: Exports, groupOf: Uint32Array, make: (at: number) => number): readonly GroupShare[] {
  const at = there(c.vmp_wasm_alloc(groupOf.byteLength));
  new Uint32Array(c.memory.buffer, at, groupOf.length).set(groupOf);
  const handle = make(at);
  c.vmp_wasm_free(at);
  const table = new Table(c, handle);
  const [self, total] = [table.doubles(4), table.doubles(5)];
  const shares = Array.from(self, (value, i) => ({ self: value, total: total[i] }));
  table.free();
  return shares;
}

export interface Filter {
  /** A mark for each function. */
  readonly marks: Uint8Array;
  /** Threads by id; none: all. */
  readonly threads: readonly number[];
  /** Seconds since the start; null: all. */
  readonly range: readonly [number, number] | null;
}

export class Engine {
  readonly facts: Facts;

  private constructor(
    private readonly c: Exports,
    private readonly profile: number,
  ) {
    const text = there(c.vmp_wasm_facts(profile));
    this.facts = JSON.parse(textAt(c, text)) as Facts;
    c.vmp_wasm_free(text);
  }

  /** Loads a log. Throws what the reader says of one that it cannot read. */
  static async open(module: Uint8Array<ArrayBuffer>, log: Uint8Array): Promise<Engine> {
    // The C library asks for these to print, which nothing here does.
    const nothing = (): number => 8; // EBADF
    const { instance } = await WebAssembly.instantiate(module, {
      wasi_snapshot_preview1: { fd_close: nothing, fd_seek: nothing, fd_write: nothing },
    });
    const c = instance.exports as unknown as Exports;
    c._initialize();
    return Engine.load(c, log);
  }

  private static load(c: Exports, log: Uint8Array): Engine {
    // Each time that the module's memory grows costs milliseconds: it grows at once.
    c.vmp_wasm_free(c.vmp_wasm_alloc(log.length * BYTES_PER_LOG_BYTE));
    const at = there(c.vmp_wasm_alloc(log.length));
    new Uint8Array(c.memory.buffer, at, log.length).set(log);
    const profile = c.vmp_wasm_open(at, log.length);
    c.vmp_wasm_free(at);
    const error = textAt(c, c.vmp_wasm_error(there(profile)));
    if (error !== "") throw new Error(error);
    return new Engine(c, profile);
  }

  /** Another log in the same memory, to compare with. */
  beside(log: Uint8Array): Engine {
    return Engine.load(this.c, log);
  }

  /** What all views from now on are of. */
  setFilter(filter: Filter): void {
    const { c, profile } = this;
    const threads = there(c.vmp_wasm_threads(profile));
    new Uint8Array(c.memory.buffer, there(c.vmp_wasm_marks(profile)), filter.marks.length).set(filter.marks);
    const ids = this.facts.threads.map((thread) => thread.id);
    for (const id of ids) {
      new Uint8Array(c.memory.buffer, threads + id, 1)[0] = filter.threads.includes(id) ? 1 : 0;
    }
    c.vmp_wasm_range(profile, filter.range?.[0] ?? 0, filter.range?.[1] ?? 0);
  }

  /** fn: only what it calls, or (treeFlag.above) who calls it. */
  tree(flags: number, fn: number = 0): Tree {
    const table = new Table(this.c, this.c.vmp_wasm_tree(this.profile, flags, fn));
    return new Tree(this.c, this.profile, table);
  }

  private read<T>(handle: number, row: (table: Table) => T): T {
    const table = new Table(this.c, handle);
    const made = row(table);
    table.free();
    return made;
  }

  flat(): readonly FlatRow[] {
    return this.read(this.c.vmp_wasm_flat(this.profile), (t) => {
      const [fn, self, total] = [t.words(0), t.doubles(4), t.doubles(5)];
      const [selfSeconds, totalSeconds] = [t.doubles(6), t.doubles(7)];
      const [selfLow, selfHigh, totalLow, totalHigh] = [8, 9, 10, 11].map((column) => t.doubles(column));
      return Array.from(fn, (id, i) => ({
        fn: id as FunctionIndex,
        self: self[i],
        total: total[i],
        selfSeconds: selfSeconds[i],
        totalSeconds: totalSeconds[i],
        selfInterval: [selfLow[i], selfHigh[i]],
        totalInterval: [totalLow[i], totalHigh[i]],
      }));
    });
  }

  /** groupOf: a number below `count` for each function, others are in no group. */
  groups(groupOf: Uint32Array, count: number): readonly GroupShare[] {
    return groupShares(this.c, groupOf, (at) => this.c.vmp_wasm_groups(this.profile, at, count));
  }

  lines(fn: FunctionIndex): readonly LineRow[] {
    return this.read(this.c.vmp_wasm_lines(this.profile, fn), (t) => {
      const [line, self, total] = [t.words(0), t.doubles(4), t.doubles(5)];
      return Array.from(line, (at, i) => ({ line: at, self: self[i], total: total[i] }));
    });
  }

  /** Ascending; none where the log knows no columns. */
  expressions(fn: FunctionIndex): readonly ExpressionRow[] {
    return this.read(this.c.vmp_wasm_expressions(this.profile, fn), (t) => {
      const [line, endLine, column, endColumn] = [0, 1, 2, 3].map((index) => t.words(index));
      const [self, total] = [t.doubles(4), t.doubles(5)];
      return Array.from(line, (at, i) => ({
        line: at, endLine: endLine[i], column: column[i], endColumn: endColumn[i], self: self[i], total: total[i],
      }));
    });
  }

  /** By function of the log before: the same one here; 0: none. */
  match(before: Engine): Uint32Array {
    return this.read(this.c.vmp_wasm_match(this.profile, before.profile), (t) => t.words(0).slice());
  }

  /** flags: those of the tree. */
  treeChanges(tree: Tree, before: Engine, flags: number): TreeChanges {
    const handle = this.c.vmp_wasm_tree_changes(tree.table.handle, this.profile, before.profile, flags);
    return this.read(handle, (t) => new TreeChanges(t, (flags & treeFlag.seconds) !== 0));
  }

  /** which: treeFlag.seconds, byTotal. */
  changes(before: Engine, which: number): readonly ChangeRow[] {
    const seconds = (which & treeFlag.seconds) !== 0;
    return this.read(this.c.vmp_wasm_changes(this.profile, before.profile, which), (t) => {
      const [fn, oldFn, flags] = [t.words(0), t.words(1), t.words(2)];
      const self = [3, 4, 5, 6, 7, 8].map((column) => t.doubles(column));
      const total = [9, 10, 11, 12, 13, 14].map((column) => t.doubles(column));
      return Array.from(fn, (id, i) => ({
        fn: id as FunctionIndex,
        oldFn: oldFn[i] as FunctionIndex,
        fate: flags[i] & changeFlag.isNew ? "new" : flags[i] & changeFlag.gone ? "gone" : "kept",
        self: changeOf(self, i, (flags[i] & changeFlag.significant) !== 0, seconds),
        total: changeOf(total, i, (flags[i] & changeFlag.totalSignificant) !== 0, seconds),
      }));
    });
  }

  /** flags: treeFlag.foldRecursion */
  chart(flags: number): Chart {
    return new Chart(this.c, new Table(this.c, this.c.vmp_wasm_chart(this.profile, flags)));
  }

  timeline(bins: number): TimelineColumns {
    return this.read(this.c.vmp_wasm_timeline(this.profile, bins), (t) => ({
      begin: t.doubles(3).slice(),
      ticks: t.doubles(4).slice(),
      seconds: t.doubles(5).slice(),
      leastKb: t.doubles(6).slice(),
      mostKb: t.doubles(7).slice(),
    }));
  }
}

function textAt(c: Exports, pointer: number): string {
  const bytes = new Uint8Array(c.memory.buffer, pointer);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
