// A tree as a table: rows that are opened and closed, by the pointer or by keys.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { pathTo } from "../layout/flame.ts";
import { type Rows, children, openRows } from "../layout/rows.ts";
import type { NodeIndex } from "../model/viewdata.ts";
import { VirtualList } from "./virtual.tsx";

/** Deeper levels are not indented further: names stay in sight. */
const INDENTED = 40;

export interface TreeGridProps {
  readonly label: string;
  /** Of which the columns are; another one is another tree. */
  readonly of: unknown;
  /** The columns, asked for when they are read. */
  readonly rows: () => Rows;
  /** What is open in the beginning, and what to open of a node besides itself, by a click. */
  readonly opened: (node: NodeIndex) => readonly NodeIndex[];
  readonly selected: NodeIndex | null;
  readonly onSelect: (node: NodeIndex) => void;
  readonly onEnter: (node: NodeIndex) => void;
  readonly columns: number;
  readonly header: ComponentChildren;
  /** The cells before the name. */
  readonly cells: (node: NodeIndex) => ComponentChildren;
  readonly name: (node: NodeIndex) => ComponentChildren;
  readonly title: (node: NodeIndex) => string;
  readonly isFaded: (node: NodeIndex) => boolean;
}

export function TreeGrid(props: TreeGridProps) {
  const { of, selected } = props;
  const [open, setOpen] = useState<ReadonlySet<number>>(() => new Set(props.opened(0 as NodeIndex)));
  useEffect(() => {
    const begin = new Set<number>(props.opened(0 as NodeIndex));
    if (selected !== null) for (const node of pathTo(props.rows(), selected)) if (node !== selected) begin.add(node);
    setOpen(begin);
  }, [of]);
  const rows = useMemo(() => openRows(props.rows(), open), [of, open]);
  const at = selected === null ? -1 : rows.indexOf(selected);
  const active = Math.max(0, at);

  const toggle = (node: NodeIndex, on: boolean, more = false): void => {
    const next = new Set(open);
    if (!on) next.delete(node);
    else if (more) for (const below of props.opened(node)) next.add(below);
    else next.add(node);
    if (on) next.add(node);
    setOpen(next);
  };

  const onKey = (event: KeyboardEvent): boolean => {
    const node = rows[active];
    const columns = props.rows();
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
        props.onEnter(node);
        return true;
      default:
        return false;
    }
  };

  return (
    <VirtualList
      role="treegrid"
      label={props.label}
      columns={props.columns}
      count={rows.length}
      active={active}
      onActive={(index) => props.onSelect(rows[index])}
      onKey={onKey}
      header={props.header}
      row={(index, attributes) => {
        const node = rows[index];
        const columns = props.rows();
        const hasChildren = columns.end[node] > node + 1;
        const depth = columns.depth[node];
        const isOpen = open.has(node);
        return (
          <div
            key={node}
            {...attributes}
            aria-selected={node === selected}
            aria-level={depth + 1}
            {...(hasChildren ? { "aria-expanded": isOpen } : {})}
            class={`list-row${props.isFaded(node) ? " faded" : ""}`}
            onClick={() => props.onSelect(node)}
            onDblClick={() => props.onEnter(node)}
          >
            {props.cells(node)}
            <div
              role="gridcell"
              class="cell name"
              style={{ paddingLeft: `calc(${Math.min(depth, INDENTED)} * var(--indent) + 4px)` }}
              title={props.title(node)}
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
              {props.name(node)}
            </div>
          </div>
        );
      }}
    />
  );
}
