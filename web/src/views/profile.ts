// The profile as the views see it: the engine, and names.

import type { Engine } from "../model/engine.ts";
import { type FunctionName, placeText } from "../model/names.ts";
import type { JitLog } from "../model/jit.ts";
import type { SourceText } from "../model/sourcetext.ts";
import { type Tab, type ViewState, colorings as allColorings, tabs } from "../model/state.ts";
import { type FunctionIndex, type NodeIndex, type ThreadFacts, type TreeColumns, readWhat } from "../model/viewdata.ts";

export interface Profile {
  readonly engine: Engine;
  readonly names: readonly FunctionName[];
  /** Of the file that it came from. */
  readonly logName: string;
  /** Path of the list of profiles, if the page came from one. */
  readonly home: string | undefined;
  /** An earlier run that it is compared with. */
  readonly before: Before | null;
  /** Of functions whose source the page carries. */
  readonly sources: ReadonlyMap<FunctionIndex, SourceText>;
  /** The log of PyPy's JIT of the same run. */
  readonly jit: JitLog | null;
}

/** What there is to be shown. */
export function tabsOf({ before, jit }: Profile): readonly Tab[] {
  return tabs.filter((tab) => (tab !== "changes" || before !== null) && (tab !== "jit" || jit !== null));
}

export interface Before {
  readonly engine: Engine;
  readonly names: readonly FunctionName[];
  readonly logName: string;
  /** By function: the same one in the log that is shown; 0: none. */
  readonly match: Uint32Array;
}

/** What colors can stand for. */
export function colorings(profile: Profile): readonly ViewState["colorBy"][] {
  return allColorings.filter(
    (colorBy) =>
      (colorBy !== "change" || profile.before !== null) && (colorBy !== "state" || profile.engine.facts.states !== undefined),
  );
}

/** What colors stand for. */
export function colorByOf(state: ViewState, profile: Profile): ViewState["colorBy"] {
  return colorings(profile).find((colorBy) => colorBy === state.colorBy) ?? "origin";
}

export function programName(profile: Profile): string {
  const [first, ...rest] = profile.engine.facts.argv.split("\n");
  if (first === undefined || first === "") return profile.logName;
  return [first.slice(first.lastIndexOf("/") + 1), ...rest].join(" ");
}

export function threadName(thread: ThreadFacts | undefined): string {
  if (thread === undefined || thread.id === 0) return "unknown thread";
  return thread.name !== "" ? thread.name : `thread ${thread.tid}`;
}

export function nodeLabel(profile: Profile, columns: Pick<TreeColumns, "what">, node: NodeIndex): string {
  const what = readWhat(columns.what[node]);
  const { facts } = profile.engine;
  switch (what.is) {
    case "root":
      return "all";
    case "process":
      return `process ${facts.processes[what.process]}`;
    case "thread":
      return threadName(facts.threads.find((thread) => thread.id === what.thread));
    case "function":
      return profile.names[what.fn].name;
  }
}

export function nodeFunction(columns: Pick<TreeColumns, "what">, node: NodeIndex): FunctionIndex | null {
  const what = readWhat(columns.what[node]);
  return what.is === "function" ? what.fn : null;
}

export function nodePlace(profile: Profile, columns: Pick<TreeColumns, "what">, node: NodeIndex): string {
  const fn = nodeFunction(columns, node);
  return fn === null ? "" : placeText(profile.names[fn]);
}
