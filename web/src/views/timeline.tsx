// The run over time. Dragging chooses a range, which everything else follows.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { formatKilobytes, formatSeconds } from "../format.ts";
import type { Facts, TimelineColumns } from "../model/viewdata.ts";
import { useTheme } from "./theme.ts";

/** Parts of the run that the chart shows: not so short that a tick more or less is a spike. */
export function timelineBins(facts: Facts): number {
  const TICKS = 10;
  const [LEAST, MOST] = [20, 400];
  return Math.max(LEAST, Math.min(MOST, Math.floor((facts.wallSeconds * facts.askedHz) / TICKS)));
}

const HEIGHT = 84;

export interface TimelineProps {
  readonly facts: Facts;
  readonly columns: TimelineColumns;
  readonly range: readonly [number, number] | null;
  readonly onRange: (range: readonly [number, number] | null) => void;
}

function showRange(u: uPlot, range: TimelineProps["range"]): void {
  const left = range === null ? 0 : u.valToPos(range[0], "x");
  const width = range === null ? 0 : u.valToPos(range[1], "x") - left;
  u.setSelect({ left, width, top: 0, height: range === null ? 0 : u.over.clientHeight }, false);
}

export function Timeline({ facts, columns, range, onRange }: TimelineProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(onRange);
  latest.current = onRange;
  const shown = useRef(range);
  shown.current = range;
  const theme = useTheme();
  const binSeconds = columns.begin.length > 1 ? columns.begin[1] : 1;
  const end = binSeconds * columns.begin.length;
  const label = facts.wall ? "threads" : "CPUs";

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const axis = { stroke: theme.faint, grid: { stroke: theme.line, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const hasMemory = facts.memory;
    const series: uPlot.Series[] = [
      {},
      { scale: "y", stroke: theme.cpu, fill: `${theme.cpu}55`, width: 1, paths: uPlot.paths.stepped!({ align: 1 }), points: { show: false } },
    ];
    const data: (Float64Array | (number | null)[])[] = [columns.begin, columns.seconds.map((s) => s / binSeconds)];
    const axes: uPlot.Axis[] = [
      { ...axis, size: 20, values: (_, at) => at.map(formatSeconds) },
      { ...axis, scale: "y", size: 44, splits: (_, __, low, high) => [low, high / 2, high], values: (_, at) => at.map((v) => v.toFixed(v < 1 ? 2 : 1)) },
    ];
    if (hasMemory) {
      series.push({ scale: "m", stroke: theme.memory, width: 1.5, spanGaps: true, points: { show: false } });
      data.push(Array.from(columns.mostKb, (kb) => (kb > 0 ? kb : null)));
      axes.push({ ...axis, scale: "m", side: 1, size: 62, grid: { show: false }, splits: (_, __, low, high) => [low, high], values: (_, at) => at.map(formatKilobytes) });
    }
    const made = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        legend: { show: false },
        cursor: { y: false, points: { show: false }, drag: { x: true, y: false, setScale: false } },
        scales: {
          x: { time: false, range: [0, end] },
          y: { range: (_, __, most) => [0, Math.max(most, 0.01) * 1.1] },
          m: { range: (_, __, most) => [0, Math.max(most, 1) * 1.05] },
        },
        series,
        axes,
        hooks: {
          ready: [(u) => showRange(u, shown.current)],
          setSize: [(u) => showRange(u, shown.current)],
          setSelect: [
            (u) => {
              if (u.select.width < 3) return;
              const from = Math.max(0, u.posToVal(u.select.left, "x"));
              const to = Math.min(end, u.posToVal(u.select.left + u.select.width, "x"));
              latest.current([from, to]);
            },
          ],
        },
      },
      data as unknown as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [columns, theme]);

  useEffect(() => {
    if (plot.current !== null) showRange(plot.current, range);
  }, [range]);

  const number = (text: string, otherwise: number): number => {
    const value = Number(text);
    return text.trim() !== "" && Number.isFinite(value) ? Math.min(end, Math.max(0, value)) : otherwise;
  };
  const digits = end < 10 ? 3 : end < 1000 ? 2 : 1;
  const put = (from: number, to: number): void => onRange(to > from ? [from, to] : null);
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="timeline-plot" ref={place} onDblClick={() => onRange(null)} />
      <div class="timeline-range">
        <span class="faint key"><i class="key-cpu" /> {label} busy{facts.memory && <><i class="key-memory" /> memory</>}</span>
        <label>from <input type="text" inputMode="decimal" value={(range?.[0] ?? 0).toFixed(digits)} onChange={(event) => put(number(event.currentTarget.value, 0), range?.[1] ?? end)} /> s</label>
        <label>to <input type="text" inputMode="decimal" value={(range?.[1] ?? end).toFixed(digits)} onChange={(event) => put(range?.[0] ?? 0, number(event.currentTarget.value, end))} /> s</label>
        {range !== null ?
          <button type="button" onClick={() => onRange(null)}>Whole run</button>
        : <span class="faint hint">drag over the chart to look at a part</span>}
      </div>
    </section>
  );
}
