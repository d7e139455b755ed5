// The flame chart: a canvas with a lane of rows for each thread below one axis.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { counted, formatPercent, formatSeconds, formatTime } from "../format.ts";
import {
  type LanePlace, axisTicks, besides, findSpot, inLane, laneOf, lanesWithin, layoutChart, moved, placeLanes, rowOf, stateParts, zoomed,
} from "../layout/chart.ts";
import { type Boxes, boxAt, stepOf } from "../layout/flame.ts";
import { placeText } from "../model/names.ts";
import type { Range } from "../model/state.ts";
import { type ChartColumns, type ChartStates, type NodeIndex, readWhat, states } from "../model/viewdata.ts";
import { cssColor, stateColor } from "../paint/colors.ts";
import { type Extra, Look as Appearance, ROW_HEIGHT, type Scene, type Theme } from "../paint/flame.ts";
import { ScrolledCanvas, Tooltip, makeDrawer, reveal, usePainted, useSize } from "./canvas.tsx";
import { type Shown, noteOf, pick, rangeOf } from "./chartshown.ts";
import { isBrowsers } from "./keys.ts";
import { type Look, shareOf } from "./look.ts";
import { nodeFunction, nodeLabel, programName } from "./profile.ts";
import { useTheme } from "./theme.ts";

export const [CLOSER, FURTHER] = [0.5, 2];
/** Pixels of the axis. */
const AXIS = 22;
/** Of the width, by a key. */
const STEP = 0.2;
/** Pixels that a pointer may move in a click. */
const CLICK = 4;

interface Hover {
  readonly columns: ChartColumns;
  readonly node: NodeIndex;
  readonly x: number;
  readonly y: number;
}

interface Drag {
  readonly x: number;
  readonly at: Range;
  /** Along the axis: what is chosen. */
  readonly brush: Range | null;
  readonly moved: boolean;
}

/** What some lanes show, with the states of each where colors stand for them. */
function useColumns({ chart, at, look }: Shown, width: number, first: number, end: number) {
  const byState = look.states !== null;
  return useMemo(() => {
    const make = (firstLane: number, laneCount: number): Drawn => {
      const view = { from: at[0], to: at[1], bins: Math.max(1, width), firstLane, laneCount };
      const columns = chart.view(view);
      return { columns, parts: byState ? partsBy(columns, chart.states(view)) : null };
    };
    return { make, shown: make(first, end - first) };
  }, [chart, at[0], at[1], width, first, end, byState]);
}

interface Drawn {
  readonly columns: ChartColumns;
  readonly parts: ((node: number) => readonly { readonly fill: string; readonly share: number }[]) | null;
}

function partsBy(columns: ChartColumns, pieces: ChartStates): Drawn["parts"] {
  const firstOf = new Map<number, number>();
  pieces.lane.forEach((lane, i) => {
    if (!firstOf.has(lane)) firstOf.set(lane, i);
  });
  const laneOf = new Uint32Array(columns.count);
  for (let i = 1; i < columns.count; i++) laneOf[i] = columns.depth[i] === 1 ? i : laneOf[columns.parent[i]];
  return (node) => {
    const first = firstOf.get(laneOf[node]);
    if (first === undefined) return [];
    return stateParts(pieces, first, columns, node).map((part) => ({ fill: cssColor(stateColor[states[part.state]]), share: part.share }));
  };
}

