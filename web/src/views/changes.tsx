// What changed since the log before.

import { useState } from "preact/hooks";
import { changeUnit, formatAmount, formatChange } from "../format.ts";
import { type FunctionName, placeText } from "../model/names.ts";
import type { Change, ChangeRow, FunctionIndex } from "../model/viewdata.ts";
import { changeColor, cssColor } from "../paint/colors.ts";
import { type Look, useChanges } from "./look.ts";
import { VirtualList } from "./virtual.tsx";

/** The change of a frame in one line. */
export function ChangeLine({ change, isNew }: { readonly change: Change; readonly isNew: boolean }) {
  const text = (part: number): string => formatChange(part, change.seconds);
  return (
    <div class="change">
      <b>{text(change.change)}</b>{changeUnit(change.seconds)}{" "}
      <span class="faint" title="The change is between these with 95 % confidence">
        ({text(change.low)} to {text(change.high)})
      </span>
      , {isNew ? "new" : `${formatAmount(change.before, change.seconds)} before`}
      {change.significant ? "" : "; not significant"}
    </div>
  );
}

const columns = [
  { label: "Self", class: "number change", byTotal: false },
  { label: "before", class: "number time", byTotal: null },
  { label: "after", class: "number time", byTotal: null },
  { label: "Total", class: "number change", byTotal: true },
  { label: "before", class: "number time", byTotal: null },
  { label: "after", class: "number time", byTotal: null },
  { label: "Function", class: "name", byTotal: null },
] as const;

/** All functions of both logs, by what C says is the largest change first. */
export function ChangeTable({ look, selected, onSelect, onOpen }: {
  readonly look: Look;
  readonly selected: FunctionIndex | null;
  /** null: of a row that is gone. */
  readonly onSelect: (fn: FunctionIndex | null) => void;
  readonly onOpen: (fn: FunctionIndex) => void;
}) {
  const { profile, found, foundBefore } = look;
  const [byTotal, setByTotal] = useState(false);
  const [active, setActive] = useState(0);
  const all = useChanges(look, true, byTotal);
  const nameOf = (row: ChangeRow): FunctionName =>
    (row.fn !== 0 || profile.before === null ? profile.names[row.fn] : profile.before.names[row.oldFn]);
  const rows = found === null ? all : all.filter((row) => (row.fn !== 0 ? found[row.fn] : foundBefore?.[row.oldFn]) === 1);
  if (rows.length === 0) return <p class="empty">No function {found === null ? "has samples" : "matches the search"}.</p>;
  const at = Math.min(active, rows.length - 1);
  const choose = (index: number): void => {
    setActive(index);
    onSelect(rows[index].fn || null);
  };
  const header = columns.map(({ label, class: name, byTotal: sort }, i) => (
    <div key={i} role="columnheader" class={`cell ${name}`} aria-sort={sort === null ? undefined : sort === byTotal ? "descending" : "none"}>
      {sort === null ? label : (
        <button type="button" title={`The change${look.seconds ? "" : " in points"}; what is significant comes first`} onClick={() => setByTotal(sort)}>
          {label}
          <span aria-hidden="true">{sort === byTotal ? " ▼" : ""}</span>
        </button>
      )}
    </div>
  ));
  return (
    <VirtualList
      role="grid"
      label="Changes"
      columns={columns.length}
      count={rows.length}
      active={at}
      onActive={choose}
      onKey={(event) => {
        if (event.key !== "Enter" || rows[at].fn === 0) return false;
        onOpen(rows[at].fn);
        return true;
      }}
      header={header}
      row={(index, attributes) => {
        const row = rows[index];
        const name = nameOf(row);
        const pale = !(byTotal ? row.total : row.self).significant;
        return (
          <div
            key={`${row.fn}:${row.oldFn}`}
            {...attributes}
            aria-selected={row.fn !== 0 && row.fn === selected}
            class={`list-row${pale ? " pale" : ""}`}
            onClick={() => choose(index)}
            onDblClick={() => {
              if (row.fn !== 0) onOpen(row.fn);
            }}
          >
            <ChangeCells change={row.self} />
            <ChangeCells change={row.total} />
            <div role="gridcell" class="cell name" title={`${name.name}\n${placeText(name)}`}>
              {row.fate !== "kept" && <span class="fate">{row.fate}</span>}
              <span class="function">{name.name}</span> <span class="faint place">{name.place}</span>
            </div>
          </div>
        );
      }}
    />
  );
}

function ChangeCells({ change }: { readonly change: Change }) {
  const text = (part: number): string => formatChange(part, change.seconds);
  const title = `between ${text(change.low)} and ${text(change.high)}${changeUnit(change.seconds)}${change.significant ? "" : "; not significant"}`;
  return (
    <>
      <div role="gridcell" class="cell number change" title={title}>
        <span class="swatch" aria-hidden="true" style={{ background: cssColor(changeColor(change.strength, change.significant)) }} />
        {change.significant ? "" : "~"}{text(change.change)}
      </div>
      <div role="gridcell" class="cell number time faint">{formatAmount(change.before, change.seconds)}</div>
      <div role="gridcell" class="cell number time faint">{formatAmount(change.after, change.seconds)}</div>
    </>
  );
}
