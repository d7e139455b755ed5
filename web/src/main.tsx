import { render } from "preact";
import { Engine } from "./model/engine.ts";
import { JitLog } from "./model/jit.ts";
import { readNames } from "./model/names.ts";
import { sourcesOf } from "./model/sourcetext.ts";
import type { Facts } from "./model/viewdata.ts";
import { engineModule, pageLogs, pageSource } from "./source.ts";
import { App } from "./views/app.tsx";
import { JitPage } from "./views/jit.tsx";
import type { Before } from "./views/profile.ts";
import "uplot/dist/uPlot.min.css";
import "./style.css";

async function start(place: HTMLElement): Promise<void> {
  const [log, old] = pageLogs("log");
  const [jitlog] = pageLogs("jit");
  const texts = pageSource();
  const jitOf = async (facts: Facts | null): Promise<JitLog | null> =>
    (jitlog === undefined ? null : new JitLog(jitlog.name, await jitlog.bytes(), facts, texts));
  if (log === undefined) {
    const jit = await jitOf(null);
    if (jit === null) throw new Error("this page has no log in it; make one by: vmprof report LOG -o FILE");
    place.replaceChildren();
    render(<JitPage jit={jit} />, place);
    return;
  }
  const engine = await Engine.open(await engineModule(), await log.bytes());
  const names = readNames(engine.facts);
  const before = old === undefined ? null : besideOf(engine, await old.bytes(), old.name);
  const sources = sourcesOf(engine.facts, texts);
  const jit = await jitOf(engine.facts);
  place.replaceChildren();
  render(<App profile={{ engine, names, logName: log.name, home: log.home, before, sources, jit }} />, place);
}

function besideOf(engine: Engine, log: Uint8Array, logName: string): Before {
  const before = engine.beside(log);
  return { engine: before, names: readNames(before.facts), logName, match: engine.match(before) };
}

function fail(place: HTMLElement, error: unknown): void {
  const text = document.createElement("p");
  text.className = "failure";
  text.setAttribute("role", "alert");
  text.textContent = `The profile cannot be shown: ${error instanceof Error ? error.message : String(error)}`;
  place.replaceChildren(text);
}

const place = document.getElementById("app");
if (place !== null) start(place).catch((error: unknown) => fail(place, error));
