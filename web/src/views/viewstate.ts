// What is chosen, kept in the address too: back and forward work.

import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type ViewState, changeState, readState, writeState } from "../model/state.ts";

/** replace: without a step for the back button. */
export type Update = (change: Partial<ViewState>, replace?: boolean) => void;

export interface StateProps {
  readonly state: ViewState;
  readonly update: Update;
}

export function useViewState(): StateProps {
  const [state, setState] = useState<ViewState>(() => readState(window.location.hash));
  const latest = useRef(state);
  latest.current = state;
  useLayoutEffect(() => {
    const listener = (): void => {
      if (writeState(latest.current) !== window.location.hash.slice(1)) setState(readState(window.location.hash));
    };
    window.addEventListener("popstate", listener);
    window.addEventListener("hashchange", listener);
    return () => {
      window.removeEventListener("popstate", listener);
      window.removeEventListener("hashchange", listener);
    };
  }, []);
  const update = useCallback((change: Partial<ViewState>, replace = false): void => {
    const next = changeState(latest.current, change);
    const text = `#${writeState(next)}`;
    if (replace) window.history.replaceState(null, "", text);
    else if (text !== `#${writeState(latest.current)}`) window.history.pushState(null, "", text);
    latest.current = next;
    setState(next);
  }, []);
  return { state, update };
}
