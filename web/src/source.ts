// Where the page has its logs from: elements of its own. A server that serves
// the same page would give addresses instead; this is the one place to teach.

import type { SourceText } from "./model/sourcetext.ts";

export interface LogSource {
  readonly name: string;
  /** Path of the list that it stands in, of a page that a server gave. */
  readonly home: string | undefined;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes of base64 of gzip. */
async function unpack(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const binary = atob(text.trim());
  const packed = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) packed[i] = binary.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Those of a class. "log": the log, and perhaps behind it that of an earlier run; "jit": that of its JIT. */
export function pageLogs(kind: "log" | "jit"): readonly LogSource[] {
  return Array.from(document.querySelectorAll<HTMLElement>(`script.${kind}`), (element) => ({
    name: element.dataset["name"] ?? "log",
    home: element.dataset["home"],
    bytes: () => unpack(element.textContent ?? ""),
  }));
}

/** The source lines of the log; none unless they were asked for. */
export function pageSource(): readonly SourceText[] {
  const elements = Array.from(document.querySelectorAll("script.source"));
  return elements.flatMap((element) => JSON.parse(element.textContent ?? "[]") as readonly SourceText[]);
}

export function engineModule(): Promise<Uint8Array<ArrayBuffer>> {
  return unpack(document.getElementById("engine")?.textContent ?? "");
}
