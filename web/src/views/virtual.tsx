// Long lists of rows of one height: only those in sight are there.

import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { isBrowsers } from "./keys.ts";

export const LIST_ROW_HEIGHT = 26;
const BEYOND = 8; // rows on each side that are there before they are seen

export interface ListProps {
  readonly count: number;
  /** Index of the row that keys go to, and that stays in sight. */
  readonly active: number;
  readonly onActive: (index: number) => void;
  /** Keys that the list itself does not know. True: taken. */
  readonly onKey: (event: KeyboardEvent) => boolean;
  readonly row: (index: number, attributes: JSX.HTMLAttributes<HTMLDivElement>) => ComponentChildren;
  readonly header: ComponentChildren;
  readonly role: "grid" | "treegrid";
  readonly label: string;
  readonly columns: number;
}

export function VirtualList(props: ListProps) {
  const { count, active } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [height, setHeight] = useState(0);
  const [focused, setFocused] = useState(false);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    setHeight(element.clientHeight);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const head = LIST_ROW_HEIGHT;
    const y = active * LIST_ROW_HEIGHT;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + LIST_ROW_HEIGHT > element.scrollTop + element.clientHeight - head)
      element.scrollTop = y + LIST_ROW_HEIGHT - element.clientHeight + head;
  }, [active, count]);

  // Without a scroll: the row that a mouse is pressed on must stay under it.
  useLayoutEffect(() => {
    if (focused) scroller.current?.querySelector<HTMLElement>('[tabindex="0"][role="row"]')?.focus({ preventScroll: true });
  }, [active, count, focused]);

  const first = Math.max(0, Math.floor(scrollTop / LIST_ROW_HEIGHT) - BEYOND);
  const end = Math.min(count, Math.ceil((scrollTop + height) / LIST_ROW_HEIGHT) + BEYOND);
  const page = Math.max(1, Math.floor(height / LIST_ROW_HEIGHT) - 2);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowsers(event)) return;
    if (event.target instanceof HTMLElement && event.target.closest('[role="columnheader"]')) return;
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: count - 1,
    };
    const to = steps[event.key];
    if (to !== undefined) props.onActive(Math.max(0, Math.min(count - 1, to)));
    else if (!props.onKey(event)) return;
    event.preventDefault();
  };

  const indices: number[] = [];
  for (let i = first; i < end; i++) indices.push(i);
  return (
    <div
      class="list"
      ref={scroller}
      role={props.role}
      aria-label={props.label}
      aria-rowcount={count + 1}
      aria-colcount={props.columns}
      onScroll={() => setScrollTop(scroller.current?.scrollTop ?? 0)}
      onKeyDown={onKeyDown}
      onFocusIn={() => setFocused(true)}
      onFocusOut={() => setFocused(false)}
    >
      <div class="list-head" role="row" aria-rowindex={1}>{props.header}</div>
      <div role="presentation" style={{ height: `${first * LIST_ROW_HEIGHT}px` }} />
      {indices.map((i) =>
        props.row(i, {
          role: "row",
          "aria-rowindex": i + 2,
          "aria-selected": i === active,
          tabIndex: i === active ? 0 : -1,
        }),
      )}
      <div role="presentation" style={{ height: `${(count - end) * LIST_ROW_HEIGHT}px` }} />
    </div>
  );
}

/** A share as a number over a bar. */
export function ShareCell({ share, text, kind }: {
  readonly share: number;
  readonly text: string;
  readonly kind: "self" | "total";
}) {
  return (
    <div role="gridcell" class={`cell number share ${kind}`}>
      <span class="bar" style={{ width: `${Math.min(100, share * 100)}%` }} />
      <span class="value">{text}</span>
    </div>
  );
}