export function ChartCanvas(props: Shown) {
  const { look, state, chart, at, now, bounds, go, picked } = props;
  const { profile, coloring, found } = look;
  const { upward } = state;
  const { facts } = profile.engine;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const size = useSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [pointed, setHover] = useState<Hover | null>(null);
  /** Not a state: the pointer may be further before anything is drawn. */
  const dragged = useRef<Drag | null>(null);
  const [brush, setBrush] = useState<Range | null>(null);
  /** Threads whose deep stacks are shown whole. */
  const [whole, setWhole] = useState<ReadonlySet<number>>(new Set());
  const { places, rows } = useMemo(() => placeLanes(chart.lanes, whole), [chart, whole]);
  const contentHeight = rows * ROW_HEIGHT + AXIS;
  const firstRow = Math.floor(scrollTop / ROW_HEIGHT);
  const endRow = Math.ceil((scrollTop + size.height) / ROW_HEIGHT);
  const [first, end] = lanesWithin(places, firstRow, endRow);
  const { make, shown } = useColumns(props, size.width, first, end);
  const { columns } = shown;
  const boxes = useMemo(
    () => layoutChart(columns, places.slice(first, end), { at, width: size.width, upward, firstRow, endRow }),
    [columns, places, firstRow, endRow, upward],
  );
  const hover = pointed !== null && pointed.columns === columns ? pointed : null;
  const selected = picked === null ? null : findSpot(columns, picked);
  const timeAt = (x: number, [from, to] = now()): number => from + (x / Math.max(1, size.width)) * (to - from);

  const makeScene = (drawn: Drawn, drawnBoxes: Boxes, lanes: readonly LanePlace[], yOf: (row: number) => number, height: number): Scene => {
    const { what } = drawn.columns;
    const hovered = hover === null ? -1 : columns.what[hover.node];
    const parts = drawn.parts;
    return {
      boxes: drawnBoxes,
      ...frameOf(drawn.columns, lanes, yOf, height),
      yOf,
      fillOf: (box) => coloring.fill[what[drawnBoxes.node[box]]] ?? theme.groupFill,
      ...(parts ? { partsOf: (box: number) => parts(drawnBoxes.node[box]) } : {}),
      textOf: (box) => nodeLabel(profile, drawn.columns, drawnBoxes.node[box] as NodeIndex),
      lookOf: (box) =>
        found === null ? Appearance.Plain : found[what[drawnBoxes.node[box]]] === 1 ? Appearance.Found : Appearance.Faded,
      isKin: (box) => what[drawnBoxes.node[box]] === hovered,
      selected: drawn === shown && selected !== null ? drawnBoxes.node.indexOf(selected) : -1,
      theme: theme as Theme,
    };
  };

  /** Names of lanes, lines at round times, and above all the axis. */
  const frameOf = (of: ChartColumns, lanes: readonly LanePlace[], yOf: (row: number) => number, height: number): Pick<Scene, "below" | "above"> => {
    const { width } = size;
    const { step, times } = axisTicks(at, width);
    const xOf = (time: number): number => ((time - at[0]) / (at[1] - at[0])) * width;
    const below: Extra[] = times.map((time) => ({ x: xOf(time), y: AXIS, width: 1, height: height - AXIS, fill: theme.line }));
    let node = 1;
    for (const lane of lanes) {
      const process = facts.processes.length > 2 ? ` (process ${facts.processes[facts.threads.find((thread) => thread.id === lane.thread)?.process ?? 0]})` : "";
      const busy = `${formatSeconds(of.seconds[node])} ${facts.wall ? "in" : "of CPU in"} ${counted(of.samples[node], "sample")}`;
      const more = lane.hidden > 0 ? ` · ${lane.hidden} deeper rows: click` : "";
      const text = `${nodeLabel(profile, of, node as NodeIndex)}${process} · ${busy}${more}`;
      below.push({ x: 0, y: yOf(lane.top), width, height: ROW_HEIGHT - 1, fill: theme.band, text, ink: theme.ink });
      node = of.end[node];
    }
    const above: Extra[] = [{ x: 0, y: 0, width, height: AXIS, fill: theme.page }];
    for (const time of times) {
      above.push({ x: xOf(time), y: 0, width: 1, height: AXIS, fill: theme.line });
      above.push({ x: xOf(time), y: 0, width: 90, height: AXIS, fill: "", text: formatTime(time, step), ink: theme.faint });
    }
    if (brush !== null) above.push({ x: xOf(brush[0]), y: 0, width: xOf(brush[1]) - xOf(brush[0]), height, fill: theme.brush });
    return { below, above };
  };

  usePainted(canvas, size, () =>
    makeScene(shown, boxes, places.slice(first, end), (row) => row * ROW_HEIGHT + AXIS - scrollTop, size.height));

  useEffect(() => {
    props.onDrawer(makeDrawer(() => {
      const all = make(0, places.length);
      const allBoxes = layoutChart(all.columns, places, { at, width: size.width, upward, firstRow: 0, endRow: rows });
      return { scene: makeScene(all, allBoxes, places, (row) => row * ROW_HEIGHT + AXIS, contentHeight), width: size.width, height: contentHeight };
    }, `Flame chart of ${programName(profile)}`));
    return () => props.onDrawer(null);
  }, [make, places, upward, coloring, found, theme]);

  const onWheel = useRef<(event: WheelEvent) => void>(() => undefined);
  onWheel.current = (event) => {
    const x = event.clientX - (canvas.current?.getBoundingClientRect().left ?? 0);
    if (event.ctrlKey || event.metaKey) go(zoomed(now(), Math.exp(event.deltaY / 300), timeAt(x), bounds));
    else {
      const along = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      if (Math.abs(along) <= Math.abs(event.deltaY) && !event.shiftKey) return;
      go(moved(now(), timeAt(along) - now()[0], bounds));
    }
    event.preventDefault();
  };
  useLayoutEffect(() => {
    const element = canvas.current;
    // Preact's listeners cannot prevent the page from being zoomed.
    const listener = (event: WheelEvent): void => onWheel.current(event);
    element?.addEventListener("wheel", listener, { passive: false });
    return () => element?.removeEventListener("wheel", listener);
  }, []);

  /** -1: the axis. */
  const rowAt = (event: MouseEvent): number => {
    const y = event.clientY - (canvas.current?.getBoundingClientRect().top ?? 0) - AXIS;
    return y < 0 ? -1 : Math.floor((y + scrollTop) / ROW_HEIGHT);
  };
  const find = (event: MouseEvent): NodeIndex | null => {
    const box = boxAt(boxes, xIn(event), rowAt(event));
    return box < 0 ? null : (boxes.node[box] as NodeIndex);
  };
  const xIn = (event: MouseEvent): number => event.clientX - (canvas.current?.getBoundingClientRect().left ?? 0);

  const showWhole = (thread: number, on: boolean): void => {
    const next = new Set(whole);
    if (on) next.add(thread);
    else next.delete(thread);
    setWhole(next);
  };

  const endDrag = (): void => {
    dragged.current = null;
    setBrush(null);
  };

  const onPointerDown = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    canvas.current?.setPointerCapture(event.pointerId);
    dragged.current = { x: xIn(event), at: now(), brush: rowAt(event) < 0 ? [0, 0] : null, moved: false };
  };
  const onPointerMove = (event: PointerEvent): void => {
    const x = xIn(event);
    const drag = dragged.current;
    if (drag === null) {
      const node = find(event);
      setHover(node === null ? null : { columns, node, x: event.clientX, y: event.clientY });
      return;
    }
    if (!drag.moved && Math.abs(x - drag.x) < CLICK) return;
    setHover(null);
    const [from, to] = [drag.x, x].map((each) => timeAt(Math.max(0, Math.min(size.width, each)), drag.at)).sort((a, b) => a - b);
    const next: Drag = { ...drag, moved: true, brush: drag.brush && [from, to] };
    dragged.current = next;
    if (next.brush !== null) setBrush(next.brush);
    else go(moved(drag.at, ((drag.x - x) / size.width) * (drag.at[1] - drag.at[0]), bounds));
  };
  const onPointerUp = (event: PointerEvent): void => {
    const drag = dragged.current;
    const header = places.find((lane) => lane.top === rowAt(event));
    endDrag();
    if (drag === null) return;
    if (!drag.moved && header !== undefined) showWhole(header.thread, header.hidden > 0);
    else if (!drag.moved) pick(props, columns, find(event));
    else if (drag.brush !== null && drag.brush[1] > drag.brush[0]) go(drag.brush, true);
  };

  /** To be seen, with its lane as deep as that takes. */
  const sought = useRef(false);
  const show = (node: NodeIndex): void => {
    sought.current = true;
    pick(props, columns, node);
  };
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!sought.current || selected === null || element === null) return;
    const thread = laneThread(columns, selected);
    const lane = places.find((place) => place.thread === thread);
    if (lane !== undefined && columns.depth[selected] > lane.depth + 1) {
      showWhole(thread, true);
      return;
    }
    sought.current = false;
    if (lane !== undefined) reveal(element, rowOf(lane, columns.depth[selected], upward) * ROW_HEIGHT, AXIS);
  }, [picked, places]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowsers(event)) return;
    const width = now()[1] - now()[0];
    const center = selected === null ? (at[0] + at[1]) / 2 : Math.min(at[1], Math.max(at[0], (columns.begins[selected] + columns.ends[selected]) / 2));
    const step = stepOf(event.key, upward);
    const sign = event.key === "ArrowLeft" ? -1 : 1;
    if (event.shiftKey && (step === "next" || step === "previous")) go(moved(now(), sign * STEP * width, bounds));
    else if (step !== undefined) {
      const to = selected === null ? inLane(columns, null, 1) : besides(columns, selected, step);
      if (to !== null) show(to);
      else if (step === "next" || step === "previous") go(moved(now(), sign * STEP * width, bounds));
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      const to = inLane(columns, selected, event.key === "PageDown" ? 1 : -1);
      if (to !== null) show(to);
    } else if (event.key === "+" || event.key === "=") go(zoomed(now(), CLOSER, center, bounds));
    else if (event.key === "-") go(zoomed(now(), FURTHER, center, bounds));
    else if (event.key === "Enter" || event.key === " ") {
      if (selected !== null) go(rangeOf(columns, selected, bounds), true);
    } else if (event.key === "Home" || event.key === "Backspace") go(bounds, true);
    else if (event.key === "Escape") {
      if (picked !== null) props.onPick(null);
      else go(bounds, true);
    } else return;
    event.preventDefault();
  };

  return (
    <div class="flame chart">
      <ScrolledCanvas
        scroller={scroller}
        canvas={canvas}
        height={size.height}
        contentHeight={contentHeight}
        onScrolled={(top) => {
          setScrollTop(top);
          setHover(null);
        }}
        spoken={selected === null ? "" : `${nodeLabel(profile, columns, selected)}: ${noteOf(columns, selected, at, facts.wall)}`}
        aria-roledescription="flame chart"
        aria-label={`Flame chart of ${programName(profile)}, ${places.length} threads. Arrow keys go from frame to frame, Page keys from thread to thread, plus and minus zoom, Enter fills the width with a frame. The button Table shows the same as a table.`}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={endDrag}
        onMouseLeave={() => setHover(null)}
        onDblClick={(event) => {
          const node = find(event);
          if (node !== null) go(rangeOf(columns, node, bounds), true);
        }}
        onKeyDown={onKeyDown}
      />
      {hover !== null && <FrameTooltip hover={hover} look={look} at={at} />}
    </div>
  );
}

function laneThread(columns: ChartColumns, node: NodeIndex): number {
  const lane = readWhat(columns.what[laneOf(columns, node)]);
  return lane.is === "thread" ? lane.thread : 0;
}

function FrameTooltip({ hover, look, at }: { readonly hover: Hover; readonly look: Look; readonly at: Range }) {
  const { columns, node } = hover;
  const { profile } = look;
  const { facts } = profile.engine;
  const fn = nodeFunction(columns, node);
  return (
    <Tooltip x={hover.x} y={hover.y}>
      <b>{nodeLabel(profile, columns, node)}</b>
      {fn !== null && <div class="faint path">{placeText(profile.names[fn])}</div>}
      <div class="note">{noteOf(columns, node, at, facts.wall)}</div>
      <div class="faint">{formatPercent(shareOf(columns.ends[node] - columns.begins[node], at[1] - at[0]))} of the time shown</div>
    </Tooltip>
  );
}
