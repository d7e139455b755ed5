// What functions are called, and where they come from.

import type { Facts, FunctionIndex, State } from "./viewdata.ts";

export const origins = ["own", "library", "stdlib", "native", "unknown"] as const;
export type Origin = (typeof origins)[number];

export const originLabel: Readonly<Record<Origin, string>> = {
  own: "Your code",
  library: "Libraries",
  stdlib: "Standard library",
  native: "Native code",
  unknown: "Not known",
};

export const stateLabel: Readonly<Record<State, string>> = {
  interpreter: "interpreter",
  jit: "JIT",
  gcMinor: "minor GC",
  gcMajor: "major GC",
  warmUp: "warm-up",
  native: "native",
};

export interface FunctionName {
  /** Qualified, as far as it is known. */
  readonly name: string;
  readonly file: string;
  /** The file without what many have in common, and the line. */
  readonly place: string;
  readonly line: number;
  readonly origin: Origin;
  /** Package, file or shared library that it is part of. */
  readonly module: string;
}

/** Kinds of functions: enum vmp_profile_kind in profile.h. */
const kind = { unknown: 0, python: 1, native: 2, elided: 3 } as const;

const INSTALLED = /\/(?:site|dist)-packages\/([^/]+)/;
const STANDARD = /\/(?:lib(?:64)?\/(?:python|pypy)\d[\d.]*t?|lib-python\/\d(?:\.\d+)?|lib_pypy)\/([^/]+)/;
const FROZEN = /^<(?:frozen|builtin) ([^>]+)>/;

const COMMON = /^.*\/(?:(?:site|dist)-packages|lib(?:64)?\/(?:python|pypy)\d[\d.]*t?|lib-python\/\d(?:\.\d+)?|lib_pypy)\//;

function shortFile(file: string, cwd: string): string {
  const short = file.replace(COMMON, "");
  return cwd !== "" && short.startsWith(`${cwd}/`) ? short.slice(cwd.length + 1) : short;
}

const withoutSuffix = (name: string): string => name.replace(/\.(?:py|pyc|so|abi3\.so)$/, "");
const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

/** Where a file belongs, and the name of that. */
export function placeOf(file: string, functionKind: number): [Origin, string] {
  if (functionKind === kind.native) return ["native", baseName(file) || "native"];
  if (functionKind === kind.elided) return ["unknown", "left out"];
  if (file === "") return ["unknown", "not known"];
  const installed = INSTALLED.exec(file);
  if (installed) return ["library", withoutSuffix(installed[1])];
  const standard = STANDARD.exec(file) ?? FROZEN.exec(file);
  if (standard) return ["stdlib", withoutSuffix(standard[1])];
  return ["own", withoutSuffix(baseName(file))];
}

export function readNames(facts: Facts): readonly FunctionName[] {
  return facts.functions.map(([name, fileKey, line, functionKind]) => {
    const file = facts.files[fileKey] ?? "";
    const [origin, module] = placeOf(file, functionKind);
    const elided = functionKind === kind.elided;
    const shown =
      elided ? "(frames left out)"
      : name !== "" ? name
      : functionKind === kind.native ? `${baseName(file) || "native code"}`
      : "<unknown>";
    const short = shortFile(file, facts.cwd);
    const place = line > 0 && short !== "" ? `${short}:${line}` : short;
    // What is at the top of a file has no name that tells which.
    const full = shown === "<module>" && file !== "" ? `<module> ${baseName(file)}` : shown;
    return { name: full, file, place, line, origin, module };
  });
}

/** File and line, what tells functions of one name apart. */
export function placeText(fn: FunctionName): string {
  if (fn.file === "") return "";
  return fn.line > 0 ? `${fn.file}:${fn.line}` : fn.file;
}

/** A text that finds the function again in another page of the same program. */
export function functionKey(fn: FunctionName): string {
  return `${fn.name}@${placeText(fn)}`;
}

export function findFunction(names: readonly FunctionName[], key: string): FunctionIndex | null {
  const at = names.findIndex((fn) => functionKey(fn) === key);
  return at < 0 ? null : (at as FunctionIndex);
}

/** Whether a function is what somebody looks for; null: nothing is looked for. */
export type Matcher = (fn: Pick<FunctionName, "name" | "file">) => boolean;

/** Text in name or file, case ignored; /.../ is a regular expression. Null for none;
 *  a text for one that cannot be read. */
export function makeMatcher(text: string): Matcher | string | null {
  if (text === "") return null;
  const pattern = /^\/(.+)\/(i?)$/.exec(text);
  if (pattern) {
    try {
      const regexp = new RegExp(pattern[1], pattern[2]);
      return (fn) => regexp.test(fn.name) || regexp.test(fn.file);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
  const wanted = text.toLowerCase();
  return (fn) => fn.name.toLowerCase().includes(wanted) || fn.file.toLowerCase().includes(wanted);
}

export function matchAll(names: readonly FunctionName[], matcher: Matcher): Uint8Array {
  return Uint8Array.from(names, (fn, i) => (i > 0 && matcher(fn) ? 1 : 0));
}
