// What PyPy's JIT made of the program: its traces, and one of them opened.

import type { JSX } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { counted, formatCount } from "../format.ts";
import {
  type JitLog, type JitPass, type JitPlace, type JitRow, type JitStage, type JitTrace, type TraceIndex,
  jitStages, operationText, stageRows, traceName,
} from "../model/jit.ts";
import { makeMatcher } from "../model/names.ts";
import type { FunctionIndex } from "../model/viewdata.ts";
import { ThemeButton } from "./header.tsx";
import { useSearchKey } from "./keys.ts";
import { SortHead, useSorting } from "./sorting.tsx";
import { Search } from "./toolbar.tsx";
import { type StateProps, useViewState } from "./viewstate.ts";
import { VirtualList } from "./virtual.tsx";

export interface JitProps extends StateProps {
  readonly jit: JitLog;
  /** Opens a function of the profile. */
  readonly onOpen: (fn: FunctionIndex) => void;
}

/** More functions of a trace, or traces of a function, are not told at once. */
const MANY = 40;

const stageLabel: Readonly<Record<JitStage, string>> = { noopt: "As traced", opt: "Optimized", asm: "Assembled" };

function placeText({ file, line }: JitPlace): string {
  return line > 0 ? `${file}:${line}` : file;
}

/** What is said of the log, and of what is not shown. */
function Facts({ jit, shown }: { readonly jit: JitLog; readonly shown: number }) {
  const { facts } = jit;
  const all = facts.traces.length;
  const functionsLeftOut = facts.places_left_out + facts.passes_left_out;
  return (
    <p class="jit-facts faint">
      {jit.name}: {shown === all ? counted(all, "trace") : `${formatCount(shown)} of ${counted(all, "trace")}`}, {facts.machine}, jitlog of version {facts.version}
      {facts.unknown_counters > 0 && `; ${counted(facts.unknown_counters, "counter")} of traces that are not in it`}
      {facts.cut && <span class="warning"> It ends within a record: this is what was written.</span>}
      {facts.left_out > 0 && <span class="warning"> {counted(facts.left_out, "trace")} entered less often are left out; in a terminal: vmprof jit</span>}
      {functionsLeftOut > 0 && <span class="warning"> Left out: {counted(functionsLeftOut, "function")} that traces pass through; in a terminal: vmprof jit</span>}
    </p>
  );
}

export function JitView(props: JitProps) {
  const { jit, state } = props;
  const trace = state.trace === 0 ? undefined : jit.trace(state.trace);
  const place = useRef<HTMLDivElement>(null);
  const shown = useRef(state.trace);
  const last = shown.current;
  // Who went from one to the other by keys goes on by keys.
  useLayoutEffect(() => {
    if (shown.current !== state.trace) place.current?.querySelector<HTMLElement>('[role="row"][tabindex="0"]')?.focus();
    shown.current = state.trace;
  }, [state.trace]);
  return (
    <div class="jit-view" ref={place}>
      {trace === undefined ? <Traces {...props} last={last} /> : <Trace key={trace.index} {...props} trace={trace} />}
    </div>
  );
}

type SortKey = "entered" | "trace" | "noopt" | "opt" | "asm" | "guards" | "bytes" | "place";

const columns: readonly { readonly key: SortKey; readonly label: string; readonly class: string }[] = [
  { key: "entered", label: "Entered", class: "number entered" },
  { key: "trace", label: "Trace", class: "trace" },
  { key: "noopt", label: "Traced", class: "number time" },
  { key: "opt", label: "Optimized", class: "number" },
  { key: "asm", label: "Assembled", class: "number time" },
  { key: "guards", label: "Guards", class: "number time" },
  { key: "bytes", label: "Bytes", class: "number" },
  { key: "place", label: "Begins in", class: "name" },
];

const compare: Readonly<Record<SortKey, (a: JitTrace, b: JitTrace) => number>> = {
  entered: (a, b) => (a.entered ?? -1) - (b.entered ?? -1),
  trace: (a, b) => b.index - a.index,
  noopt: (a, b) => a.operations.noopt - b.operations.noopt,
  opt: (a, b) => a.operations.opt - b.operations.opt,
  asm: (a, b) => a.operations.asm - b.operations.asm,
  guards: (a, b) => a.guards - b.guards,
  bytes: (a, b) => a.code_bytes - b.code_bytes,
  place: (a, b) => b.function.localeCompare(a.function) || b.file.localeCompare(a.file) || b.line - a.line,
};

