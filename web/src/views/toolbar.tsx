// What is shown, and how: tabs, search, options.

import type { RefObject } from "preact";
import { formatCount, formatPercent } from "../format.ts";
import { type Tab, type ViewState, initialState } from "../model/state.ts";
import { type Look, isWhole, shareOf } from "./look.ts";
import { type Profile, colorByOf, colorings, tabsOf, threadName } from "./profile.ts";
import type { StateProps } from "./viewstate.ts";

const tabLabel: Readonly<Record<Tab, string>> = {
  flame: "Flame graph",
  functions: "Functions",
  tree: "Call tree",
  function: "Function",
  chart: "Flame chart",
  changes: "Changes",
  jit: "JIT",
};

const colorLabel: Readonly<Record<ViewState["colorBy"], string>> = { change: "change", origin: "kind", module: "module", state: "state" };

export interface ToolbarProps extends StateProps {
  readonly look: Look;
  readonly searchBox: RefObject<HTMLInputElement>;
  readonly onTab: (tab: Tab) => void;
  readonly onSave: (kind: "svg" | "png") => void;
}

export function Toolbar(props: ToolbarProps) {
  const { state, onTab } = props;
  return (
    <div class="toolbar" role="group" aria-label="What is shown">
      <div role="tablist" aria-label="Views" class="tabs">
        {tabsOf(props.look.profile).map((tab) => (
          <button
            key={tab}
            type="button"
            role="tab"
            id={`tab-${tab}`}
            aria-selected={state.tab === tab}
            aria-controls="view"
            onClick={() => onTab(tab)}
          >
            {tabLabel[tab]}
          </button>
        ))}
      </div>
      <Search state={state} update={props.update} searchBox={props.searchBox} result={searchResult(props.look)} error={props.look.searchError} />
      <Options {...props} />
    </div>
  );
}

function searchResult({ found, foundTicks, whole, searchError }: Look): string {
  if (searchError !== null) return "not a regular expression";
  if (found === null) return "";
  const functions = found.reduce((sum, mark) => sum + mark, 0);
  return `${formatPercent(shareOf(foundTicks, whole))} in ${formatCount(functions)} function${functions === 1 ? "" : "s"}`;
}

export function Search({ state, update, searchBox, result, error }: StateProps & {
  readonly searchBox: RefObject<HTMLInputElement>;
  readonly result: string;
  /** What is wrong with the expression. */
  readonly error: string | null;
}) {
  const search = (text: string): void => update({ search: text }, true);
  return (
    <div class="search" role="search">
      <input
        ref={searchBox}
        type="search"
        placeholder="Search  ( / )"
        aria-label="Search functions and files; /.../ is a regular expression"
        title="Part of a name or a file; /.../ is a regular expression"
        value={state.search}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => search(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") search("");
        }}
      />
      <output aria-live="polite" class={error === null ? "" : "warning"}>{result}</output>
    </div>
  );
}

/** Choices that are on or off. */
type Flag = { readonly [K in keyof ViewState]: ViewState[K] extends boolean ? K : never }[keyof ViewState];

function Toggle({ state, update, flag, label, title, disabled = false }: StateProps & {
  readonly flag: Flag;
  readonly label: string;
  readonly title: string;
  readonly disabled?: boolean;
}) {
  return (
    <button type="button" class="toggle" aria-pressed={state[flag] && !disabled} title={title} disabled={disabled} onClick={() => update({ [flag]: !state[flag] })}>
      {label}
    </button>
  );
}

function Options({ state, update, look, onSave }: ToolbarProps) {
  const chosen = { state, update };
  return (
    <details class="more" open={window.matchMedia("(min-width: 701px)").matches}>
      <summary>Options</summary>
      <div class="options">
        <Toggle {...chosen} flag="inverted" label="Inverted" title="From what ran to its callers (i)" />
        <Toggle {...chosen} flag="onlyOwn" label="Only my code" title="Leave out libraries and the standard library; what they cost goes to who called them (o)" />
        <Toggle {...chosen} flag="foldRecursion" label="Fold recursion" title="A frame that calls itself is one (r)" />
        <Toggle {...chosen} flag="upward" label="Upward" title="The root at the bottom" />
        {look.profile.before !== null && (
          <Toggle
            {...chosen}
            flag="seconds"
            label="Seconds"
            title={isWhole(state) ? "Compare times in place of shares, of runs that do the same work" : "Times of whole runs alone are compared"}
            disabled={!isWhole(state)}
          />
        )}
        <Threads {...chosen} profile={look.profile} />
        <label class="choice">
          Color by{" "}
          <select
            value={colorByOf(state, look.profile)}
            onChange={(event) => {
              const colorBy = event.currentTarget.value as ViewState["colorBy"];
              update({ colorBy: look.profile.before === null && colorBy === "origin" ? initialState.colorBy : colorBy });
            }}
          >
            {colorings(look.profile).map((colorBy) => <option key={colorBy} value={colorBy}>{colorLabel[colorBy]}</option>)}
          </select>
        </label>
        {(state.tab === "flame" || (state.tab === "chart" && !state.table)) && (
          <span class="save">
            <button type="button" onClick={() => onSave("svg")} title="Save the graph as SVG">SVG</button>
            <button type="button" onClick={() => onSave("png")} title="Save the graph as PNG">PNG</button>
          </span>
        )}
      </div>
    </details>
  );
}

function Threads({ state, update, profile }: StateProps & { readonly profile: Profile }) {
  const { facts } = profile.engine;
  const whole = facts.threads.reduce((most, thread) => Math.max(most, thread.ticks), 0);
  const chosen = state.threads.length;
  const several = facts.processes.length > 2;
  const set = (id: number, on: boolean): void =>
    update({ threads: on ? [...state.threads, id].sort((a, b) => a - b) : state.threads.filter((other) => other !== id) });
  return (
    <details class="threads">
      <summary>Threads: {chosen === 0 ? "all" : `${chosen} of ${facts.threads.length}`}</summary>
      <div class="popup">
        {profile.before === null && <Toggle state={state} update={update} flag="byThread" label="One by one" title="A part of the graph for each thread" />}
        {chosen > 0 && <button type="button" onClick={() => update({ threads: [] })}>All threads</button>}
        <ul>
          {facts.threads.map((thread) => (
            <li key={thread.id}>
              <label>
                <input type="checkbox" checked={state.threads.includes(thread.id)} onChange={(event) => set(thread.id, event.currentTarget.checked)} />
                <span class="thread-name">{threadName(thread)}{several ? ` (process ${facts.processes[thread.process]})` : ""}</span>
                <span class="faint">{formatCount(thread.ticks)} ticks</span>
                <span class="thread-bar" style={{ width: `${shareOf(thread.ticks, whole) * 100}%` }} />
              </label>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}
