// The call tree as a table: what the flame graph shows, for keys and for those
// who do not see it.

import { useEffect, useMemo, useState } from "preact/hooks";
import { formatPercent, formatSeconds } from "../format.ts";
import { pathTo } from "../layout/flame.ts";
import { children, hotPath, openRows } from "../layout/rows.ts";
import type { NodeIndex, Tree } from "../model/engine.ts";
import { Swatch } from "./functions.tsx";
import { type Shown, shareOf } from "./look.ts";
import { nodeFunction, nodeLabel, nodePlace } from "./profile.ts";
import { ShareCell, VirtualList } from "./virtual.tsx";

export interface CallTreeProps extends Shown {
  readonly tree: Tree;
  readonly rootLabel: string;
  readonly selected: NodeIndex | null;
  readonly onSelect: (node: NodeIndex) => void;
  readonly onZoom: (node: NodeIndex) => void;
}

/** Deeper levels are not indented further: names stay in sight. */
const INDENTED = 40;

export function CallTree(props: CallTreeProps) {
  const { profile, tree, coloring, found, selected } = props;
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(hotPath(tree.columns, 0 as NodeIndex)));
  useEffect(() => {
    const begin = new Set<number>(hotPath(tree.columns, 0 as NodeIndex));
    if (selected !== null) for (const node of pathTo(tree.columns, selected)) if (node !== selected) begin.add(node);
    setOpen(begin);
  }, [tree]);
  const rows = useMemo(() => openRows(tree.columns, open), [tree, open]);
  const at = selected === null ? -1 : rows.indexOf(selected);
  const active = Math.max(0, at);
  const whole = tree.columns.total[0];
  const share = (ticks: number): number => shareOf(ticks, whole);

  const toggle = (node: NodeIndex, on: boolean, hot = false): void => {
    const next = new Set(open);
    if (!on) next.delete(node);
    else if (hot) for (const below of hotPath(tree.columns, node)) next.add(below);
    else next.add(node);
    if (on) next.add(node);
    setOpen(next);
  };

  const onKey = (event: KeyboardEvent): boolean => {
    const node = rows[active];
    const columns = tree.columns;
    const parent = columns.parent[node] as NodeIndex;
    const hasChildren = columns.end[node] > node + 1;
    switch (event.key) {
      case "ArrowRight":
        if (hasChildren && !open.has(node)) toggle(node, true);
        else if (hasChildren) props.onSelect((node + 1) as NodeIndex);
        return true;
      case "ArrowLeft":
        if (open.has(node) && hasChildren) toggle(node, false);
        else props.onSelect(parent);
        return true;
      case "*": {
        const next = new Set(open);
        next.add(parent);
        for (const sibling of children(columns, parent)) next.add(sibling);
        setOpen(next);
        return true;
      }
      case "Enter":
        props.onZoom(node);
        return true;
      default:
        return false;
    }
  };

  const header = (
    <>
      <div role="columnheader" class="cell number">Total</div>
      <div role="columnheader" class="cell number">Self</div>
      <div role="columnheader" class="cell number time">Time</div>
      <div role="columnheader" class="cell name">Function</div>
    </>
  );
  return (
    <VirtualList
      role="treegrid"
      label="Call tree"
      columns={4}
      count={rows.length}
      active={active}
      onActive={(index) => props.onSelect(rows[index])}
      onKey={onKey}
      header={header}
      row={(index, attributes) => {
        const node = rows[index];
        const columns = tree.columns;
        const fn = nodeFunction(columns, node);
        const hasChildren = columns.end[node] > node + 1;
        const isOpen = open.has(node);
        const faded = found !== null && (fn === null || found[fn] === 0);
        return (
          <div
            key={node}
            {...attributes}
            aria-selected={node === selected}
            aria-level={columns.depth[node] + 1}
            {...(hasChildren ? { "aria-expanded": isOpen } : {})}
            class={`list-row${faded ? " faded" : ""}`}
            onClick={() => props.onSelect(node)}
            onDblClick={() => props.onZoom(node)}
          >
            <ShareCell kind="total" share={share(columns.total[node])} text={formatPercent(share(columns.total[node]))} />
            <ShareCell kind="self" share={share(columns.self[node])} text={formatPercent(share(columns.self[node]))} />
            <div role="gridcell" class="cell number time faint">{formatSeconds(columns.seconds[node])}</div>
            <div
              role="gridcell"
              class="cell name"
              style={{ paddingLeft: `calc(${Math.min(columns.depth[node], INDENTED)} * var(--indent) + 4px)` }}
              title={nodePlace(profile, columns, node)}
            >
              <span
                class={`twisty${hasChildren ? "" : " none"}`}
                aria-hidden="true"
                onClick={(event) => {
                  event.stopPropagation();
                  if (hasChildren) toggle(node, !isOpen, true);
                }}
              >
                {hasChildren ? (isOpen ? "▾" : "▸") : ""}
              </span>
              {fn !== null && <Swatch coloring={coloring} fn={fn} />}
              <span class="function">{node === 0 ? props.rootLabel : nodeLabel(profile, columns, node)}</span>{" "}
              <span class="faint place">{fn === null ? "" : profile.names[fn].place}</span>
            </div>
          </div>
        );
      }}
    />
  );
}
