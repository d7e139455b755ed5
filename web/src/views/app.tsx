// The page: what is chosen (viewstate), what C says of it (look), and the views.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Tree } from "../model/engine.ts";
import type { TraceIndex } from "../model/jit.ts";
import { findFunction, functionKey } from "../model/names.ts";
import { type Tab, type ViewState, initialState } from "../model/state.ts";
import { type FunctionIndex, type NodeIndex, treeFlag } from "../model/viewdata.ts";
import { CallTree } from "./calltree.tsx";
import { type Drawer, saveGraph } from "./canvas.tsx";
import { ChangeTable } from "./changes.tsx";
import { Chart } from "./chart.tsx";
import { type Picked, viewKey } from "./chartshown.ts";
import { Breadcrumbs } from "./crumbs.tsx";
import { FlameGraph } from "./flame.tsx";
import { FunctionView } from "./function.tsx";
import { FunctionTable } from "./functions.tsx";
import { Header } from "./header.tsx";
import { JitView } from "./jit.tsx";
import { useKeys } from "./keys.ts";
import { Legend } from "./legend.tsx";
import { type Look, useFlat, useLook } from "./look.ts";
import { type Profile, colorByOf, nodeFunction, programName, tabsOf } from "./profile.ts";
import { Rules, Selection } from "./selection.tsx";
import { Timeline, timelineBins } from "./timeline.tsx";
import { Toolbar } from "./toolbar.tsx";
import { type StateProps, useViewState } from "./viewstate.ts";

/** What is selected: of the tree, of the table of functions, and of the chart. */
interface Chosen {
  readonly node: NodeIndex | null;
  readonly row: FunctionIndex | null;
  readonly picked: Picked | null;
  readonly onPick: (picked: Picked | null) => void;
  readonly onNode: (node: NodeIndex | null) => void;
  readonly onRow: (fn: FunctionIndex | null) => void;
}

function useChosen(look: Look): Chosen {
  const { tree, settle } = look;
  const [selection, setSelection] = useState<{ readonly tree: Tree; readonly node: NodeIndex } | null>(null);
  const [row, onRow] = useState<FunctionIndex | null>(null);
  const [picked, onPick] = useState<Picked | null>(null);
  return {
    picked: picked !== null && picked.of === viewKey(look) ? picked : null,
    onPick,
    // Another tree numbers its nodes anew.
    node: selection !== null && selection.tree === tree ? selection.node : null,
    row,
    onNode: (node) => setSelection(node === null ? null : settle(node)),
    onRow,
  };
}

/** Tables have the colors of functions, graphs what was chosen; those of one function are not compared. */
function legendOf(state: ViewState, profile: Profile): "change" | "state" | "function" {
  const colorBy = colorByOf(state, profile);
  if (state.tab === "changes") return "change";
  if (colorBy === "state" && (state.tab === "flame" || state.tab === "function" || state.tab === "chart")) return colorBy;
  return colorBy === "change" && state.tab === "flame" ? colorBy : "function";
}

