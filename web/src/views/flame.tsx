// The flame graph: a canvas as wide as its place, which draws the rows that can
// be seen.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { changeUnit, formatChange, formatCount, formatInterval, formatPercent, formatSeconds } from "../format.ts";
import { type Boxes, boxAt, layoutFlame, neighbour, stepOf, visibleDepth } from "../layout/flame.ts";
import type { Tree, TreeChanges } from "../model/engine.ts";
import { type FunctionIndex, type NodeIndex, type TreeStates, readWhat, states } from "../model/viewdata.ts";
import { Look, type Part, ROW_HEIGHT, type Scene, type Theme } from "../paint/flame.ts";
import { changeColor, cssColor, stateColor } from "../paint/colors.ts";
import { type Drawer, ScrolledCanvas, Tooltip, makeDrawer, reveal, usePainted, useSize } from "./canvas.tsx";
import { ChangeLine } from "./changes.tsx";
import { isBrowsers } from "./keys.ts";
import { useTheme } from "./theme.ts";
import { type Shown, shareOf } from "./look.ts";
import { type Profile, nodeLabel, nodePlace } from "./profile.ts";

export interface FlameProps extends Shown {
  readonly tree: Tree;
  readonly zoom: NodeIndex;
  readonly selected: NodeIndex | null;
  /** Colors are what they tell; null: those of functions. */
  readonly changes?: TreeChanges | null;
  /** Colors are parts of frames by these; null: as above. */
  readonly states?: TreeStates | null;
  /** The root stands at the bottom. */
  readonly upward: boolean;
  /** Not taller than it needs to be, nor than this: pixels. Else as tall as its place. */
  readonly maxHeight?: number;
  /** What the root is called, and the function it stands for. */
  readonly rootLabel: string;
  readonly rootFunction?: FunctionIndex;
  /** Of the whole graph, for those who do not see it. */
  readonly label: string;
  readonly onZoom: (node: NodeIndex) => void;
  readonly onSelect: (node: NodeIndex | null) => void;
  /** Gets a function that makes a file of what is drawn. */
  readonly onDrawer?: (drawer: Drawer | null) => void;
}

/** The states of a node's samples, those with none left out. */
function stateParts(ticks: TreeStates, node: number, whole: number): readonly Part[] {
  return states
    .map((state, i) => ({ fill: cssColor(stateColor[state]), share: shareOf(ticks[i][node], whole) }))
    .filter((part) => part.share > 0);
}

interface Hover {
  /** Another tree numbers its nodes anew. */
  readonly tree: Tree;
  readonly node: NodeIndex;
  readonly rest: boolean;
  readonly x: number;
  readonly y: number;
}

const TRANSPARENT = -1;

