// Source lines that the page carries: src/cli/report_source.h.

import type { Facts, FunctionIndex } from "./viewdata.ts";

export interface SourceText {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  /** The file was written to after the log. */
  readonly changed: boolean;
  /** Number and text, ascending. */
  readonly lines: readonly (readonly [number, string])[];
}

/** Tells functions apart. */
export const keyOf = (name: string, file: string, line: number): string => `${line}\n${name}\n${file}`;

/** The texts by their functions. */
export function sourcesOf(facts: Facts, texts: readonly SourceText[]): ReadonlyMap<FunctionIndex, SourceText> {
  const byKey = new Map(texts.map((text) => [keyOf(text.name, text.file, text.line), text]));
  const found = new Map<FunctionIndex, SourceText>();
  for (const [i, [name, file, line]] of facts.functions.entries()) {
    const text = byKey.get(keyOf(name, facts.files[file] ?? "", line));
    if (text !== undefined) found.set(i as FunctionIndex, text);
  }
  return found;
}

/** A row of the table of lines; null: no sample, or no text. */
export interface SourceRow<T> {
  readonly line: number;
  readonly figures: T | null;
  readonly text: string | null;
  /** Lines before it are left out. */
  readonly gap: boolean;
}

/** Lines with samples and lines with a text, each once, ascending. */
export function sourceRows<T extends { readonly line: number }>(figures: readonly T[], source: SourceText | undefined): readonly SourceRow<T>[] {
  const texts = new Map(source?.lines ?? []);
  const byLine = new Map(figures.map((row) => [row.line, row]));
  const lines = [...new Set([...byLine.keys(), ...texts.keys()])].sort((a, b) => a - b);
  return lines.map((line, i) => ({
    line,
    figures: byLine.get(line) ?? null,
    text: texts.get(line) ?? null,
    gap: source !== undefined && i > 0 && line > lines[i - 1] + 1,
  }));
}
