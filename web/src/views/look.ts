// What C says of what is chosen. Only what is seen is asked for: of a big
// profile each view takes its time.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { sameNode } from "../layout/flame.ts";
import type { Engine, Tree, TreeChanges } from "../model/engine.ts";
import { makeMatcher, matchAll, originLabel } from "../model/names.ts";
import { type ViewState, makeMarks, matchMarks } from "../model/state.ts";
import { type ChangeRow, type FlatRow, type GroupShare, type NodeIndex, type TreeStates, treeFlag } from "../model/viewdata.ts";
import { type Coloring, colorByModule, colorByOrigin } from "../paint/colors.ts";
import { type Profile, colorByOf } from "./profile.ts";

/** What a view of functions has to know of each of them. */
export interface Shown {
  readonly profile: Profile;
  readonly coloring: Coloring;
  /** By function, whether it is found; null: nothing is searched. */
  readonly found: Uint8Array | null;
}

export interface Look extends Shown {
  /** Another text: views are of something else. */
  readonly filterKey: string;
  /** treeFlag */
  readonly flags: number;
  readonly tree: Tree;
  /** Of the tree, since the log before; null: there is none. */
  readonly changes: TreeChanges | null;
  /** What changed is told in seconds. */
  readonly seconds: boolean;
  /** Of the tree, where colors stand for them. */
  readonly states: TreeStates | null;
  /** By function of the log before, as `found`. */
  readonly foundBefore: Uint8Array | null;
  /** A first look: nothing can be asked of what was left out of it. */
  readonly rough: boolean;
  /** The whole tree, and in it a node of the tree that is shown. */
  readonly settle: (node: NodeIndex) => { readonly tree: Tree; readonly node: NodeIndex };
  /** Ticks of all that is looked at. */
  readonly whole: number;
  /** What is wrong with the expression that is searched. */
  readonly searchError: string | null;
  /** Ticks of the samples that pass through what is found. */
  readonly foundTicks: number;
}

/** Share of a whole that may have nothing in it. */
export const shareOf = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** A tree or a chart as long as it is shown: its columns are no garbage that a collector would know of. */
export function useKept<T extends { free(): void }>(make: () => T, keys: readonly unknown[]): T {
  const kept = useMemo(make, keys);
  useEffect(() => () => kept.free(), [kept]);
  return kept;
}

/** Trees of no more nodes than this are there at once. */
const BIG = 150_000;
/** Milliseconds from a rough tree to the whole one: it is drawn, and a hand has not moved yet. */
const SETTLE_MS = 100;

/**
 * The tree, of a big profile a rough one first: it is drawn at once, and the
 * whole one takes its place soon after, or as soon as it is needed.
 * hurry: it is needed.
 */