export function FlameGraph(props: FlameProps) {
  const { profile, tree, coloring, zoom, selected, found, upward, rootLabel } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const size = useSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [pointed, setHover] = useState<Hover | null>(null);
  const hover = pointed !== null && pointed.tree === tree ? pointed : null;

  const rows = useMemo(() => visibleDepth(tree.columns, zoom, size.width), [tree, zoom, size.width]);
  const contentHeight = Math.max(rows * ROW_HEIGHT, upward ? size.height : 0);
  const yOf = (row: number): number =>
    (upward ? contentHeight - (row + 1) * ROW_HEIGHT : row * ROW_HEIGHT) - scrollTop;
  const rowAt = (y: number): number =>
    Math.floor((upward ? contentHeight - (y + scrollTop) : y + scrollTop) / ROW_HEIGHT);
  const shownRows = Math.ceil(size.height / ROW_HEIGHT) + 1;
  const firstRow = Math.max(0, upward ? rowAt(size.height) : Math.floor(scrollTop / ROW_HEIGHT));
  const boxes = useMemo(
    () => layoutFlame(tree.columns, { zoom, width: size.width, firstRow, endRow: firstRow + shownRows }),
    [tree, zoom, size.width, firstRow, shownRows],
  );

  const makeScene = (drawn: Boxes, y: (row: number) => number): Scene => {
    // A scene is made long after this was rendered too: to save it.
    const columns = tree.columns;
    const what = columns.what;
    const ticks = props.states;
    const functionOf = (box: number): number =>
      drawn.node[box] === 0 ? (props.rootFunction ?? what[0]) : what[drawn.node[box]];
    const hovered = hover !== null && !hover.rest ? what[hover.node] : TRANSPARENT;
    return {
      boxes: drawn,
      yOf: y,
      fillOf: (box) => {
        const node = drawn.node[box] as NodeIndex;
        if (props.changes && node !== 0) return cssColor(changeColor(props.changes.strength[node], props.changes.isSignificant(node)));
        return coloring.fill[functionOf(box)] ?? theme.groupFill;
      },
      ...(ticks ? { partsOf: (box: number) => stateParts(ticks, drawn.node[box], columns.total[drawn.node[box]]) } : {}),
      textOf: (box) =>
        drawn.node[box] === 0 ? rootLabel : nodeLabel(profile, columns, drawn.node[box] as NodeIndex),
      lookOf: (box) =>
        found === null ? Look.Plain : found[functionOf(box)] === 1 ? Look.Found : Look.Faded,
      isKin: (box) => drawn.rest[box] === 0 && functionOf(box) === hovered,
      selected: selected === null ? -1 : drawn.node.findIndex((node, i) => node === selected && drawn.rest[i] === 0),
      theme: theme as Theme,
    };
  };

  usePainted(canvas, size, () => makeScene(boxes, yOf));

  useEffect(() => {
    const full = () => {
      const height = rows * ROW_HEIGHT;
      const all = layoutFlame(tree.columns, { zoom, width: size.width, firstRow: 0, endRow: rows });
      const scene = makeScene(all, (row) => (upward ? height - (row + 1) * ROW_HEIGHT : row * ROW_HEIGHT));
      return { scene, width: size.width, height };
    };
    props.onDrawer?.(makeDrawer(full, props.label));
    return () => props.onDrawer?.(null);
  }, [tree, zoom, size.width, rows, upward, coloring, props.changes, props.states, found, theme]);

  // A zoomed node stands where the eye was: at the top, or at the bottom.
  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const row = tree.columns.depth[zoom];
    const y = upward ? contentHeight - (row + 1) * ROW_HEIGHT : row * ROW_HEIGHT;
    if (upward) element.scrollTop = y + 4 * ROW_HEIGHT - element.clientHeight;
    else if (y < element.scrollTop || y > element.scrollTop + element.clientHeight / 2)
      element.scrollTop = Math.max(0, y - 3 * ROW_HEIGHT);
    setScrollTop(element.scrollTop);
  }, [tree, zoom, upward, contentHeight, size.height]);

  const find = (event: MouseEvent): Hover | null => {
    const element = canvas.current;
    if (element === null) return null;
    const area = element.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const box = boxAt(boxes, x, rowAt(y));
    if (box < 0) return null;
    return { tree, node: boxes.node[box] as NodeIndex, rest: boxes.rest[box] === 1, x: event.clientX, y: event.clientY };
  };

  const onClick = (event: MouseEvent): void => {
    const at = find(event);
    if (at === null) return;
    const node = at.rest ? (tree.columns.parent[at.node] as NodeIndex) : at.node;
    props.onSelect(node);
    props.onZoom(node);
  };

  const onContextMenu = (event: MouseEvent): void => {
    const at = find(event);
    if (at === null || at.rest) return;
    event.preventDefault();
    props.onSelect(at.node);
  };

  const showRow = (node: NodeIndex): void => {
    const element = scroller.current;
    if (element === null) return;
    const row = tree.columns.depth[node];
    reveal(element, upward ? contentHeight - (row + 1) * ROW_HEIGHT : row * ROW_HEIGHT);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowsers(event)) return;
    const at = selected ?? zoom;
    const step = stepOf(event.key, upward);
    if (step !== undefined) {
      const node = selected === null ? at : neighbour(tree.columns, at, step);
      props.onSelect(node);
      showRow(node);
    } else if (event.key === "Home") {
      props.onSelect(0 as NodeIndex);
      props.onZoom(0 as NodeIndex);
    } else if (event.key === "Enter" || event.key === " ") {
      props.onZoom(at);
    } else if (event.key === "Backspace") {
      props.onZoom(tree.columns.parent[zoom] as NodeIndex);
    } else if (event.key === "Escape") {
      if (selected !== null) props.onSelect(null);
      else props.onZoom(0 as NodeIndex);
    } else {
      return;
    }
    event.preventDefault();
  };

  const spoken = selected === null ? "" : describe(profile, tree, props.changes ?? null, selected, rootLabel);
  return (
    <div class="flame" style={props.maxHeight ? { height: `${Math.min(rows * ROW_HEIGHT, props.maxHeight)}px` } : {}}>
      <ScrolledCanvas
        scroller={scroller}
        canvas={canvas}
        height={size.height}
        contentHeight={contentHeight}
        onScrolled={(top) => {
          setScrollTop(top);
          setHover(null);
        }}
        spoken={spoken}
        aria-roledescription="flame graph"
        aria-label={`${props.label}. Arrow keys go from frame to frame, Enter fills the width with one, Backspace goes back. The tab Call tree has the same as a table.`}
        onClick={onClick}
        onContextMenu={onContextMenu}
        onMouseMove={(event) => setHover(find(event))}
        onMouseLeave={() => setHover(null)}
        onKeyDown={onKeyDown}
      />
      {hover !== null && <NodeTooltip hover={hover} profile={profile} tree={tree} changes={props.changes ?? null} rootLabel={rootLabel} />}
    </div>
  );
}

