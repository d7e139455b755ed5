// The log of PyPy's JIT, as C put it into the page: lines of JSON that
// src/page/page_jit.h tells of; their keys are in docs/json.md.

import type { Matcher } from "./names.ts";
import { type SourceText, keyOf } from "./sourcetext.ts";
import type { Facts, FunctionIndex } from "./viewdata.ts";

/** Index of a trace: an id may be there twice. */
export type TraceIndex = number & { readonly __trace: unique symbol };

export const jitStages = ["noopt", "opt", "asm"] as const;
export type JitStage = (typeof jitStages)[number];

/** A place in the program; `place` is the function, 0: not told, or left out. */
export interface JitPlace {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly place: number;
}

export interface JitGuard extends JitPlace {
  readonly trace: TraceIndex;
  readonly name: string;
  readonly failed: number;
}

export interface JitTrace extends JitPlace {
  readonly trace: number;
  readonly index: TraceIndex;
  readonly type: string;
  readonly entry_bridge: boolean;
  readonly aborted: boolean;
  readonly jitdriver: string;
  /** null: not counted. */
  readonly entered: number | null;
  readonly operations: Readonly<Record<JitStage, number>>;
  readonly guards: number;
  readonly code_start: string | null;
  readonly code_bytes: number;
  readonly guard: JitGuard | null;
  /** Place, and operations of the optimized trace there. */
  readonly passes: readonly (readonly [number, number])[];
}

interface JitFacts {
  readonly cut: boolean;
  readonly version: number;
  readonly machine: string;
  readonly unknown_counters: number;
  /** Name, file, and of a function of the profile what that is called there and its first line. */
  readonly places: readonly (readonly [string, string, string?, number?])[];
  readonly places_left_out: number;
  readonly traces: readonly JitTrace[];
  readonly passes_left_out: number;
  readonly left_out: number;
}

export type JitEntry =
  | ({ readonly kind: "point"; readonly index: number; readonly opcode: string } & JitPlace)
  | { readonly kind: "inputs"; readonly args: string }
  | {
      readonly kind: "operation";
      readonly args: string;
      readonly name: string;
      readonly fail_args: string;
      readonly descr: string | null;
      readonly count: number;
      readonly bridge: TraceIndex | null;
      readonly code: string;
      readonly code_bytes: number;
    };

interface JitStages {
  readonly stages: Readonly<Record<JitStage, readonly JitEntry[]>>;
  readonly left_out: Readonly<Record<JitStage, number>>;
}

export interface JitPass {
  readonly trace: JitTrace;
  /** Of the optimized trace, in the function. */
  readonly operations: number;
  readonly begins: boolean;
}

const NEWLINE = 10;

export class JitLog {
  readonly facts: JitFacts;
  private readonly starts: readonly number[];
  private readonly rows: ReadonlyMap<TraceIndex, number>;
  private readonly functions: readonly (FunctionIndex | null)[];
  private readonly texts: ReadonlyMap<string, string>;

  /** profile: null where the jitlog is alone. */
  constructor(readonly name: string, private readonly lines: Uint8Array, profile: Facts | null, sources: readonly SourceText[]) {
    this.texts = new Map(sources.flatMap(({ file, lines: all }) => all.map(([line, text]) => [keyOf("", file, line), text] as const)));
    const starts = [0];
    for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) starts.push(at + 1);
    this.starts = starts;
    this.facts = this.line(0) as JitFacts;
    this.rows = new Map(this.facts.traces.map((trace, i) => [trace.index, i]));
    const byKey = new Map(
      profile?.functions.map(([name, file, line], i) => [keyOf(name, profile.files[file] ?? "", line), i as FunctionIndex]),
    );
    this.functions = this.facts.places.map(([, file, shown, line]) =>
      (shown === undefined || line === undefined ? null : (byKey.get(keyOf(shown, file, line)) ?? null)));
  }

  private line(i: number): unknown {
    return JSON.parse(new TextDecoder().decode(this.lines.subarray(this.starts[i], this.starts[i + 1])));
  }

  trace(index: number): JitTrace | undefined {
    return this.facts.traces[this.rows.get(index as TraceIndex) ?? -1];
  }

  /** null: left out, since the page would be too large. */
  stages(trace: JitTrace): JitStages | null {
    return this.line((this.rows.get(trace.index) ?? -1) + 1) as JitStages | null;
  }

  placeName(place: number): string {
    const [name, , shown] = this.facts.places[place] ?? [""];
    return shown ?? name;
  }

  /** The line of the program; "" if the page does not carry it. */
  textAt({ file, line }: JitPlace): string {
    return this.texts.get(keyOf("", file, line)) ?? "";
  }

  /** The function of the profile. */
  functionAt(place: number): FunctionIndex | null {
    return this.functions[place] ?? null;
  }

  /** Traces that pass through a function, most entered first. */
  through(fn: FunctionIndex): readonly JitPass[] {
    return this.facts.traces.flatMap((trace) => {
      const operations = trace.passes.filter(([place]) => this.functions[place] === fn).map(([, count]) => count);
      return operations.map((count) => ({ trace, operations: count, begins: this.functions[trace.place] === fn }));
    });
  }

  /** Those that begin in what is found, or pass through it, or are called so. */
  find(matcher: Matcher): readonly JitTrace[] {
    const found = this.facts.places.map(([name, file, shown]) => matcher({ name: shown ?? name, file }));
    return this.facts.traces.filter((trace) =>
      trace.passes.some(([place]) => found[place]) || found[trace.place] || matcher({ name: traceName(trace), file: trace.jitdriver }));
  }
}

export function traceName(trace: JitTrace): string {
  return `${trace.type} ${trace.trace}${trace.entry_bridge ? " (entry)" : ""}${trace.aborted ? " (aborted)" : ""}`;
}

/** "result = name(args)", of the log's "result,args". */
export function operationText({ name, args }: { readonly name: string; readonly args: string }): string {
  const comma = args.indexOf(",");
  const result = comma < 0 ? args : args.slice(0, comma);
  return `${result === "" || result === "?" ? "" : `${result} = `}${name}(${comma < 0 ? "" : args.slice(comma + 1)})`;
}

/** A row of a stage. */
export type JitRow =
  | { readonly is: "line"; readonly at: JitPlace }
  | { readonly is: "bytecode"; readonly at: JitPlace; readonly text: string }
  | { readonly is: "entry"; readonly entry: Exclude<JitEntry, { readonly kind: "point" }> };

/** Operations below the bytecode, and that below the line, that they come from. */
export function stageRows(entries: readonly JitEntry[]): readonly JitRow[] {
  const rows: JitRow[] = [];
  let before: JitPlace | null = null;
  for (const entry of entries) {
    if (entry.kind !== "point") {
      rows.push({ is: "entry", entry });
      continue;
    }
    if (entry.line !== before?.line || entry.function !== before.function || entry.file !== before.file) rows.push({ is: "line", at: entry });
    rows.push({ is: "bytecode", at: entry, text: `${entry.index} ${entry.opcode}` });
    before = entry;
  }
  return rows;
}