function useFound(jit: JitLog, search: string): readonly JitTrace[] {
  return useMemo(() => {
    const matcher = makeMatcher(search);
    return matcher === null || typeof matcher === "string" ? jit.facts.traces : jit.find(matcher);
  }, [jit, search]);
}

function Traces({ jit, state, update, last }: JitProps & {
  /** The trace that was shown before; 0: none. */
  readonly last: number;
}) {
  const sorting = useSorting<SortKey>("entered");
  const [chosen, setChosen] = useState(last);
  const found = useFound(jit, state.search);
  const rows = useMemo(() => {
    // C has them most entered first, and that is the order of equal ones when they fall.
    const sorted = [...found].sort((a, b) => compare[sorting.key](b, a));
    return sorting.ascending ? sorted.reverse() : sorted;
  }, [found, sorting.key, sorting.ascending]);
  const at = Math.max(0, rows.findIndex((trace) => trace.index === chosen));
  const open = (trace: JitTrace): void => update({ trace: trace.index });
  return (
    <>
      <Facts jit={jit} shown={found.length} />
      {rows.length === 0 ? <p class="empty">{jit.facts.traces.length === 0 ? "The JIT traced nothing." : "No trace matches the search."}</p> : (
        <VirtualList
          role="grid"
          label="Traces"
          columns={columns.length}
          count={rows.length}
          active={at}
          onActive={(i) => setChosen(rows[i].index)}
          onKey={(event) => {
            if (event.key !== "Enter") return false;
            open(rows[at]);
            return true;
          }}
          header={columns.map(({ key, label, class: name }) => <SortHead key={key} of={key} sorting={sorting} label={label} class={name} />)}
          row={(i, attributes) => <TraceRow key={rows[i].index} trace={rows[i]} attributes={attributes} onOpen={open} />}
        />
      )}
    </>
  );
}

function TraceRow({ trace, attributes, onOpen }: {
  readonly trace: JitTrace;
  readonly attributes: JSX.HTMLAttributes<HTMLDivElement>;
  readonly onOpen: (trace: JitTrace) => void;
}) {
  const { operations } = trace;
  const number = (value: number, name = ""): JSX.Element =>
    <div role="gridcell" class={`cell number ${name}`}>{formatCount(value)}</div>;
  return (
    <div {...attributes} class="list-row link" onClick={() => onOpen(trace)}>
      <div role="gridcell" class="cell number entered">{trace.entered === null ? "–" : formatCount(trace.entered)}</div>
      <div role="gridcell" class="cell trace">{traceName(trace)}</div>
      {number(operations.noopt, "time faint")}
      {number(operations.opt)}
      {number(operations.asm, "time faint")}
      {number(trace.guards, "time faint")}
      {number(trace.code_bytes)}
      <div role="gridcell" class="cell name" title={`${trace.function}\n${placeText(trace)}`}>
        {trace.place === 0 && trace.function === "" ?
          <span class="faint">{trace.guard === null ? (trace.jitdriver === "" ? "" : `jitdriver ${trace.jitdriver}`) : `in ${trace.guard.function}`}</span>
        : <><span class="function">{trace.function}</span> <span class="faint place">{placeText(trace)}</span></>}
      </div>
    </div>
  );
}

/** The function of a place: a button, if the profile has it. */
function PlaceName({ jit, place, name, count, onOpen }: {
  readonly jit: JitLog;
  readonly place: number;
  readonly name: string;
  readonly count?: number;
  readonly onOpen: (fn: FunctionIndex) => void;
}) {
  const fn = jit.functionAt(place);
  const text = <>{name}{count === undefined ? "" : <span class="faint"> {formatCount(count)}</span>}</>;
  return fn === null ? <span class="chip">{text}</span> : <button type="button" class="chip" onClick={() => onOpen(fn)}>{text}</button>;
}

