// What the flame chart and its table share: the part of the run that they show, and
// what is selected in it.

import { useEffect, useRef, useState } from "preact/hooks";
import { counted, formatSeconds, formatTime } from "../format.ts";
import { type Spot, spotOf, within, zoomed } from "../layout/chart.ts";
import type { Range } from "../model/state.ts";
import type { ChartColumns, FunctionIndex, NodeIndex } from "../model/viewdata.ts";
import type { Drawer } from "./canvas.tsx";
import type { Look } from "./look.ts";
import { nodeFunction } from "./profile.ts";
import type { StateProps } from "./viewstate.ts";

/** A frame of the chart that is selected, with what was known of it. */
export interface Picked extends Spot {
  /** What it was picked in: see Look. Of something else the note would not be true. */
  readonly of: string;
  readonly fn: FunctionIndex | null;
  readonly note: string;
}

export const viewKey = ({ filterKey, flags }: Look): string => `${flags} ${filterKey}`;

export interface ChartProps extends StateProps {
  readonly look: Look;
  /** Seconds from the start of the run to its end. */
  readonly end: number;
  readonly picked: Picked | null;
  readonly onPick: (picked: Picked | null) => void;
  readonly onDrawer: (drawer: Drawer | null) => void;
}

export interface Shown extends ChartProps, At {
  readonly chart: ReturnType<Look["profile"]["engine"]["chart"]>;
  readonly bounds: Range;
}

/** Milliseconds without another step until the address has where one went. */
const REST_MS = 250;

export interface At {
  readonly at: Range;
  readonly go: (at: Range, step?: boolean) => void;
  readonly now: () => Range;
}

/** When, how long, and what of that has samples: what they stand for. */
export function noteOf({ begins, ends, seconds, samples }: ChartColumns, node: NodeIndex, [from, to]: Range, wall: boolean): string {
  const step = (to - from) / 1000;
  return [
    `${formatTime(begins[node], step)} to ${formatTime(ends[node], step)}`,
    formatSeconds(ends[node] - begins[node]),
    `${formatSeconds(seconds[node])} ${wall ? "in" : "of CPU in"} ${counted(samples[node], "sample")}`,
  ].join(" · ");
}

/** What of the run is shown: where the address says, or further already. Steps that follow each other
 *  quickly are one in the address. `now`: with those that are not drawn yet. */
export function useAt({ state, update }: StateProps, bounds: Range): At {
  const [live, setLive] = useState<Range | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>();
  const at = live ?? within(state.at, bounds);
  const latest = useRef(at);
  latest.current = at;
  const placeOf = (asked: Range | null): string => JSON.stringify([asked, bounds]);
  const place = placeOf(state.at);
  /** What the address has by this or by others; another place is chosen elsewhere, and ends what is on its way. */
  const known = useRef(place);
  useEffect(() => {
    if (known.current === place) return;
    known.current = place;
    clearTimeout(timer.current);
    setLive(null);
  }, [place]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const put = (next: Range, replace: boolean): void => {
    const asked = next[0] <= bounds[0] && next[1] >= bounds[1] ? null : next;
    known.current = placeOf(asked);
    setLive((newest) => (newest === next || !replace ? null : newest));
    update({ at: asked }, replace);
  };
  const go = (next: Range, step = false): void => {
    clearTimeout(timer.current);
    latest.current = next;
    if (step) put(next, false);
    else {
      setLive(next);
      timer.current = setTimeout(() => put(next, true), REST_MS);
    }
  };
  return { at, go, now: () => latest.current };
}

export function pick({ look, at, onPick }: Shown, columns: ChartColumns, node: NodeIndex | null): void {
  if (node === null || node === 0) onPick(null);
  else {
    const note = noteOf(columns, node, at, look.profile.engine.facts.wall);
    onPick({ ...spotOf(columns, node), of: viewKey(look), fn: nodeFunction(columns, node), note });
  }
}

/** The range that a frame fills. */
export const rangeOf = (columns: ChartColumns, node: NodeIndex, bounds: Range): Range =>
  zoomed([columns.begins[node], columns.ends[node]], 1, columns.begins[node], bounds);
