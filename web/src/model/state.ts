// What the page shows, as one value that is never changed, and as text behind
// the # of its address.

import { type FunctionName, functionKey } from "./names.ts";
import { mark } from "./viewdata.ts";

/** The last two are there if there is a log to compare with, and one of the JIT. */
export const tabs = ["flame", "functions", "tree", "function", "chart", "changes", "jit"] as const;
export type Tab = (typeof tabs)[number];

export const colorings = ["change", "origin", "module", "state"] as const;

export const scopes = ["function", "module", "file"] as const;
export type Scope = (typeof scopes)[number];

/** Functions that are hidden or looked at: one, or all of a module or file. */
export interface Rule {
  readonly scope: Scope;
  readonly value: string;
}

/** Seconds since the start. */
export type Range = readonly [number, number];

export interface ViewState {
  readonly tab: Tab;
  readonly inverted: boolean;
  readonly foldRecursion: boolean;
  readonly byThread: boolean;
  /** Roots at the bottom. */
  readonly upward: boolean;
  readonly onlyOwn: boolean;
  /** Without a log to compare with the first one is the second. */
  readonly colorBy: (typeof colorings)[number];
  /** What changed is told in seconds, if whole runs are shown; else as shares. */
  readonly seconds: boolean;
  readonly threads: readonly number[];
  readonly range: Range | null;
  /** What of the range the chart shows; null: all. */
  readonly at: Range | null;
  /** The chart is shown as a table. */
  readonly table: boolean;
  readonly hide: readonly Rule[];
  readonly focus: readonly Rule[];
  readonly search: string;
  /** Node of the tree that fills the width; 0: the root. */
  readonly zoom: number;
  /** functionKey of what the tab `function` shows. */
  readonly fn: string;
  /** Index of the trace that the tab `jit` shows; 0: all. */
  readonly trace: number;
}

export const initialState: ViewState = {
  tab: "flame",
  inverted: false,
  foldRecursion: false,
  byThread: false,
  upward: false,
  onlyOwn: false,
  colorBy: "change",
  seconds: false,
  threads: [],
  range: null,
  at: null,
  table: false,
  hide: [],
  focus: [],
  search: "",
  zoom: 0,
  fn: "",
  trace: 0,
};

const flags = {
  inv: "inverted",
  fold: "foldRecursion",
  bythread: "byThread",
  up: "upward",
  own: "onlyOwn",
  sec: "seconds",
  table: "table",
} as const;

const ruleText = (rule: Rule): string => `${rule.scope}:${rule.value}`;

function readRule(text: string): Rule | null {
  const colon = text.indexOf(":");
  const scope = scopes.find((name) => name === text.slice(0, colon));
  return scope ? { scope, value: text.slice(colon + 1) } : null;
}

/** Seconds, as exact as an address has them. */
const microseconds = (seconds: number): number => Math.round(seconds * 1e6) / 1e6;

/** Without what is as in the beginning, so that a plain page has a plain address. */
export function writeState(state: ViewState): string {
  const out = new URLSearchParams();
  if (state.tab !== initialState.tab) out.set("tab", state.tab);
  for (const [key, name] of Object.entries(flags)) if (state[name]) out.set(key, "1");
  if (state.colorBy !== initialState.colorBy) out.set("color", state.colorBy);
  if (state.threads.length > 0) out.set("threads", state.threads.join(","));
  for (const key of ["range", "at"] as const) {
    const range = state[key];
    if (range) out.set(key, range.map(microseconds).join(","));
  }
  for (const rule of state.hide) out.append("hide", ruleText(rule));
  for (const rule of state.focus) out.append("focus", ruleText(rule));
  if (state.search !== "") out.set("search", state.search);
  if (state.zoom !== 0) out.set("zoom", String(state.zoom));
  if (state.fn !== "") out.set("fn", state.fn);
  if (state.trace !== 0) out.set("trace", String(state.trace));
  return out.toString();
}

/** Takes what it can read and leaves the rest as in the beginning. */
export function readState(text: string): ViewState {
  const given = new URLSearchParams(text.replace(/^#/, ""));
  const numbers = (key: string): number[] =>
    (given.get(key) ?? "").split(",").filter((part) => part !== "").map(Number);
  const index = (key: string): number => {
    const value = Number(given.get(key) ?? 0);
    return Number.isInteger(value) && value > 0 ? value : 0;
  };
  const range = (key: string): Range | null => {
    // Less than a microsecond is nothing to C.
    const [from, to, ...more] = numbers(key).map(microseconds);
    return more.length === 0 && from >= 0 && to > from && to < Infinity ? [from, to] : null;
  };
  const rules = (key: string): Rule[] =>
    given.getAll(key).map(readRule).filter((rule): rule is Rule => rule !== null);
  const made: { -readonly [K in keyof ViewState]: ViewState[K] } = {
    ...initialState,
    tab: tabs.find((name) => name === given.get("tab")) ?? initialState.tab,
    colorBy: colorings.find((name) => name === given.get("color")) ?? initialState.colorBy,
    threads: numbers("threads").filter((id) => Number.isInteger(id) && id >= 0),
    range: range("range"),
    at: range("at"),
    hide: rules("hide"),
    focus: rules("focus"),
    search: given.get("search") ?? "",
    zoom: index("zoom"),
    fn: given.get("fn") ?? "",
    trace: index("trace"),
  };
  for (const [key, name] of Object.entries(flags)) made[name] = given.get(key) === "1";
  return made;
}

export function ruleMatches(rule: Rule, fn: FunctionName): boolean {
  switch (rule.scope) {
    case "function":
      return functionKey(fn) === rule.value;
    case "module":
      return fn.module === rule.value;
    case "file":
      return fn.file === rule.value;
  }
}

/** One mark for each function: viewdata.ts. */
export function makeMarks(names: readonly FunctionName[], state: ViewState): Uint8Array {
  return Uint8Array.from(names, (fn, i) => {
    if (i === 0) return mark.none;
    const hidden =
      (state.onlyOwn && fn.origin !== "own" && fn.origin !== "unknown") ||
      state.hide.some((rule) => ruleMatches(rule, fn));
    const focused = state.focus.some((rule) => ruleMatches(rule, fn));
    return (hidden ? mark.hide : 0) | (focused ? mark.focus : 0);
  });
}

/** The marks of the log before: of the same functions, or by their names. */
export function matchMarks(marks: Uint8Array, before: readonly FunctionName[], match: Uint32Array, state: ViewState): Uint8Array {
  return makeMarks(before, state).map((own, i) => (match[i] !== 0 ? marks[match[i]] : own));
}

/** Changes that make another tree make another numbering of its nodes. */
const changesTree: readonly (keyof ViewState)[] = [
  "inverted", "foldRecursion", "byThread", "onlyOwn", "threads", "range", "hide", "focus",
];

export function changeState(state: ViewState, change: Partial<ViewState>): ViewState {
  const next = { ...state, ...change };
  const another = changesTree.some((key) => JSON.stringify(next[key]) !== JSON.stringify(state[key]));
  const elsewhere = JSON.stringify(next.range) !== JSON.stringify(state.range);
  return {
    ...next,
    ...(another && change.zoom === undefined ? { zoom: 0 } : {}),
    ...(elsewhere && change.at === undefined ? { at: null } : {}),
  };
}

/** With the rule once, at the end. */
export function addRule(rules: readonly Rule[], rule: Rule): readonly Rule[] {
  return [...removeRule(rules, rule), rule];
}

export function removeRule(rules: readonly Rule[], rule: Rule): readonly Rule[] {
  return rules.filter((other) => ruleText(other) !== ruleText(rule));
}
