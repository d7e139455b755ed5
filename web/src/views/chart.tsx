// Threads over time: what each ran, moment by moment. The part of the run that is
// shown is the chart's own, within the range that all views follow.

import { formatTime } from "../format.ts";
import { within, zoomed } from "../layout/chart.ts";
import { treeFlag } from "../model/viewdata.ts";
import { CLOSER, ChartCanvas, FURTHER } from "./chartcanvas.tsx";
import { type ChartProps, type Shown, useAt } from "./chartshown.ts";
import { ChartTable } from "./charttable.tsx";
import { useKept } from "./look.ts";

export function Chart(props: ChartProps) {
  const { look, state, update, end } = props;
  const { engine } = look.profile;
  const { facts } = engine;
  const bounds = within(state.range, [0, end]);
  const place = useAt(props, bounds);
  const { at, go, now } = place;
  const flags = look.flags & treeFlag.foldRecursion;
  const chart = useKept(() => engine.chart(flags), [look.filterKey, flags]);
  const shown: Shown = { ...props, ...place, chart, bounds };
  const isWhole = at[0] <= bounds[0] && at[1] >= bounds[1];
  const middle = (at[0] + at[1]) / 2;
  return (
    <>
      <div class="chart-bar" role="group" aria-label="What the chart shows">
        <span>{formatTime(at[0], (at[1] - at[0]) / 100)} to {formatTime(at[1], (at[1] - at[0]) / 100)}</span>
        <button type="button" aria-label="Closer" title="Closer (+)" onClick={() => go(zoomed(now(), CLOSER, middle, bounds))}>+</button>
        <button type="button" aria-label="Further away" title="Further away (-)" disabled={isWhole} onClick={() => go(zoomed(now(), FURTHER, middle, bounds))}>−</button>
        <button type="button" disabled={isWhole} onClick={() => go(bounds, true)}>All</button>
        <button type="button" disabled={isWhole} title="All views follow this part of the run" onClick={() => update({ range: at })}>Only this part</button>
        <button type="button" class="toggle" aria-pressed={state.table} onClick={() => update({ table: !state.table })}>Table</button>
        {facts.untimed ?
          <span class="faint">This old log has no times: each sample stands where it would if no tick had been late.</span>
        : <span class="faint hint">Ctrl and the wheel zoom, dragging moves, dragging along the axis chooses a part</span>}
      </div>
      {state.table ? <ChartTable {...shown} /> : <ChartCanvas {...shown} />}
    </>
  );
}
