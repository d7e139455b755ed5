// All functions, sortable.

import { useMemo } from "preact/hooks";
import { formatInterval, formatPercent, formatSeconds } from "../format.ts";
import { placeText } from "../model/names.ts";
import type { FlatRow, FunctionIndex } from "../model/viewdata.ts";
import type { Coloring } from "../paint/colors.ts";
import { type Shown, shareOf } from "./look.ts";
import { SortHead, useSorting } from "./sorting.tsx";
import { ShareCell, VirtualList } from "./virtual.tsx";

type SortKey = "self" | "selfTime" | "total" | "totalTime" | "name" | "module";

export interface FunctionsProps extends Shown {
  readonly rows: readonly FlatRow[];
  /** Ticks of everything that is looked at. */
  readonly whole: number;
  readonly selected: FunctionIndex | null;
  readonly onSelect: (fn: FunctionIndex) => void;
  readonly onOpen: (fn: FunctionIndex) => void;
}

/** Without a key: not to be sorted by. */
const columns: readonly { readonly key?: SortKey; readonly label: string; readonly class: string }[] = [
  { key: "self", label: "Self", class: "number" },
  { label: "95 %", class: "number interval" },
  { key: "selfTime", label: "Time", class: "number time" },
  { key: "total", label: "Total", class: "number" },
  { label: "95 %", class: "number interval" },
  { key: "totalTime", label: "Time", class: "number time" },
  { key: "name", label: "Function", class: "name" },
  { key: "module", label: "Module", class: "module" },
];

export function FunctionTable(props: FunctionsProps) {
  const { profile, rows, whole, coloring, found } = props;
  const sorting = useSorting<SortKey>("self");
  const shown = useMemo(() => {
    const { names } = profile;
    const compare: Readonly<Record<SortKey, (a: FlatRow, b: FlatRow) => number>> = {
      self: (a, b) => a.self - b.self || a.total - b.total,
      selfTime: (a, b) => a.selfSeconds - b.selfSeconds || a.totalSeconds - b.totalSeconds,
      total: (a, b) => a.total - b.total || a.self - b.self,
      totalTime: (a, b) => a.totalSeconds - b.totalSeconds || a.selfSeconds - b.selfSeconds,
      name: (a, b) => names[b.fn].name.localeCompare(names[a.fn].name),
      module: (a, b) => names[b.fn].module.localeCompare(names[a.fn].module) || a.self - b.self,
    };
    const kept = found === null ? [...rows] : rows.filter((row) => found[row.fn] === 1);
    kept.sort((a, b) => (sorting.ascending ? 1 : -1) * compare[sorting.key](a, b));
    return kept;
  }, [rows, found, sorting.key, sorting.ascending]);
  const at = shown.findIndex((row) => row.fn === props.selected);
  const active = at < 0 ? 0 : at;
  const share = (ticks: number): number => shareOf(ticks, whole);
  const header = columns.map(({ key, label, class: name }, i) => key === undefined ? (
    <div key={i} role="columnheader" class={`cell ${name}`} title="The share is between these with 95 % confidence">{label}</div>
  ) : <SortHead key={key} of={key} sorting={sorting} label={label} class={name} />);
  if (shown.length === 0) return <p class="empty">No function {found === null ? "has samples" : "matches the search"}.</p>;
  return (
    <VirtualList
      role="grid"
      label="Functions"
      columns={columns.length}
      count={shown.length}
      active={active}
      onActive={(index) => props.onSelect(shown[index].fn)}
      onKey={(event) => {
        if (event.key !== "Enter") return false;
        props.onOpen(shown[active].fn);
        return true;
      }}
      header={header}
      row={(index, attributes) => {
        const row = shown[index];
        const fn = profile.names[row.fn];
        return (
          <div
            key={row.fn}
            {...attributes}
            aria-selected={row.fn === props.selected}
            class="list-row"
            onClick={() => props.onSelect(row.fn)}
            onDblClick={() => props.onOpen(row.fn)}
          >
            <ShareCell kind="self" share={share(row.self)} text={`${formatPercent(share(row.self))}`} />
            <div role="gridcell" class="cell number interval faint">{formatInterval(...row.selfInterval)}</div>
            <div role="gridcell" class="cell number time faint">{formatSeconds(row.selfSeconds)}</div>
            <ShareCell kind="total" share={share(row.total)} text={`${formatPercent(share(row.total))}`} />
            <div role="gridcell" class="cell number interval faint">{formatInterval(...row.totalInterval)}</div>
            <div role="gridcell" class="cell number time faint">{formatSeconds(row.totalSeconds)}</div>
            <div role="gridcell" class="cell name" title={`${fn.name}\n${placeText(fn)}`}>
              <Swatch coloring={coloring} fn={row.fn} />
              <span class="function">{fn.name}</span> <span class="faint place">{fn.place}</span>
            </div>
            <div role="gridcell" class="cell module faint">{fn.module}</div>
          </div>
        );
      }}
    />
  );
}

export function Swatch({ coloring, fn }: { readonly coloring: Coloring; readonly fn: FunctionIndex }) {
  return <span class="swatch" aria-hidden="true" style={{ background: coloring.fill[fn] }} />;
}
