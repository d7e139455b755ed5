// One function: who calls it, what it calls, and its lines.

import { useMemo, useState } from "preact/hooks";
import { formatPercent } from "../format.ts";
import type { Tree } from "../model/engine.ts";
import type { TraceIndex } from "../model/jit.ts";
import { placeText } from "../model/names.ts";
import { type FunctionIndex, type NodeIndex, treeFlag } from "../model/viewdata.ts";
import { FigureTable, FlameGraph } from "./flame.tsx";
import { JitOfFunction } from "./jit.tsx";
import { Lines } from "./lines.tsx";
import { type Shown, shareOf, useKept } from "./look.ts";
import { nodeFunction } from "./profile.ts";

export interface FunctionViewProps extends Shown {
  readonly fn: FunctionIndex;
  /** What the trees are of; another text: of something else. */
  readonly filterKey: string;
  readonly flags: number;
  readonly whole: Tree;
  /** Colors stand for the states of samples. */
  readonly byState: boolean;
  readonly onOpen: (fn: FunctionIndex) => void;
  readonly onTrace: (trace: TraceIndex) => void;
}

export function FunctionView(props: FunctionViewProps) {
  const { profile, fn, filterKey, flags, whole } = props;
  const { engine } = profile;
  const name = profile.names[fn];
  const keys = [fn, filterKey, flags];
  const callers = useKept(() => engine.tree(flags | treeFlag.above, fn), keys);
  const callees = useKept(() => engine.tree(flags, fn), keys);
  const lines = useMemo(() => engine.lines(fn), keys);
  const expressions = useMemo(() => engine.expressions(fn), keys);
  const all = whole.columns.total[0];
  const total = callees.columns.total[0];
  const self = callees.columns.self[0];
  return (
    <div class="function-view">
      <header class="function-head">
        <h2>{name.name}</h2>
        <span class="faint path">{placeText(name)}</span>
        <span class="function-figures">
          total <b>{formatPercent(shareOf(total, all))}</b>, self <b>{formatPercent(shareOf(self, all))}</b>
        </span>
      </header>
      {total === 0 ?
        <p class="empty">It has no samples in what is shown.</p>
      : <div class="sandwich">
          <Half {...props} tree={callers} upward label={`Callers of ${name.name}`} />
          <Half {...props} tree={callees} upward={false} label={`What ${name.name} calls`} />
        </div>}
      {lines.length > 0 && <Lines lines={lines} expressions={expressions} source={profile.sources.get(fn)} all={all} total={total} />}
      {profile.jit !== null && <JitOfFunction jit={profile.jit} fn={fn} onTrace={props.onTrace} />}
    </div>
  );
}

function Half({ profile, tree, upward, label, coloring, found, fn, byState, onOpen }: FunctionViewProps & {
  readonly tree: Tree;
  readonly upward: boolean;
  readonly label: string;
}) {
  // What was chosen in the tree of another function, or of another filter, is over.
  const [chosen, setChosen] = useState<{ readonly tree: Tree; readonly zoom: NodeIndex; readonly at: NodeIndex | null } | null>(null);
  const { zoom, at } = chosen !== null && chosen.tree === tree ? chosen : { zoom: 0 as NodeIndex, at: null };
  const choose = (change: { readonly zoom?: NodeIndex; readonly at?: NodeIndex | null }): void =>
    setChosen((last) => ({ ...(last !== null && last.tree === tree ? last : { tree, zoom: 0 as NodeIndex, at: null }), ...change }));
  const states = useMemo(() => (byState ? tree.states() : null), [tree, byState]);
  const other = at === null ? null : nodeFunction(tree.columns, at);
  return (
    <section class="half" aria-label={label}>
      <div class="half-head">
        <h3>{label}</h3>
        {other !== null && other !== fn && (
          <button type="button" onClick={() => onOpen(other)}>Open {profile.names[other].name}</button>
        )}
      </div>
      <FlameGraph
        profile={profile}
        tree={tree}
        coloring={coloring}
        zoom={zoom}
        selected={at}
        found={found}
        states={states}
        upward={upward}
        rootLabel={profile.names[fn].name}
        rootFunction={fn}
        maxHeight={300}
        label={label}
        onZoom={(node) => choose({ zoom: node })}
        onSelect={(node) => choose({ at: node })}
      />
      {at !== null && <FigureTable details={tree.details(at)} />}
    </section>
  );
}
