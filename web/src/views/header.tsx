// What was profiled, in two lines.

import { useState } from "preact/hooks";
import { formatCount, formatDate, formatPercent, formatSeconds } from "../format.ts";
import { stateLabel } from "../model/names.ts";
import { type Facts, states } from "../model/viewdata.ts";
import { shareOf } from "./look.ts";
import { type Profile, programName } from "./profile.ts";
import { type ThemeChoice, setThemeChoice, themeChoice } from "./theme.ts";

/** More lost ticks than this are worth a warning. */
const LOST = 0.01;
/** Less of the CPU time without samples is not worth a word. */
const UNSAMPLED = 0.005;

export function Header({ profile }: { readonly profile: Profile }) {
  const { facts } = profile.engine;
  const parts = [
    // A rate is of ticks: several that come late are one sample.
    `${formatCount(facts.samples)} samples${facts.ticks > 1.1 * facts.samples ? ` for ${formatCount(facts.ticks)} ticks` : ""}`,
    facts.wall ? `${formatSeconds(facts.wallSeconds)} of wall time` : `${formatSeconds(facts.cpuSeconds)} of CPU in ${formatSeconds(facts.wallSeconds)}`,
    `${formatCount(facts.achievedHz)} Hz`,
    facts.python === "" ? "" : `${facts.implementation === "" ? "Python" : facts.implementation} ${facts.python}`,
    facts.startUnix > 0 ? formatDate(facts.startUnix) : "",
  ].filter((part) => part !== "");
  const lost = shareOf(facts.lost, facts.lost + facts.ticks);
  return (
    <header class="head">
      {profile.home !== undefined && <a class="home" href={profile.home}>‹ Profiles</a>}
      <h1 title={facts.argv.split("\n").join(" ")}>{programName(profile)}</h1>
      <p class="faint facts">{parts.join(" · ")}</p>
      {facts.lost > 0 && <p class={lost > LOST ? "warning" : "faint facts"}>{formatPercent(lost)} of the ticks lost</p>}
      {facts.unsampledShare >= UNSAMPLED && <p class={facts.unsampledShare > LOST ? "warning" : "faint facts"}>{formatPercent(facts.unsampledShare)} of the CPU time without samples, most in threads that used too little for a tick</p>}
      {profile.before !== null && <p class="faint facts">compared with {profile.before.logName}, {formatCount(profile.before.engine.facts.samples)} samples</p>}
      {facts.states !== undefined && <p class="faint facts states">{statesText(facts.states, facts.ticks)}</p>}
      {facts.behindEndByte > 0 && <p class="warning">The file is damaged behind the log’s end, at byte {facts.behindEndByte} ({facts.behindEnd}): this is the log before that.</p>}
      {facts.cut && <p class="warning">The log has no clean end: this is what was written.</p>}
      <ThemeButton />
    </header>
  );
}

/** As the terminal says it: what was not recorded is no zero. */
function statesText({ ticks, recorded, loops, complete }: NonNullable<Facts["states"]>, whole: number): string {
  const parts = states.flatMap((state, i) => {
    const unknown = !recorded && (state === "gcMinor" || state === "gcMajor" || state === "warmUp");
    if (unknown || (state === "native" && ticks[i] === 0)) return [];
    return [`${stateLabel[state]}${state === "jit" && !loops ? " at least" : ""} ${formatPercent(shareOf(ticks[i], whole))}`];
  });
  const note = !recorded ? " (GC and warm-up were not recorded)" : complete ? "" : " (GC and warm-up were not recorded up to the end)";
  return `PyPy: ${parts.join(", ")}${note}`;
}

export function ThemeButton() {
  const [choice, setChoice] = useState<ThemeChoice>(themeChoice());
  const next: Readonly<Record<ThemeChoice, ThemeChoice>> = { auto: "light", light: "dark", dark: "auto" };
  const label: Readonly<Record<ThemeChoice, string>> = { auto: "Auto", light: "Light", dark: "Dark" };
  return (
    <button
      type="button"
      class="theme"
      aria-label={`Colors: ${label[choice]}`}
      onClick={() => {
        setThemeChoice(next[choice]);
        setChoice(next[choice]);
      }}
    >
      <span aria-hidden="true">◐</span> {label[choice]}
    </button>
  );
}