export function App({ profile }: { readonly profile: Profile }) {
  const { engine, names } = profile;
  const { state: asked, update } = useViewState();
  const state = tabsOf(profile).includes(asked.tab) ? asked : { ...asked, tab: initialState.tab };
  const look = useLook(profile, state);
  const chosen = useChosen(look);
  const timeline = useMemo(() => engine.timeline(timelineBins(engine.facts)), [state.threads]);
  const fn = useMemo(() => findFunction(names, state.fn), [state.fn]);
  const searchBox = useRef<HTMLInputElement>(null);
  const drawer = useRef<Drawer | null>(null);
  const rootLabel = state.inverted ? "all, by what ran" : "all";
  const showsTree = state.tab === "flame" || state.tab === "tree";
  const chosenFn =
    state.tab === "functions" || state.tab === "changes" ? chosen.row
    : state.tab === "function" ? fn
    : state.tab === "chart" ? (chosen.picked?.fn ?? null)
    : chosen.node === null ? null
    : nodeFunction(look.tree.columns, chosen.node);

  useLayoutEffect(() => {
    document.title = `${programName(profile)} – vmprof`;
  }, []);

  const openFunction = (index: FunctionIndex): void => {
    chosen.onRow(index);
    update({ tab: "function", fn: functionKey(names[index]) });
  };
  /** There is always a function to show: what is selected, else the one with the most self. */
  const showTab = (tab: Tab): void => {
    if (!tabsOf(profile).includes(tab)) return;
    const first = tab === "function" && fn === null ? (chosenFn ?? engine.flat()[0]?.fn) : undefined;
    update(first === undefined ? { tab } : { tab, fn: functionKey(names[first]) });
  };
  useKeys({ state, update, onTab: showTab, onSearch: () => searchBox.current?.focus() });

  return (
    <div class="page">
      <Header profile={profile} />
      <main>
        <Timeline facts={engine.facts} columns={timeline} range={state.range} onRange={(range) => update({ range })} />
        <Toolbar
          state={state}
          update={update}
          look={look}
          searchBox={searchBox}
          onTab={showTab}
          onSave={(kind) => void saveGraph(drawer.current, kind, profile.logName)}
        />
        <Rules state={state} update={update} />
        <div id="view" class={`view view-${state.tab}`} role="tabpanel" aria-labelledby={`tab-${state.tab}`}>
          {look.whole === 0 && state.tab !== "jit" ?
            <p class="empty">
              No sample is left by what is chosen above.{" "}
              <button type="button" onClick={() => update({ ...initialState, tab: state.tab })}>Show all</button>
            </p>
          : <View
              state={state}
              update={update}
              look={look}
              chosen={chosen}
              fn={fn}
              rootLabel={rootLabel}
              end={timeline.begin.length * (timeline.begin[1] ?? 1)}
              onOpen={openFunction}
              onTrace={(trace) => update({ tab: "jit", trace })}
              onDrawer={(made) => {
                drawer.current = made;
              }}
            />}
        </div>
        <Selection
          look={look}
          node={showsTree ? chosen.node : null}
          fn={chosenFn}
          note={state.tab === "chart" ? (chosen.picked?.note ?? "") : ""}
          rootLabel={rootLabel}
          state={state}
          update={update}
          onOpen={openFunction}
        />
        <Legend look={look} by={legendOf(state, profile)} />
      </main>
    </div>
  );
}

function View({ state, update, look, chosen, fn, rootLabel, end, onOpen, onTrace, onDrawer }: StateProps & {
  readonly look: Look;
  readonly chosen: Chosen;
  /** What the tab Function shows; null: the log has no such function. */
  readonly fn: FunctionIndex | null;
  readonly rootLabel: string;
  /** Seconds from the start of the run to its end. */
  readonly end: number;
  readonly onOpen: (fn: FunctionIndex) => void;
  readonly onTrace: (trace: TraceIndex) => void;
  readonly onDrawer: (drawer: Drawer | null) => void;
}) {
  const { profile, tree, whole, coloring, found } = look;
  const shown = { profile, coloring, found };
  const zoom = (state.zoom < tree.columns.count ? state.zoom : 0) as NodeIndex;
  const flat = useFlat(look, state.tab === "functions");
  switch (state.tab) {
    case "flame":
      return (
        <>
          <Breadcrumbs profile={profile} tree={tree} zoom={zoom} rootLabel={rootLabel} onZoom={(node) => update({ zoom: node })} />
          <FlameGraph
            {...shown}
            tree={tree}
            zoom={zoom}
            selected={chosen.node}
            changes={colorByOf(state, profile) === "change" ? look.changes : null}
            states={look.states}
            upward={state.upward}
            rootLabel={rootLabel}
            label={`Flame graph of ${programName(profile)}`}
            onZoom={(node) => update({ zoom: look.settle(node).node })}
            onSelect={chosen.onNode}
            onDrawer={onDrawer}
          />
        </>
      );
    case "chart":
      return <Chart state={state} update={update} look={look} end={end} picked={chosen.picked} onPick={chosen.onPick} onDrawer={onDrawer} />;
    case "changes":
      return <ChangeTable look={look} selected={chosen.row} onSelect={chosen.onRow} onOpen={onOpen} />;
    case "functions":
      return <FunctionTable {...shown} rows={flat} whole={whole} selected={chosen.row} onSelect={chosen.onRow} onOpen={onOpen} />;
    case "tree":
      return (
        <CallTree
          {...shown}
          tree={tree}
          rootLabel={rootLabel}
          selected={chosen.node ?? (zoom === 0 ? null : zoom)}
          onSelect={chosen.onNode}
          onZoom={(node) => update({ tab: "flame", zoom: node })}
        />
      );
    case "jit":
      return profile.jit && <JitView jit={profile.jit} state={state} update={update} onOpen={onOpen} />;
    case "function":
      return fn === null ?
          <p class="empty">The log has no such function.</p>
        : <FunctionView {...shown} fn={fn} filterKey={look.filterKey} flags={look.flags & treeFlag.foldRecursion} whole={tree} byState={look.states !== null} onOpen={onOpen} onTrace={onTrace} />;
  }
}