/** A node in one sentence. */
export function describe(profile: Profile, tree: Tree, changes: TreeChanges | null, node: NodeIndex, rootLabel: string): string {
  const d = tree.details(node);
  const name = node === 0 ? rootLabel : nodeLabel(profile, tree.columns, node);
  const shares = `${name}: total ${formatPercent(d.total.share)}, self ${formatPercent(d.self.share)}`;
  if (changes === null) return shares;
  const change = changes.of(node);
  return `${shares}, changed by ${formatChange(change.change, change.seconds)}${changeUnit(change.seconds)}${change.significant ? "" : ", not significant"}`;
}

function NodeTooltip({ hover, profile, tree, changes, rootLabel }: {
  readonly hover: Hover;
  readonly profile: Profile;
  readonly tree: Tree;
  readonly changes: TreeChanges | null;
  readonly rootLabel: string;
}) {
  if (hover.rest) {
    const columns = tree.columns;
    const parent = columns.parent[hover.node] as NodeIndex;
    const ticks = columns.left[parent] + columns.total[parent] - columns.self[parent] - columns.left[hover.node];
    return (
      <Tooltip x={hover.x} y={hover.y}>
        <b>Many narrow frames</b>
        <div class="faint">together {formatPercent(ticks / columns.total[0])}; click for a closer look</div>
      </Tooltip>
    );
  }
  const d = tree.details(hover.node);
  const columns = tree.columns;
  const isFunction = readWhat(columns.what[hover.node]).is === "function";
  return (
    <Tooltip x={hover.x} y={hover.y}>
      <b>{hover.node === 0 ? rootLabel : nodeLabel(profile, columns, hover.node)}</b>
      {isFunction && <div class="faint path">{nodePlace(profile, columns, hover.node)}</div>}
      <FigureTable details={d} />
      {changes !== null && <ChangeLine change={changes.of(hover.node)} isNew={changes.isNew(hover.node)} />}
    </Tooltip>
  );
}

/** Self and total, with what chance alone can have done to them. */
export function FigureTable({ details }: { readonly details: ReturnType<Tree["details"]> }) {
  const rows = [["total", details.total], ["self", details.self]] as const;
  return (
    <table class="figures">
      <tbody>
        {rows.map(([name, f]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{formatPercent(f.share)}</td>
            <td class="faint" title="The share is between these with 95 % confidence">{formatInterval(f.low, f.high)}</td>
            <td>{formatSeconds(f.seconds)}</td>
            <td class="faint">{formatCount(f.samples)} samples</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
