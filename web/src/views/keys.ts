// Keys of the whole page; those of a view are the view's.

import { useEffect } from "preact/hooks";
import { type Tab, type ViewState, tabs } from "../model/state.ts";
import type { StateProps } from "./viewstate.ts";

const toggles: Readonly<Record<string, "inverted" | "foldRecursion" | "onlyOwn">> = {
  i: "inverted",
  r: "foldRecursion",
  o: "onlyOwn",
};

export function useKeys({ state, update, onTab, onSearch }: StateProps & {
  readonly onTab: (tab: Tab) => void;
  readonly onSearch: () => void;
}): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => {
      const inField = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
      if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
      const toggle = toggles[event.key];
      const tab = tabs[Number(event.key) - 1];
      if (event.key === "/") onSearch();
      else if (toggle !== undefined) update({ [toggle]: !state[toggle] } satisfies Partial<ViewState>);
      else if (tab !== undefined) onTab(tab);
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", listener);
    return () => window.removeEventListener("keydown", listener);
  });
}
