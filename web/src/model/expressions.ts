// Where in source lines the expressions stand that ran. A log tells it in bytes of
// UTF-8, texts here have units of UTF-16.

/** An expression, from a column of its first line to one of its last, which is not in it. */
export interface Place {
  readonly line: number;
  readonly endLine: number;
  readonly column: number;
  readonly endColumn: number;
}

/** A part of a line, and the innermost expression that it is of; null: of none. */
export interface Piece<T> {
  readonly text: string;
  readonly of: T | null;
}

/** By byte the index in the text, -1 within a character; null: the bytes are not known. */
function indicesOf(text: string): Int32Array | null {
  // What was no UTF-8 in the file.
  if (text.includes("\ufffd")) return null;
  const indices = new Int32Array(text.length * 3 + 1).fill(-1);
  let byte = 0;
  let index = 0;
  for (const character of text) {
    indices[byte] = index;
    const code = character.codePointAt(0) ?? 0;
    byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += character.length;
  }
  indices[byte] = index;
  return indices;
}

/** The part of a line that an expression has; null: none, or it does not fit the text. */
function partOf(place: Place, line: number, text: string, indices: Int32Array): readonly [number, number] | null {
  const begin = line === place.line ? (indices[place.column] ?? -1) : text.search(/\S|$/);
  const end = line === place.endLine ? (indices[place.endColumn] ?? -1) : text.trimEnd().length;
  return begin >= 0 && begin < end ? [begin, end] : null;
}

const bySize = (a: Place, b: Place): number =>
  b.endLine - b.line - (a.endLine - a.line) || b.endColumn - b.column - (a.endColumn - a.column);

/** Cuts a line where expressions begin and end. places: those of the line, and others. */
export function piecesOf<T extends Place>(line: number, text: string, places: readonly T[]): readonly Piece<T>[] {
  const indices = indicesOf(text);
  const owner = new Array<T | null>(text.length).fill(null);
  const here = indices === null ? [] : places.filter((place) => place.line <= line && line <= place.endLine);
  // What lies in another expression is smaller, and comes after it.
  for (const place of here.sort(bySize)) {
    const part = indices && partOf(place, line, text, indices);
    if (part) owner.fill(place, ...part);
  }
  const pieces: Piece<T>[] = [];
  for (let begin = 0, end = 0; begin < text.length; begin = end) {
    while (end < text.length && owner[end] === owner[begin]) end++;
    pieces.push({ text: text.slice(begin, end), of: owner[begin] });
  }
  return pieces;
}

/** The text of an expression in its first line; "" where that is not known. */
export function textOf(place: Place, text: string | undefined): string {
  const indices = text === undefined ? null : indicesOf(text);
  const part = indices && partOf(place, place.line, text ?? "", indices);
  return part ? `${(text ?? "").slice(...part)}${place.endLine > place.line ? " …" : ""}` : "";
}

/** As `vmprofshow` writes it: columns from 1, in bytes; the last one is in it. */
export function placeText({ line, endLine, column, endColumn }: Place): string {
  return `${line}:${column + 1}–${endLine > line ? `${endLine}:` : ""}${endColumn}`;
}