function useWholeTree(engine: Engine, key: string, flags: number, hurry: boolean): Pick<Look, "tree" | "rough" | "settle"> {
  const [settled, setSettled] = useState("");
  const made = useRef<{ readonly key: string; readonly tree: Tree } | null>(null);
  const rough = !hurry && settled !== key && engine.facts.stacks > BIG && (flags & treeFlag.inverted) === 0;
  const take = (): Tree => {
    const waiting = made.current;
    made.current = null;
    if (waiting !== null && waiting.key === key) return waiting.tree;
    waiting?.tree.free();
    return engine.tree(flags);
  };
  const tree = useKept(() => (rough ? engine.tree(flags | treeFlag.rough) : take()), [key, rough]);
  useEffect(() => {
    // What is not in a hurry any more keeps the whole tree, and what is selected in it.
    if (!rough) {
      setSettled(key);
      return undefined;
    }
    const timer = setTimeout(() => setSettled(key), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [key, rough]);
  const settle = (node: NodeIndex): { readonly tree: Tree; readonly node: NodeIndex } => {
    if (!rough) return { tree, node };
    const whole = take();
    made.current = { key, tree: whole };
    setSettled(key);
    return { tree: whole, node: sameNode(tree.columns, node, whole.columns) };
  };
  return { tree, rough, settle };
}

function filterKeyOf(state: ViewState): string {
  return JSON.stringify([state.onlyOwn, state.threads, state.range, state.hide, state.focus]);
}

/** No part of a run: the time of one is nothing beside that of another run. */
export function isWhole(state: ViewState): boolean {
  return state.threads.length === 0 && state.range === null;
}

/** Only merged trees are compared: threads and processes have no partners. */
function flagsOf(state: ViewState, compared: boolean): number {
  return (
    (compared ? treeFlag.merged : 0) |
    (state.inverted ? treeFlag.inverted : 0) |
    (state.foldRecursion ? treeFlag.foldRecursion : 0) |
    (state.byThread && !compared ? treeFlag.byThread : 0)
  );
}

function useColoring(profile: Profile, state: ViewState, filterKey: string): Coloring {
  const byModule = state.colorBy === "module";
  const modules = useMemo(() => {
    if (!byModule) return [];
    const all = [...new Set(profile.names.slice(1).map((fn) => fn.module))];
    const place = new Map(all.map((module, i) => [module, i]));
    const groupOf = Uint32Array.from(profile.names, (fn) => place.get(fn.module) ?? all.length);
    const shares = profile.engine.groups(groupOf, all.length);
    return all
      .map((module, i) => ({ module, share: shares[i] }))
      .sort((a, b) => b.share.self - a.share.self || b.share.total - a.share.total)
      .map((entry) => entry.module);
  }, [byModule, byModule ? filterKey : ""]);
  return useMemo(
    () => (byModule ? colorByModule(profile.names, modules) : colorByOrigin(profile.names, originLabel)),
    [byModule, modules],
  );
}

export function useLook(profile: Profile, state: ViewState): Look {
  const { engine, names, before } = profile;
  const filterKey = filterKeyOf(state);
  const flags = flagsOf(state, before !== null);
  useMemo(() => {
    const marks = makeMarks(names, state);
    engine.setFilter({ marks, threads: state.threads, range: state.range });
    // Threads and times are those of one run.
    before?.engine.setFilter({ marks: matchMarks(marks, before.names, before.match, state), threads: [], range: null });
  }, [filterKey]);
  const hurry = before !== null || (state.tab !== "flame" && state.tab !== "chart") || state.zoom !== 0 || state.search !== "";
  const { tree, rough, settle } = useWholeTree(engine, `${flags} ${filterKey}`, flags, hurry);
  const seconds = state.seconds && isWhole(state);
  const changes = useMemo(
    () => (before === null ? null : engine.treeChanges(tree, before.engine, flags | (seconds ? treeFlag.seconds : 0))),
    [tree, seconds],
  );
  const byState = colorByOf(state, profile) === "state";
  const states = useMemo(() => (byState ? tree.states() : null), [tree, byState]);
  const coloring = useColoring(profile, state, filterKey);
  const matcher = useMemo(() => makeMatcher(state.search), [state.search]);
  const searchError = typeof matcher === "string" ? matcher : null;
  const found = useMemo(
    () => (matcher === null || typeof matcher === "string" ? null : matchAll(names, matcher)),
    [matcher],
  );
  const foundBefore = useMemo(
    () => (before === null || matcher === null || typeof matcher === "string" ? null : matchAll(before.names, matcher)),
    [matcher],
  );
  const foundTicks = useMemo(() => {
    if (found === null) return 0;
    // An inverted tree leaves out what is very light.
    if (!state.inverted) return tree.share(found);
    return engine.groups(Uint32Array.from(found, (mark) => 1 - mark), 1)[0].total;
  }, [tree, found]);
  return { profile, filterKey, flags, tree, rough, settle, changes, seconds, states, whole: tree.columns.total[0], coloring, found, foundBefore, searchError, foundTicks };
}

/** The table of functions, while it is shown. */
export function useFlat({ profile, filterKey }: Look, wanted: boolean): readonly FlatRow[] {
  return useMemo(() => (wanted ? profile.engine.flat() : []), [wanted ? filterKey : ""]);
}

/** The functions that changed, while they are shown. */
export function useChanges({ profile, filterKey, seconds }: Look, wanted: boolean, byTotal: boolean): readonly ChangeRow[] {
  const { engine, before } = profile;
  return useMemo(
    () => (wanted && before !== null ? engine.changes(before.engine, (byTotal ? treeFlag.byTotal : 0) | (seconds ? treeFlag.seconds : 0)) : []),
    [wanted ? filterKey : "", wanted && byTotal, seconds],
  );
}

/** Shares of the entries of the legend; of a big profile none until they are counted. */
export function useLegend({ profile, coloring, filterKey, tree, rough, flags }: Look): readonly GroupShare[] {
  const [counted, setCounted] = useState<{
    readonly coloring: Coloring;
    readonly filterKey: string;
    readonly shares: readonly GroupShare[];
  } | null>(null);
  const isBig = profile.engine.facts.stacks > BIG;
  // An inverted tree leaves out what is very light.
  const from = (flags & treeFlag.inverted) === 0 ? tree : profile.engine;
  const count = (): readonly GroupShare[] => from.groups(coloring.entryOf, coloring.legend.length);
  const shares = useMemo(() => (isBig ? [] : count()), [coloring, tree]);
  useEffect(() => {
    if (rough || !isBig) return undefined;
    const timer = setTimeout(() => setCounted({ coloring, filterKey, shares: count() }));
    return () => clearTimeout(timer);
  }, [coloring, tree]);
  if (!isBig) return shares;
  // Another tree of the same samples has the same shares.
  return counted !== null && counted.coloring === coloring && counted.filterKey === filterKey ? counted.shares : [];
}
