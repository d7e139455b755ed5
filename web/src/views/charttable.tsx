// The flame chart as a table, for who cannot see it or wants its numbers.

import { useMemo } from "preact/hooks";
import { formatCount, formatSeconds, formatTime } from "../format.ts";
import { findSpot } from "../layout/chart.ts";
import type { NodeIndex } from "../model/viewdata.ts";
import { type Shown, pick, rangeOf } from "./chartshown.ts";
import { Swatch } from "./functions.tsx";
import { nodeFunction, nodeLabel, nodePlace } from "./profile.ts";
import { TreeGrid } from "./treegrid.tsx";

/** Parts of the time that it tells apart. */
const TABLE_BINS = 1000;

export function ChartTable(props: Shown) {
  const { look, chart, at, bounds, go, picked } = props;
  const { profile, coloring, found } = look;
  const columns = useMemo(
    () => chart.view({ from: at[0], to: at[1], bins: TABLE_BINS, firstLane: 0, laneCount: chart.lanes.length }),
    [chart, at[0], at[1]],
  );
  const step = (at[1] - at[0]) / TABLE_BINS;
  return (
    <TreeGrid
      label="Flame chart"
      of={columns}
      rows={() => columns}
      opened={(node) => {
        const lanes = [node];
        if (node === 0) for (let i = 1; i < columns.count; i = columns.end[i]) lanes.push(i as NodeIndex);
        return lanes;
      }}
      selected={picked === null ? null : findSpot(columns, picked)}
      onSelect={(node) => pick(props, columns, node)}
      onEnter={(node) => go(rangeOf(columns, node, bounds), true)}
      columns={5}
      header={
        <>
          <div role="columnheader" class="cell number">Begin</div>
          <div role="columnheader" class="cell number">Duration</div>
          <div role="columnheader" class="cell number time">{profile.engine.facts.wall ? "Sampled" : "CPU"}</div>
          <div role="columnheader" class="cell number time">Samples</div>
          <div role="columnheader" class="cell name">Function</div>
        </>
      }
      cells={(node) => (
        <>
          <div role="gridcell" class="cell number">{formatTime(columns.begins[node], step)}</div>
          <div role="gridcell" class="cell number">{formatSeconds(columns.ends[node] - columns.begins[node])}</div>
          <div role="gridcell" class="cell number time faint">{formatSeconds(columns.seconds[node])}</div>
          <div role="gridcell" class="cell number time faint">{formatCount(columns.samples[node])}</div>
        </>
      )}
      name={(node) => {
        const fn = nodeFunction(columns, node);
        return (
          <>
            {fn !== null && <Swatch coloring={coloring} fn={fn} />}
            <span class="function">{nodeLabel(profile, columns, node)}</span>{" "}
            <span class="faint place">{fn === null ? "" : profile.names[fn].place}</span>
          </>
        );
      }}
      title={(node) => nodePlace(profile, columns, node)}
      isFaded={(node) => {
        const fn = nodeFunction(columns, node);
        return found !== null && (fn === null || found[fn] === 0);
      }}
    />
  );
}
