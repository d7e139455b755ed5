// The lines of one function with their source, and in them the expressions that ran.

import { useMemo } from "preact/hooks";
import { formatPercent } from "../format.ts";
import { type Piece, piecesOf, placeText, textOf } from "../model/expressions.ts";
import { type SourceText, sourceRows } from "../model/sourcetext.ts";
import type { ExpressionRow, LineRow } from "../model/viewdata.ts";
import { shareOf } from "./look.ts";

export interface LinesProps {
  readonly lines: readonly LineRow[];
  /** Where the log knows columns. */
  readonly expressions: readonly ExpressionRow[];
  /** Where the page carries it. */
  readonly source: SourceText | undefined;
  /** Ticks of all samples, and of those in the function. */
  readonly all: number;
  readonly total: number;
}

/** What has less of the hottest expression is told in the table alone: a name would cut the call that it is in. */
const LEAST_MARKED = 1 / 20;
/** The hottest ones: each line is cut at all that it has. */
const MOST_MARKED = 500;

export function Lines({ lines, expressions, source, all, total }: LinesProps) {
  const most = expressions.reduce((so, row) => Math.max(so, row.total), 0);
  const rows = useMemo(() => {
    const hottest = [...expressions].sort((a, b) => b.total - a.total).slice(0, MOST_MARKED);
    const marked = hottest.filter((row) => row.total >= most * LEAST_MARKED);
    return sourceRows(lines, source).map((row) => ({ ...row, pieces: row.text === null ? [] : piecesOf(row.line, row.text, marked) }));
  }, [lines, expressions, source]);
  return (
    <section class="lines" aria-label="Lines">
      {source?.changed && <p class="warning">The file has been written to since the log was made: the text may be another one.</p>}
      <table>
        <thead>
          <tr>
            <th scope="col">Line</th><th scope="col">Self</th><th scope="col">Total</th>
            {source !== undefined && <th scope="col" class="code">Source</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ line, figures, pieces, gap }) => (
            <tr key={line} class={gap ? "gap" : ""}>
              <th scope="row">{line === 0 ? "not known" : line}</th>
              <FigureCells figures={figures} all={all} total={total} />
              {source !== undefined && (
                <td class={figures === null ? "code faint" : "code"}>
                  {pieces.map((piece) => <SourcePiece piece={piece} all={all} most={most} />)}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {expressions.length > 0 && <Expressions expressions={expressions} source={source} all={all} total={total} />}
    </section>
  );
}

/** A part of a line, the stronger the more of the hottest expression it has. */
function SourcePiece({ piece: { text, of }, all, most }: {
  readonly piece: Piece<ExpressionRow>;
  readonly all: number;
  readonly most: number;
}) {
  if (of === null) return <>{text}</>;
  const percent = 10 + 90 * shareOf(of.total, most);
  return (
    <mark
      style={{ background: `color-mix(in srgb, var(--total) ${percent}%, transparent)` }}
      title={`${placeText(of)}: total ${formatPercent(shareOf(of.total, all))}, self ${formatPercent(shareOf(of.self, all))}`}
    >
      {text}
    </mark>
  );
}

/** What the marks in the lines tell, the most first: for keys and for those who do not see colors. */
function Expressions({ expressions, source, all, total }: Omit<LinesProps, "lines">) {
  const rows = useMemo(() => {
    const texts = new Map(source?.lines ?? []);
    return [...expressions]
      .sort((a, b) => b.total - a.total || b.self - a.self)
      .map((row) => ({ row, place: placeText(row), text: textOf(row, texts.get(row.line)) }));
  }, [expressions, source]);
  return (
    <details class="expressions">
      <summary>Expressions ({rows.length})</summary>
      <table>
        <thead>
          <tr>
            <th scope="col" title="Line and columns, in bytes from 1">Columns</th><th scope="col">Self</th><th scope="col">Total</th>
            {source !== undefined && <th scope="col" class="code">Source</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, place, text }) => (
            <tr key={place}>
              <th scope="row">{place}</th>
              <FigureCells figures={row} all={all} total={total} />
              {source !== undefined && <td class="code">{text}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function FigureCells({ figures, all, total }: {
  /** null: no sample. */
  readonly figures: { readonly self: number; readonly total: number } | null;
  readonly all: number;
  readonly total: number;
}) {
  return (
    <>
      {(["self", "total"] as const).map((kind) => (
        figures === null ? <td key={kind} /> : (
          <td key={kind} class={`share ${kind}`}>
            <span class="bar" style={{ width: `${Math.min(100, shareOf(figures[kind], total) * 100)}%` }} />
            <span class="value">{formatPercent(shareOf(figures[kind], all))}</span>
          </td>
        )
      ))}
    </>
  );
}
