// Light and dark: as the system says, unless the reader chose.

import { useEffect, useState } from "preact/hooks";
import type { Theme } from "../paint/flame.ts";

export type ThemeChoice = "auto" | "light" | "dark";

export interface PageTheme extends Theme {
  readonly dark: boolean;
  /** Of nodes that are no functions. */
  readonly groupFill: string;
  readonly line: string;
  /** Behind names of threads, and over what is being chosen. */
  readonly band: string;
  readonly brush: string;
  readonly cpu: string;
  readonly memory: string;
}

const light: PageTheme = {
  dark: false,
  page: "#ffffff",
  ink: "#111418",
  faint: "#5b6470",
  fadedFill: "#e6e9ed",
  fadedInk: "#4a525d",
  restFill: "#ccd2d9",
  mark: "#b3005e",
  groupFill: "#dfe3e8",
  line: "#d5dae0",
  band: "#eceff3",
  brush: "rgba(11,92,173,0.22)",
  cpu: "#c2700a",
  memory: "#0f6cab",
};

const dark: PageTheme = {
  dark: true,
  page: "#14171c",
  ink: "#f4f6f8",
  faint: "#98a2ae",
  fadedFill: "#2b313a",
  fadedInk: "#a9b2bd",
  restFill: "#3d4550",
  mark: "#c2006b",
  groupFill: "#8d97a5",
  line: "#323943",
  band: "#262c35",
  brush: "rgba(124,192,245,0.22)",
  cpu: "#f2ab3d",
  memory: "#72bfed",
};

const KEY = "vmprof-theme";
const listeners = new Set<() => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

function stored(): ThemeChoice {
  try {
    const value = window.localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // a page without storage
  }
}

let choice: ThemeChoice = stored();

function apply(): void {
  document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
  for (const listener of listeners) listener();
}

function isDark(): boolean {
  return choice === "auto" ? system.matches : choice === "dark";
}

export function setThemeChoice(next: ThemeChoice): void {
  choice = next;
  try {
    window.localStorage.setItem(KEY, next);
  } catch {
    // It holds for this page only.
  }
  apply();
}

export const themeChoice = (): ThemeChoice => choice;

system.addEventListener("change", apply);
apply();

export function useTheme(): PageTheme {
  const [theme, setTheme] = useState<PageTheme>(isDark() ? dark : light);
  useEffect(() => {
    const listener = (): void => setTheme(isDark() ? dark : light);
    listeners.add(listener);
    listener();
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return theme;
}