function Trace({ jit, trace, update, onOpen }: JitProps & { readonly trace: JitTrace }) {
  const kept = useMemo(() => jit.stages(trace), [trace]);
  const [stage, setStage] = useState<JitStage>(trace.operations.opt > 0 ? "opt" : trace.operations.asm > 0 ? "asm" : "noopt");
  const [active, setActive] = useState(0);
  const rows = useMemo(() => stageRows(kept?.stages[stage] ?? []), [kept, stage]);
  const { guard } = trace;
  const goTo = (index: TraceIndex): void => update({ trace: index });
  const leftOut = kept?.left_out[stage] ?? trace.operations[stage];
  const enter = (row: JitRow): void => {
    if (row.is !== "entry") {
      const fn = jit.functionAt(row.at.place);
      if (fn !== null) onOpen(fn);
    } else if (row.entry.kind === "operation" && row.entry.bridge !== null) {
      goTo(row.entry.bridge);
    }
  };
  return (
    <>
      <header class="trace-head">
        <button type="button" onClick={() => update({ trace: 0 })}>All traces</button>
        <h2>{traceName(trace)}</h2>
        <span>{trace.entered === null ? "entries not counted" : <>entered <b>{formatCount(trace.entered)}</b> times</>}</span>
        <span class="faint">
          {counted(trace.guards, "guard")}
          {trace.code_start !== null && `, ${counted(trace.code_bytes, "byte")} of machine code at ${trace.code_start}`}
          {trace.jitdriver !== "" && `, jitdriver ${trace.jitdriver}`}
        </span>
      </header>
      {guard !== null && (
        <p class="trace-line">
          From {guard.name} of <TraceButton jit={jit} index={guard.trace} goTo={goTo} />, which failed {formatCount(guard.failed)} times
          {guard.file !== "" && <> in {guard.function} <span class="faint path">{placeText(guard)}</span></>}
        </p>
      )}
      {trace.passes.length > 0 && (
        <p class="trace-line">
          <span title="With how many operations of the optimized trace">Passes through</span>{" "}
          {trace.passes.slice(0, MANY).map(([place, count]) => (
            <PlaceName key={place} jit={jit} place={place} name={jit.placeName(place)} count={count} onOpen={onOpen} />
          ))}
          {trace.passes.length > MANY && ` and ${formatCount(trace.passes.length - MANY)} more`}
        </p>
      )}
      <div class="trace-line" role="group" aria-label="Stage">
        {jitStages.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === stage}
            onClick={() => {
              setStage(each);
              setActive(0);
            }}
          >
            {stageLabel[each]} ({formatCount(trace.operations[each])})
          </button>
        ))}
      </div>
      {leftOut > 0 && (
        <p class="warning trace-line">
          {counted(leftOut, "operation")} left out, since the page would be too large; in a terminal: vmprof jit --trace {trace.trace}
        </p>
      )}
      {rows.length === 0 ? <p class="empty">Nothing of this stage is in the log.</p> : (
        <VirtualList
          role="grid"
          label={`${stageLabel[stage]}: operations`}
          columns={3}
          count={rows.length}
          active={Math.min(active, rows.length - 1)}
          onActive={setActive}
          onKey={(event) => {
            if (event.key === "Enter") enter(rows[active]);
            else if (event.key === "Escape" || event.key === "Backspace") update({ trace: 0 });
            else return false;
            return true;
          }}
          header={<>
            <div role="columnheader" class="cell number" title="A guard failed into its bridge, or a label was passed">Times</div>
            <div role="columnheader" class="cell name">Operation</div>
            <div role="columnheader" class="cell bridge">Goes to</div>
          </>}
          row={(i, attributes) => (
            <div key={i} {...attributes} class={`list-row jit-${rows[i].is}`} onClick={() => setActive(i)} onDblClick={() => enter(rows[i])}>
              <StageRow jit={jit} row={rows[i]} goTo={goTo} />
            </div>
          )}
        />
      )}
      {rows.length > 0 && <RowDetails jit={jit} row={rows[Math.min(active, rows.length - 1)]} onOpen={onOpen} goTo={goTo} />}
    </>
  );
}

function TraceButton({ jit, index, goTo, tabIndex }: {
  readonly jit: JitLog;
  readonly index: TraceIndex;
  readonly goTo: (index: TraceIndex) => void;
  readonly tabIndex?: number;
}) {
  const trace = jit.trace(index);
  if (trace === undefined) return <span>a trace that is left out</span>;
  return <button type="button" class="link" tabIndex={tabIndex} onClick={() => goTo(index)}>{traceName(trace)}</button>;
}

