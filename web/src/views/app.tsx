// The page: what is looked at (state), what C says of it, and the views.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { formatCount, formatDate, formatPercent, formatSeconds } from "../format.ts";
import { pathTo } from "../layout/flame.ts";
import { type FunctionIndex, type GroupShare, type NodeIndex, type Tree, treeFlag } from "../model/engine.ts";
import { findFunction, functionKey, makeMatcher, matchAll, originLabel } from "../model/names.ts";
import { type Rule, type ViewState, addRule, changeState, initialState, makeMarks, readState, removeRule, writeState } from "../model/state.ts";
import { type Coloring, colorByModule, colorByOrigin, cssColor } from "../paint/colors.ts";
import { CallTree } from "./calltree.tsx";
import { type Drawer, FigureTable, FlameGraph } from "./flame.tsx";
import { FunctionView } from "./function.tsx";
import { FunctionTable } from "./functions.tsx";
import { type Profile, nodeFunction, nodeLabel, nodePlace, threadName } from "./profile.ts";
import { type ThemeChoice, setThemeChoice, themeChoice } from "./theme.ts";
import { Timeline, timelineBins } from "./timeline.tsx";

const tabLabel: Readonly<Record<ViewState["tab"], string>> = {
  flame: "Flame graph",
  functions: "Functions",
  tree: "Call tree",
  function: "Function",
};

/** State that the address has, too: back and forward work. */
function useViewState(): [ViewState, (change: Partial<ViewState>, replace?: boolean) => void] {
  const [state, setState] = useState<ViewState>(() => readState(window.location.hash));
  const latest = useRef(state);
  latest.current = state;
  useEffect(() => {
    const listener = (): void => {
      if (writeState(latest.current) !== window.location.hash.slice(1)) setState(readState(window.location.hash));
    };
    window.addEventListener("popstate", listener);
    window.addEventListener("hashchange", listener);
    return () => {
      window.removeEventListener("popstate", listener);
      window.removeEventListener("hashchange", listener);
    };
  }, []);
  const update = useCallback((change: Partial<ViewState>, replace = false): void => {
    const next = changeState(latest.current, change);
    const text = `#${writeState(next)}`;
    if (replace) window.history.replaceState(null, "", text);
    else if (text !== `#${writeState(latest.current)}`) window.history.pushState(null, "", text);
    latest.current = next;
    setState(next);
  }, []);
  return [state, update];
}

/** What makes another tree, as text. */
function filterKeyOf(state: ViewState): string {
  return JSON.stringify([state.onlyOwn, state.threads, state.range, state.hide, state.focus]);
}

function useColoring(profile: Profile, state: ViewState, filterKey: string): Coloring {
  const modules = useMemo(() => {
    if (state.colorBy !== "module") return [];
    const all = [...new Set(profile.names.slice(1).map((fn) => fn.module))];
    const place = new Map(all.map((module, i) => [module, i]));
    const groupOf = Uint32Array.from(profile.names, (fn) => place.get(fn.module) ?? all.length);
    const shares = profile.engine.groups(groupOf, all.length);
    return all
      .map((module, i) => ({ module, share: shares[i] }))
      .sort((a, b) => b.share.self - a.share.self || b.share.total - a.share.total)
      .map((entry) => entry.module);
  }, [state.colorBy, state.colorBy === "module" ? filterKey : ""]);
  return useMemo(
    () => (state.colorBy === "module" ? colorByModule(profile.names, modules) : colorByOrigin(profile.names, originLabel)),
    [state.colorBy, modules],
  );
}

function programName(profile: Profile): string {
  const [first, ...rest] = profile.engine.facts.argv.split("\n");
  if (first === undefined || first === "") return profile.logName;
  return [first.slice(first.lastIndexOf("/") + 1), ...rest].join(" ");
}

