// What graphs on a canvas share: their size, painting, files of them, and the box
// beside the pointer.

import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ROW_HEIGHT, type Scene, flameSvg, paintFlame } from "../paint/flame.ts";

export interface Drawer {
  svg(): string;
  png(): Promise<Blob | null>;
}

/** The graph as a file, named after the log. */
export async function saveGraph(drawer: Drawer | null, kind: "svg" | "png", logName: string): Promise<void> {
  const blob = kind === "png" ? await drawer?.png() : drawer && new Blob([drawer.svg()], { type: "image/svg+xml" });
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${logName.replace(/\.[^.]*$/, "")}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Of an image, in height: browsers have no larger canvases. */
const MOST_PIXELS = 16000;

/** A scene as files: all of it, whatever is in sight. */
export function makeDrawer(full: () => { readonly scene: Scene; readonly width: number; readonly height: number }, title: string): Drawer {
  return {
    svg() {
      const { scene, width, height } = full();
      return flameSvg(scene, width, height, title);
    },
    png() {
      const { scene, width, height } = full();
      const element = document.createElement("canvas");
      const ratio = Math.min(2, MOST_PIXELS / height);
      element.width = Math.round(width * ratio);
      element.height = Math.round(height * ratio);
      const context = element.getContext("2d");
      if (context === null) return Promise.resolve(null);
      context.scale(ratio, ratio);
      context.fillStyle = scene.theme.page;
      context.fillRect(0, 0, width, height);
      paintFlame(context, scene);
      return new Promise((done) => element.toBlob(done, "image/png"));
    },
  };
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export function useSize(ref: RefObject<HTMLElement>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return undefined;
    const measure = (): void => setSize({ width: element.clientWidth, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  return size;
}

/** Paints what is in sight, after each change. */
export function usePainted(canvas: RefObject<HTMLCanvasElement>, size: Size, makeScene: () => Scene): void {
  useEffect(() => {
    const element = canvas.current;
    if (element === null || size.width === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (element.width !== width) element.width = width;
    if (element.height !== height) element.height = height;
    const context = element.getContext("2d");
    if (context === null) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    paintFlame(context, makeScene());
  });
}

/** A canvas that stays in sight while its place is scrolled. The attributes are those of the canvas. */
export function ScrolledCanvas({ scroller, canvas, height, contentHeight, onScrolled, spoken, ...attributes }: JSX.HTMLAttributes<HTMLCanvasElement> & {
  readonly scroller: RefObject<HTMLDivElement>;
  readonly canvas: RefObject<HTMLCanvasElement>;
  readonly height: number;
  readonly contentHeight: number;
  readonly onScrolled: (top: number) => void;
  /** What is selected, for those who do not see it. */
  readonly spoken: string;
}) {
  return (
    <>
      <div class="flame-scroll" ref={scroller} onScroll={() => onScrolled(scroller.current?.scrollTop ?? 0)}>
        <canvas {...attributes} ref={canvas} tabIndex={0} role="application" style={{ height: `${height}px` }} />
        <div style={{ height: `${Math.max(0, contentHeight - height)}px` }} />
      </div>
      <div class="spoken" role="status" aria-live="polite">{spoken}</div>
    </>
  );
}

/** Scrolls no further than to see the row that begins at y. covered: pixels above all rows that hide what is under them. */
export function reveal(scroller: HTMLElement, y: number, covered = 0): void {
  const end = y + ROW_HEIGHT + covered;
  if (y < scroller.scrollTop) scroller.scrollTop = y;
  else if (end > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = end - scroller.clientHeight;
}

/** Beside the pointer, and within the window. */
export function Tooltip({ x, y, children }: { readonly x: number; readonly y: number; readonly children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const { width, height } = element.getBoundingClientRect();
    const left = Math.min(x + 14, window.innerWidth - width - 8);
    const top = y + 18 + height > window.innerHeight ? y - height - 10 : y + 18;
    element.style.left = `${Math.max(8, left)}px`;
    element.style.top = `${Math.max(8, top)}px`;
  });
  return <div class="tooltip" ref={box}>{children}</div>;
}
