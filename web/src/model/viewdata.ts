// What views are made of, as rows and as columns of src/wasm/wasm.h, which tells what
// each of them is. Where they come from is engine.ts.

export type FunctionIndex = number & { readonly __function: unique symbol };
export type NodeIndex = number & { readonly __node: unique symbol };

/** Flags of trees and of what changed: VMP_WASM_* in wasm.h. */
export const treeFlag = { inverted: 1, foldRecursion: 2, byThread: 4, above: 8, merged: 16, rough: 32, seconds: 64, byTotal: 128 } as const;

/** Marks of functions: VMP_REPORT_MARK_* in report.h. */
export const mark = { none: 0, hide: 1, focus: 2 } as const;

/** What the third column of a tree has for what is no function. */
const PROCESS = 0x80000000;
const THREAD = 0xc0000000;
const ROOT = 0xffffffff;

export type What =
  | { readonly is: "root" }
  | { readonly is: "process"; readonly process: number }
  | { readonly is: "thread"; readonly thread: number }
  | { readonly is: "function"; readonly fn: FunctionIndex };

export function readWhat(what: number): What {
  if (what === ROOT) return { is: "root" };
  if (what >= THREAD) return { is: "thread", thread: what - THREAD };
  if (what >= PROCESS) return { is: "process", process: what - PROCESS };
  return { is: "function", fn: what as FunctionIndex };
}

export interface ThreadFacts {
  readonly id: number;
  readonly process: number;
  readonly name: string;
  readonly tid: number;
  readonly ticks: number;
  readonly lost: number;
  readonly cpuSeconds: number;
}

/** See put_facts in wasm_facts.c. */
export interface Facts {
  readonly samples: number;
  /** A tree has at most so many nodes. */
  readonly stacks: number;
  readonly ticks: number;
  readonly lost: number;
  readonly askedHz: number;
  readonly achievedHz: number;
  readonly cpuSeconds: number;
  /** Part of the program's CPU time for which no samples stand. */
  readonly unsampledShare: number;
  readonly wallSeconds: number;
  readonly startUnix: number;
  readonly wall: boolean;
  /** The log has no times of its samples. */
  readonly untimed: boolean;
  readonly cut: boolean;
  /** Not 0: the file goes on behind the log's end at this byte, with something that is no log. */
  readonly behindEndByte: number;
  /** What that looks like, as half a sentence. */
  readonly behindEnd: string;
  readonly memory: boolean;
  readonly timer: string;
  readonly argv: string;
  readonly python: string;
  readonly implementation: string;
  readonly host: string;
  readonly os: string;
  readonly cwd: string;
  readonly processes: readonly number[];
  /** Of PyPy: what all samples were taken in, and how it is known (report.h). */
  readonly states?: {
    readonly recorded: boolean;
    readonly loops: boolean;
    readonly complete: boolean;
    readonly ticks: readonly number[];
  };
  /** name, file (a key of `files`), first line, kind */
  readonly functions: readonly (readonly [string, number, number, number])[];
  readonly files: Readonly<Record<string, string>>;
  readonly threads: readonly ThreadFacts[];
}

export interface TreeColumns {
  readonly count: number;
  readonly parent: Uint32Array;
  readonly end: Uint32Array;
  readonly depth: Uint32Array;
  readonly what: Uint32Array;
  readonly self: Float64Array;
  readonly total: Float64Array;
  readonly left: Float64Array;
  readonly seconds: Float64Array;
}

/** Threads over time (report_chart.h): a tree of the root, the lanes, and their frames. */
export interface ChartColumns {
  readonly count: number;
  readonly parent: Uint32Array;
  readonly end: Uint32Array;
  readonly depth: Uint32Array;
  readonly what: Uint32Array;
  /** Seconds since the start. */
  readonly begins: Float64Array;
  readonly ends: Float64Array;
  /** What the samples in it stand for, and their number. */
  readonly seconds: Float64Array;
  readonly samples: Float64Array;
}

/** What lanes were in, by time. */
export interface ChartStates {
  /** Of the columns. */
  readonly lane: Uint32Array;
  /** Index into `states`. */
  readonly state: Uint32Array;
  readonly begins: Float64Array;
  readonly ends: Float64Array;
}

export interface ChartView {
  readonly from: number;
  readonly to: number;
  /** Parts that are told apart: pixels. */
  readonly bins: number;
  readonly firstLane: number;
  readonly laneCount: number;
}

export interface Lane {
  readonly thread: number;
  /** Of its deepest stack. */
  readonly depth: number;
}

export interface Figures {
  readonly samples: number;
  readonly ticks: number;
  readonly seconds: number;
  readonly share: number;
  readonly low: number;
  readonly high: number;
}

export interface Details {
  readonly self: Figures;
  readonly total: Figures;
}

/** What samples were taken in, in the order of enum vmp_profile_state. */
export const states = ["interpreter", "jit", "gcMinor", "gcMajor", "warmUp", "native"] as const;
export type State = (typeof states)[number];

/** Ticks by state of the totals of a tree's nodes, one column each. */
export type TreeStates = readonly Float64Array[];

export interface FlatRow {
  readonly fn: FunctionIndex;
  readonly self: number;
  readonly total: number;
  readonly selfSeconds: number;
  readonly totalSeconds: number;
  /** Ends of intervals of 95 % of the shares. */
  readonly selfInterval: readonly [number, number];
  readonly totalInterval: readonly [number, number];
}

export interface GroupShare {
  readonly self: number;
  readonly total: number;
}

export interface LineRow {
  readonly line: number;
  readonly self: number;
  readonly total: number;
}

/** An expression that ran: columns are bytes of UTF-8, from 0. */
export interface ExpressionRow extends LineRow {
  readonly endLine: number;
  readonly column: number;
  readonly endColumn: number;
}

export interface TimelineColumns {
  readonly begin: Float64Array;
  readonly ticks: Float64Array;
  readonly seconds: Float64Array;
  readonly leastKb: Float64Array;
  readonly mostKb: Float64Array;
}

/** How a share, or a time, changed since an earlier run, and between what, with 95 % confidence, it did. */
export interface Change {
  readonly before: number;
  readonly after: number;
  readonly change: number;
  readonly low: number;
  readonly high: number;
  /** The change against the larger of both shares: -1 .. 1. */
  readonly strength: number;
  /** Not by chance alone. */
  readonly significant: boolean;
  /** Of a time in seconds; else of a share. */
  readonly seconds: boolean;
}

export interface ChangeRow {
  /** 0: the log has no such function. */
  readonly fn: FunctionIndex;
  /** Of the log before; 0 likewise. */
  readonly oldFn: FunctionIndex;
  readonly fate: "kept" | "new" | "gone";
  readonly self: Change;
  readonly total: Change;
}