export function App({ profile }: { readonly profile: Profile }) {
  const { engine, names } = profile;
  const { facts } = engine;
  const [state, update] = useViewState();
  const [selection, setSelection] = useState<{ readonly tree: Tree; readonly node: NodeIndex } | null>(null);
  const [selectedFn, setSelectedFn] = useState<FunctionIndex | null>(null);
  const searchBox = useRef<HTMLInputElement>(null);
  const drawer = useRef<Drawer | null>(null);

  const filterKey = filterKeyOf(state);
  const flags =
    (state.inverted ? treeFlag.inverted : 0) |
    (state.foldRecursion ? treeFlag.foldRecursion : 0) |
    (state.byThread ? treeFlag.byThread : 0);
  useMemo(() => {
    engine.setFilter({ marks: makeMarks(names, state), threads: state.threads, range: state.range });
  }, [filterKey]);
  const tree = useMemo(() => engine.tree(flags), [filterKey, flags]);
  useEffect(() => () => tree.free(), [tree]);
  // Only what is seen is asked for: of a big profile each view takes its time.
  // Another tree numbers its nodes anew.
  const selected = selection !== null && selection.tree === tree ? selection.node : null;
  const setSelected = (node: NodeIndex | null): void => setSelection(node === null ? null : { tree, node });
  const flat = useMemo(
    () => (state.tab === "functions" ? engine.flat() : []),
    [state.tab === "functions" ? filterKey : ""],
  );
  const timeline = useMemo(() => engine.timeline(timelineBins(facts)), [state.threads]);
  const coloring = useColoring(profile, state, filterKey);
  const [legend, setLegend] = useState<readonly GroupShare[]>([]);
  useEffect(() => {
    // After the graph is there.
    const timer = setTimeout(() => setLegend(engine.groups(coloring.entryOf, coloring.legend.length)));
    return () => clearTimeout(timer);
  }, [coloring, filterKey]);
  const matcher = useMemo(() => makeMatcher(state.search), [state.search]);
  const found = useMemo(
    () => (matcher === null || typeof matcher === "string" ? null : matchAll(names, matcher)),
    [matcher],
  );
  const whole = tree.columns.total[0];
  const foundTicks = useMemo(() => {
    if (found === null) return 0;
    // An inverted tree leaves out what is very light.
    if (!state.inverted) return tree.share(found);
    return engine.groups(Uint32Array.from(found, (mark) => 1 - mark), 1)[0].total;
  }, [tree, found]);
  const zoom = (state.zoom < tree.columns.count ? state.zoom : 0) as NodeIndex;
  const fn = useMemo(() => findFunction(names, state.fn), [state.fn]);
  const rootLabel = state.inverted ? "all, by what ran" : "all";

  useEffect(() => {
    document.title = `${programName(profile)} – vmprof`;
  }, []);
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const inField = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
      if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "/") searchBox.current?.focus();
      else if (event.key === "i") update({ inverted: !state.inverted });
      else if (event.key === "r") update({ foldRecursion: !state.foldRecursion });
      else if (event.key === "o") update({ onlyOwn: !state.onlyOwn });
      else if ("1234".includes(event.key)) showTab((["flame", "functions", "tree", "function"] as const)[Number(event.key) - 1]);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  });

  const openFunction = (index: FunctionIndex): void => {
    setSelectedFn(index);
    update({ tab: "function", fn: functionKey(names[index]) });
  };
  /** There is always a function to show: what is selected, else the one with the most self. */
  const showTab = (tab: ViewState["tab"]): void => {
    const first = tab === "function" && fn === null ? (chosenFn ?? engine.flat()[0]?.fn) : undefined;
    update(first === undefined ? { tab } : { tab, fn: functionKey(names[first]) });
  };
  const chosenFn =
    state.tab === "functions" ? selectedFn
    : state.tab === "function" ? fn
    : selected === null ? null
    : nodeFunction(tree.columns, selected);

  const save = async (kind: "svg" | "png"): Promise<void> => {
    const d = drawer.current;
    if (d === null) return;
    const blob = kind === "svg" ? new Blob([d.svg()], { type: "image/svg+xml" }) : await d.png();
    if (blob === null) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${profile.logName.replace(/\.[^.]*$/, "")}.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  };

  return (
    <div class="page">
      <Header profile={profile} />
      <Timeline facts={facts} columns={timeline} range={state.range} onRange={(range) => update({ range })} />
      <div class="toolbar" role="group" aria-label="What is shown">
        <div role="tablist" aria-label="Views" class="tabs">
          {(Object.keys(tabLabel) as ViewState["tab"][]).map((tab) => (
            <button
              key={tab}
              type="button"
              role="tab"
              id={`tab-${tab}`}
              aria-selected={state.tab === tab}
              aria-controls="view"
              onClick={() => showTab(tab)}
            >
              {tabLabel[tab]}
            </button>
          ))}
        </div>
        <Search
          box={searchBox}
          value={state.search}
          error={typeof matcher === "string" ? matcher : null}
          result={found === null ? null : { share: whole > 0 ? foundTicks / whole : 0, functions: found.reduce((sum, mark) => sum + mark, 0) }}
          onChange={(search) => update({ search }, true)}
        />
        <Options state={state} update={update} profile={profile} onSave={save} />
      </div>
      <Rules state={state} update={update} />
      <main id="view" class={`view view-${state.tab}`} role="tabpanel" aria-labelledby={`tab-${state.tab}`}>
        {whole === 0 && <p class="empty">No sample is left by what is chosen above. <button type="button" onClick={() => update({ ...initialState, tab: state.tab })}>Show all</button></p>}
        {whole > 0 && state.tab === "flame" && (
          <>
            <Breadcrumbs profile={profile} tree={tree} zoom={zoom} rootLabel={rootLabel} onZoom={(node) => update({ zoom: node })} />
            <FlameGraph
              profile={profile}
              tree={tree}
              coloring={coloring}
              zoom={zoom}
              selected={selected}
              found={found}
              upward={state.upward}
              rootLabel={rootLabel}
              label={`Flame graph of ${programName(profile)}`}
              onZoom={(node) => update({ zoom: node })}
              onSelect={setSelected}
              onDrawer={(made) => {
                drawer.current = made;
              }}
            />
          </>
        )}
        {whole > 0 && state.tab === "tree" && (
          <CallTree
            profile={profile}
            tree={tree}
            coloring={coloring}
            found={found}
            rootLabel={rootLabel}
            selected={selected ?? (zoom === 0 ? null : zoom)}
            onSelect={setSelected}
            onZoom={(node) => update({ tab: "flame", zoom: node })}
          />
        )}
        {whole > 0 && state.tab === "functions" && (
          <FunctionTable
            profile={profile}
            rows={flat}
            whole={whole}
            coloring={coloring}
            found={found}
            selected={selectedFn}
            onSelect={setSelectedFn}
            onOpen={openFunction}
          />
        )}
        {whole > 0 && state.tab === "function" &&
          (fn === null ?
            <p class="empty">The log has no such function.</p>
          : <FunctionView profile={profile} fn={fn} filterKey={filterKey} flags={flags & treeFlag.foldRecursion} whole={tree} coloring={coloring} found={found} onOpen={openFunction} />)}
      </main>
      <Selection
        profile={profile}
        fn={chosenFn}
        details={(state.tab === "flame" || state.tab === "tree") && selected !== null ? tree.details(selected) : null}
        label={selected === null || state.tab === "functions" || state.tab === "function" ? null : selected === 0 ? rootLabel : nodeLabel(profile, tree.columns, selected)}
        place={selected === null ? "" : nodePlace(profile, tree.columns, selected)}
        state={state}
        update={update}
        onOpen={openFunction}
      />
      <footer class="legend" aria-label="Legend">
        {coloring.legend.map((entry, i) =>
          legend[i] !== undefined && legend[i].total > 0 && whole > 0 ? (
            <span key={entry.label} class="legend-entry" title={`self ${formatPercent(legend[i].self / whole)}; on the stack of ${formatPercent(legend[i].total / whole)} of the samples`}>
              <i class="swatch" style={{ background: cssColor(entry.color) }} /> {entry.label}{" "}
              <b>{formatPercent(legend[i].self / whole)}</b>
            </span>
          ) : null,
        )}
        <span class="faint legend-note">shares of self</span>
      </footer>
    </div>
  );
}

