// Keys of the whole page; those of a view are the view's.

import { useLayoutEffect } from "preact/hooks";
import { type Tab, type ViewState, tabs } from "../model/state.ts";
import type { StateProps } from "./viewstate.ts";

const toggles: Readonly<Record<string, "inverted" | "foldRecursion" | "onlyOwn">> = {
  i: "inverted",
  r: "foldRecursion",
  o: "onlyOwn",
};

/** With these a key is the browser's: to zoom the page, to go back. */
export const isBrowsers = (event: KeyboardEvent): boolean => event.ctrlKey || event.metaKey || event.altKey;

const inField = ({ target }: KeyboardEvent): boolean => target instanceof HTMLElement && target.matches("input, select, textarea");

/** Calls it for the keys of the whole page; what it returns true for is taken. */
function usePageKeys(take: (key: string) => boolean): void {
  // Before the page is seen: a key that comes then has something to do, and sees the newest state.
  useLayoutEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      if (!inField(event) && !isBrowsers(event) && take(event.key)) event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  });
}

/** The key of the search alone, where there are no tabs. */
export function useSearchKey(onSearch: () => void): void {
  usePageKeys((key) => {
    if (key !== "/") return false;
    onSearch();
    return true;
  });
}

export function useKeys({ state, update, onTab, onSearch }: StateProps & {
  readonly onTab: (tab: Tab) => void;
  readonly onSearch: () => void;
}): void {
  usePageKeys((key) => {
    const toggle = toggles[key];
    const tab = tabs[Number(key) - 1];
    if (key === "/") onSearch();
    else if (toggle !== undefined) update({ [toggle]: !state[toggle] } satisfies Partial<ViewState>);
    else if (tab !== undefined) onTab(tab);
    else return false;
    return true;
  });
}
