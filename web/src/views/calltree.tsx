// The call tree as a table: what the flame graph shows, for keys and for those
// who do not see it.

import { formatPercent, formatSeconds } from "../format.ts";
import { hotPath } from "../layout/rows.ts";
import type { Tree } from "../model/engine.ts";
import type { NodeIndex } from "../model/viewdata.ts";
import { Swatch } from "./functions.tsx";
import { type Shown, shareOf } from "./look.ts";
import { nodeFunction, nodeLabel, nodePlace } from "./profile.ts";
import { TreeGrid } from "./treegrid.tsx";
import { ShareCell } from "./virtual.tsx";

export interface CallTreeProps extends Shown {
  readonly tree: Tree;
  readonly rootLabel: string;
  readonly selected: NodeIndex | null;
  readonly onSelect: (node: NodeIndex) => void;
  readonly onZoom: (node: NodeIndex) => void;
}

export function CallTree(props: CallTreeProps) {
  const { profile, tree, coloring, found } = props;
  const whole = tree.columns.total[0];
  const share = (ticks: number): number => shareOf(ticks, whole);
  return (
    <TreeGrid
      label="Call tree"
      of={tree}
      rows={() => tree.columns}
      opened={(node) => hotPath(tree.columns, node)}
      selected={props.selected}
      onSelect={props.onSelect}
      onEnter={props.onZoom}
      columns={4}
      header={
        <>
          <div role="columnheader" class="cell number">Total</div>
          <div role="columnheader" class="cell number">Self</div>
          <div role="columnheader" class="cell number time">Time</div>
          <div role="columnheader" class="cell name">Function</div>
        </>
      }
      cells={(node) => {
        const { total, self, seconds } = tree.columns;
        return (
          <>
            <ShareCell kind="total" share={share(total[node])} text={formatPercent(share(total[node]))} />
            <ShareCell kind="self" share={share(self[node])} text={formatPercent(share(self[node]))} />
            <div role="gridcell" class="cell number time faint">{formatSeconds(seconds[node])}</div>
          </>
        );
      }}
      name={(node) => {
        const fn = nodeFunction(tree.columns, node);
        return (
          <>
            {fn !== null && <Swatch coloring={coloring} fn={fn} />}
            <span class="function">{node === 0 ? props.rootLabel : nodeLabel(profile, tree.columns, node)}</span>{" "}
            <span class="faint place">{fn === null ? "" : profile.names[fn].place}</span>
          </>
        );
      }}
      title={(node) => nodePlace(profile, tree.columns, node)}
      isFaded={(node) => {
        const fn = nodeFunction(tree.columns, node);
        return found !== null && (fn === null || found[fn] === 0);
      }}
    />
  );
}