function Header({ profile }: { readonly profile: Profile }) {
  const { facts } = profile.engine;
  const parts = [
    `${formatCount(facts.samples)} samples`,
    facts.wall ? `${formatSeconds(facts.wallSeconds)} of wall time` : `${formatSeconds(facts.cpuSeconds)} of CPU in ${formatSeconds(facts.wallSeconds)}`,
    `${formatCount(facts.achievedHz)} Hz`,
    facts.python === "" ? "" : `${facts.implementation === "" ? "Python" : facts.implementation} ${facts.python}`,
    facts.startUnix > 0 ? formatDate(facts.startUnix) : "",
  ].filter((part) => part !== "");
  const lost = facts.lost + facts.ticks > 0 ? facts.lost / (facts.lost + facts.ticks) : 0;
  return (
    <header class="head">
      <h1 title={facts.argv.split("\n").join(" ")}>{programName(profile)}</h1>
      <p class="faint facts">{parts.join(" · ")}</p>
      {facts.lost > 0 && <p class={lost > 0.01 ? "warning" : "faint facts"}>{formatPercent(lost)} of the ticks lost</p>}
      {facts.cut && <p class="warning">The log has no clean end: this is what was written.</p>}
      <ThemeButton />
    </header>
  );
}

function ThemeButton() {
  const [choice, setChoice] = useState<ThemeChoice>(themeChoice());
  const next: Readonly<Record<ThemeChoice, ThemeChoice>> = { auto: "light", light: "dark", dark: "auto" };
  const label: Readonly<Record<ThemeChoice, string>> = { auto: "Auto", light: "Light", dark: "Dark" };
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Colors: ${label[choice]}`}
      onClick={() => {
        setThemeChoice(next[choice]);
        setChoice(next[choice]);
      }}
    >
      <span aria-hidden="true">◐</span> {label[choice]}
    </button>
  );
}

function Search({ box, value, error, result, onChange }: {
  readonly box: { readonly current: HTMLInputElement | null };
  readonly value: string;
  readonly error: string | null;
  readonly result: { readonly share: number; readonly functions: number } | null;
  readonly onChange: (text: string) => void;
}) {
  return (
    <div class="search" role="search">
      <input
        ref={box as never}
        type="search"
        placeholder="Search  ( / )"
        aria-label="Search functions and files; /.../ is a regular expression"
        title="Part of a name or a file; /.../ is a regular expression"
        value={value}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onChange(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") onChange("");
        }}
      />
      <output aria-live="polite" class={error === null ? "" : "warning"}>
        {error !== null ? "not a regular expression" : result === null ? "" : `${formatPercent(result.share)} in ${formatCount(result.functions)} function${result.functions === 1 ? "" : "s"}`}
      </output>
    </div>
  );
}

interface StateProps {
  readonly state: ViewState;
  readonly update: (change: Partial<ViewState>) => void;
}

function Toggle({ label, title, on, set }: {
  readonly label: string;
  readonly title: string;
  readonly on: boolean;
  readonly set: (on: boolean) => void;
}) {
  return (
    <button type="button" class="toggle" aria-pressed={on} title={title} onClick={() => set(!on)}>
      {label}
    </button>
  );
}

function Options({ state, update, profile, onSave }: StateProps & {
  readonly profile: Profile;
  readonly onSave: (kind: "svg" | "png") => void;
}) {
  return (
    <details class="more" open={window.matchMedia("(min-width: 701px)").matches}>
      <summary>Options</summary>
      <div class="options">
      <Toggle label="Inverted" title="From what ran to its callers (i)" on={state.inverted} set={(inverted) => update({ inverted })} />
      <Toggle label="Only my code" title="Leave out libraries and the standard library; what they cost goes to who called them (o)" on={state.onlyOwn} set={(onlyOwn) => update({ onlyOwn })} />
      <Toggle label="Fold recursion" title="A frame that calls itself is one (r)" on={state.foldRecursion} set={(foldRecursion) => update({ foldRecursion })} />
      <Toggle label="Upward" title="The root at the bottom" on={state.upward} set={(upward) => update({ upward })} />
      <Threads state={state} update={update} profile={profile} />
      <label class="choice">
        Color by{" "}
        <select value={state.colorBy} onChange={(event) => update({ colorBy: event.currentTarget.value === "module" ? "module" : "origin" })}>
          <option value="origin">kind</option>
          <option value="module">module</option>
        </select>
      </label>
      {state.tab === "flame" && (
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
        <Toggle label="One by one" title="A part of the graph for each thread" on={state.byThread} set={(byThread) => update({ byThread })} />
        {chosen > 0 && <button type="button" onClick={() => update({ threads: [] })}>All threads</button>}
        <ul>
          {facts.threads.map((thread) => (
            <li key={thread.id}>
              <label>
                <input type="checkbox" checked={state.threads.includes(thread.id)} onChange={(event) => set(thread.id, event.currentTarget.checked)} />
                <span class="thread-name">{threadName(thread)}{several ? ` (process ${facts.processes[thread.process]})` : ""}</span>
                <span class="faint">{formatCount(thread.ticks)} ticks</span>
                <span class="thread-bar" style={{ width: `${whole > 0 ? (thread.ticks / whole) * 100 : 0}%` }} />
              </label>
            </li>
          ))}
        </ul>
      </div>
    </details>
  );
}

/** What is hidden or looked at, each with a button that ends it. */
function Rules({ state, update }: StateProps) {
  const chips = (kind: "hide" | "focus", label: string) =>
    state[kind].map((rule: Rule) => (
      <button key={`${kind}:${rule.scope}:${rule.value}`} type="button" class={`chip ${kind}`} title="Click to end this"
        onClick={() => update({ [kind]: removeRule(state[kind], rule) })}>
        {label} {rule.scope === "function" ? rule.value.slice(0, rule.value.lastIndexOf("@")) : `${rule.scope} ${rule.value}`} <span aria-hidden="true">✕</span>
      </button>
    ));
  if (state.hide.length + state.focus.length === 0) return null;
  return (
    <div class="rules" role="group" aria-label="Hidden and focused">
      {chips("focus", "Only through")}
      {chips("hide", "Without")}
    </div>
  );
}

function Breadcrumbs({ profile, tree, zoom, rootLabel, onZoom }: {
  readonly profile: Profile;
  readonly tree: Parameters<typeof FlameGraph>[0]["tree"];
  readonly zoom: NodeIndex;
  readonly rootLabel: string;
  readonly onZoom: (node: NodeIndex) => void;
}) {
  const columns = tree.columns;
  const path = pathTo(columns, zoom);
  const shown = path.length > 8 ? [path[0], ...path.slice(-6)] : path;
  return (
    <nav class="crumbs" aria-label="Zoomed to">
      {shown.map((node, i) => (
        <span key={node}>
          {i > 0 && <span class="faint" aria-hidden="true"> {path.length > 8 && i === 1 ? "› … ›" : "›"} </span>}
          <button type="button" aria-current={node === zoom} onClick={() => onZoom(node)}>
            {node === 0 ? rootLabel : nodeLabel(profile, columns, node)}{" "}
            <span class="faint">{formatPercent(columns.total[0] > 0 ? columns.total[node] / columns.total[0] : 0)}</span>
          </button>
        </span>
      ))}
    </nav>
  );
}

function Selection({ profile, fn, details, label, place, state, update, onOpen }: StateProps & {
  readonly profile: Profile;
  readonly fn: FunctionIndex | null;
  readonly details: Parameters<typeof FigureTable>[0]["details"] | null;
  readonly label: string | null;
  readonly place: string;
  readonly onOpen: (fn: FunctionIndex) => void;
}) {
  if (fn === null && label === null) return null;
  const name = fn === null ? null : profile.names[fn];
  const hide = (rule: Rule): void => update({ hide: addRule(state.hide, rule) });
  const focus = (rule: Rule): void => update({ focus: addRule(state.focus, rule) });
  return (
    <section class="selection" aria-label="Selected">
      <div class="selection-name">
        <b>{label ?? name?.name}</b> <span class="faint path">{label === null ? "" : place}</span>
      </div>
      {details !== null && <FigureTable details={details} />}
      {fn !== null && name !== null && (
        <div class="actions">
          {state.tab !== "function" && <button type="button" onClick={() => onOpen(fn)}>Callers and lines</button>}
          <button type="button" onClick={() => focus({ scope: "function", value: functionKey(name) })}>Focus</button>
          <button type="button" onClick={() => hide({ scope: "function", value: functionKey(name) })}>Hide</button>
          <button type="button" onClick={() => focus({ scope: "module", value: name.module })}>Focus {name.module}</button>
          <button type="button" onClick={() => hide({ scope: "module", value: name.module })}>Hide {name.module}</button>
          <button type="button" onClick={() => update({ search: name.name })}>Search it</button>
        </div>
      )}
    </section>
  );
}