function StageRow({ jit, row, goTo }: { readonly jit: JitLog; readonly row: JitRow; readonly goTo: (index: TraceIndex) => void }) {
  const operation = row.is === "entry" && row.entry.kind === "operation" ? row.entry : null;
  return (
    <>
      <div role="gridcell" class="cell number">{operation === null || operation.count === 0 ? "" : formatCount(operation.count)}</div>
      <div role="gridcell" class="cell name">
        {row.is === "line" ? <><b>{row.at.function}</b> <span class="faint place">{placeText(row.at)}</span> <code>{jit.textAt(row.at).trim()}</code></>
        : row.is === "bytecode" ? <span class="faint">{row.text}</span>
        : <code>{row.entry.kind === "inputs" ? `inputs ${row.entry.args}` : operationText(row.entry)}</code>}
      </div>
      <div role="gridcell" class="cell bridge">
        {operation !== null && operation.bridge !== null && <TraceButton jit={jit} index={operation.bridge} goTo={goTo} tabIndex={-1} />}
      </div>
    </>
  );
}

/** All of the row that is active: in the list it is cut where it is long. */
function RowDetails({ jit, row, onOpen, goTo }: {
  readonly jit: JitLog;
  readonly row: JitRow;
  readonly onOpen: (fn: FunctionIndex) => void;
  readonly goTo: (index: TraceIndex) => void;
}) {
  return (
    <section class="selection jit-details" aria-label="Selected">
      {row.is !== "entry" ?
        <p><PlaceName jit={jit} place={row.at.place} name={row.at.function} onOpen={onOpen} /> <span class="faint path">{placeText(row.at)}</span></p>
      : row.entry.kind === "inputs" ? <p><code>inputs {row.entry.args}</code></p>
      : <>
          <p><code>{operationText(row.entry)}</code></p>
          {row.entry.fail_args !== "" && <p class="faint">saves <code>{row.entry.fail_args}</code></p>}
          {row.entry.count > 0 && <p>{row.entry.name.startsWith("guard_") ? "failed" : "passed"} <b>{formatCount(row.entry.count)}</b> times</p>}
          {row.entry.bridge !== null && <p>goes to <TraceButton jit={jit} index={row.entry.bridge} goTo={goTo} /></p>}
          {row.entry.code !== "" && (
            <p class="faint">{counted(row.entry.code_bytes, "byte")} of machine code <code>{row.entry.code.replace(/..(?!$)/g, "$& ")}{row.entry.code_bytes * 2 > row.entry.code.length ? "…" : ""}</code></p>
          )}
        </>}
    </section>
  );
}

/** Of one function, for the tab of it. */
export function JitOfFunction({ jit, fn, onTrace }: {
  readonly jit: JitLog;
  readonly fn: FunctionIndex;
  readonly onTrace: (trace: TraceIndex) => void;
}) {
  const all: readonly JitPass[] = useMemo(() => jit.through(fn), [jit, fn]);
  return (
    <section class="lines" aria-label="JIT">
      {all.length === 0 ? <p class="faint">No trace of the JIT passes through it.</p> : (
        <table>
          <caption>Traces of the JIT through it{all.length > MANY && `, the ${MANY} most entered of ${formatCount(all.length)}`}</caption>
          <thead>
            <tr><th scope="col">Entered</th><th scope="col">Operations</th><th scope="col">of</th><th scope="col" class="text">Trace</th></tr>
          </thead>
          <tbody>
            {all.slice(0, MANY).map(({ trace, operations, begins }) => (
              <tr key={trace.index}>
                <td>{trace.entered === null ? "–" : formatCount(trace.entered)}</td>
                <td>{formatCount(operations)}</td>
                <td>{formatCount(trace.operations.opt)}</td>
                <td class="text">
                  <button type="button" class="link" onClick={() => onTrace(trace.index)}>{traceName(trace)}</button>
                  {begins && <span class="faint"> begins here</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The page of a jitlog alone. */
export function JitPage({ jit }: { readonly jit: JitLog }) {
  const { state, update } = useViewState();
  const searchBox = useRef<HTMLInputElement>(null);
  useSearchKey(() => searchBox.current?.focus());
  const matcher = makeMatcher(state.search);
  const error = typeof matcher === "string" ? matcher : null;
  useLayoutEffect(() => {
    document.title = `${jit.name} – vmprof`;
  }, []);
  return (
    <div class="page">
      <header class="head">
        <h1>{jit.name}</h1>
        <ThemeButton />
      </header>
      <main>
        <div class="toolbar" role="group" aria-label="What is shown">
          <Search state={state} update={update} searchBox={searchBox} result={error === null ? "" : "not a regular expression"} error={error} />
        </div>
        <div class="view view-jit"><JitView jit={jit} state={state} update={update} onOpen={() => undefined} /></div>
      </main>
    </div>
  );
}
