// Tables that are sorted by the column whose head is pressed.

import { useState } from "preact/hooks";

export interface Sorting<Key> {
  readonly key: Key;
  readonly ascending: boolean;
  /** By another column, or by the same the other way round. */
  readonly sortBy: (key: Key) => void;
}

export function useSorting<Key>(first: Key): Sorting<Key> {
  const [{ key, ascending }, set] = useState({ key: first, ascending: false });
  const sortBy = (next: Key): void => set((last) => ({ key: next, ascending: last.key === next && !last.ascending }));
  return { key, ascending, sortBy };
}

export function SortHead<Key>({ of, sorting, label, class: name }: {
  readonly of: Key;
  readonly sorting: Sorting<Key>;
  readonly label: string;
  readonly class: string;
}) {
  const order = sorting.key !== of ? "none" : sorting.ascending ? "ascending" : "descending";
  return (
    <div role="columnheader" class={`cell ${name}`} aria-sort={order}>
      <button type="button" onClick={() => sorting.sortBy(of)}>
        {label}
        <span aria-hidden="true">{{ none: "", ascending: " ▲", descending: " ▼" }[order]}</span>
      </button>
    </div>
  );
}
