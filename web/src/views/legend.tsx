// What the colors stand for, with the shares of each.

import { formatPercent } from "../format.ts";
import { stateLabel } from "../model/names.ts";
import { type TreeStates, states } from "../model/viewdata.ts";
import { type Rgb, cssColor, grownColors, shrunkColors, stateColor, unchangedColor } from "../paint/colors.ts";
import { type Look, shareOf, useLegend } from "./look.ts";

export function Legend({ look, by }: { readonly look: Look; readonly by: "change" | "state" | "function" }) {
  if (by === "change") return <ChangeLegend seconds={look.seconds} />;
  return by === "state" && look.states !== null ? <StateLegend look={look} ticks={look.states} /> : <ShareLegend look={look} />;
}

function StateLegend({ look, ticks }: { readonly look: Look; readonly ticks: TreeStates }) {
  return (
    <footer class="legend" aria-label="Legend">
      {states.map((state, i) =>
        ticks[i][0] > 0 ? (
          <span key={state} class="legend-entry">
            <i class="swatch" style={{ background: cssColor(stateColor[state]) }} /> {stateLabel[state]}{" "}
            <b>{formatPercent(shareOf(ticks[i][0], look.whole))}</b>
          </span>
        ) : null,
      )}
      <span class="faint legend-note">a frame's parts are the states of its samples</span>
    </footer>
  );
}

function ChangeLegend({ seconds }: { readonly seconds: boolean }) {
  const swatches = (colors: readonly Rgb[]) => colors.map((color, i) => <i key={i} class="swatch" style={{ background: cssColor(color) }} />);
  return (
    <footer class="legend" aria-label="Legend">
      <span class="legend-entry">less {swatches(shrunkColors)}</span>
      <span class="legend-entry">{swatches([unchangedColor])} not significant</span>
      <span class="legend-entry">{swatches(grownColors)} more, or new</span>
      <span class="faint legend-note">a {seconds ? "time" : "share"} beside that in the log before: other by up to a third, two thirds, more</span>
    </footer>
  );
}

function ShareLegend({ look }: { readonly look: Look }) {
  const shares = useLegend(look);
  const percent = (ticks: number): string => formatPercent(shareOf(ticks, look.whole));
  return (
    <footer class="legend" aria-label="Legend">
      {look.coloring.legend.map((entry, i) =>
        shares[i] !== undefined && shares[i].total > 0 && look.whole > 0 ? (
          <span key={entry.label} class="legend-entry" title={`self ${percent(shares[i].self)}; on the stack of ${percent(shares[i].total)} of the samples`}>
            <i class="swatch" style={{ background: cssColor(entry.color) }} /> {entry.label}{" "}
            <b>{percent(shares[i].self)}</b>
          </span>
        ) : null,
      )}
      <span class="faint legend-note">shares of self</span>
    </footer>
  );
}
