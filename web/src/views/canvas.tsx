// What graphs on a canvas share: their size, painting, files of them, and the box
// beside the pointer.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Scene, flameSvg, paintFlame } from "../paint/flame.ts";

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
      element.width = width * 2;
      element.height = Math.min(height * 2, 16000);
      const context = element.getContext("2d");
      if (context === null) return Promise.resolve(null);
      context.scale(2, 2);
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
