// What the colors stand for, with the shares of each.

import { formatPercent } from "../format.ts";
import { type Rgb, cssColor, grownColors, shrunkColors, unchangedColor } from "../paint/colors.ts";
import { type Look, shareOf, useLegend } from "./look.ts";

export function Legend({ look, byChange }: { readonly look: Look; readonly byChange: boolean }) {
  return byChange ? <ChangeLegend /> : <ShareLegend look={look} />;
}

function ChangeLegend() {
  const swatches = (colors: readonly Rgb[]) => colors.map((color, i) => <i key={i} class="swatch" style={{ background: cssColor(color) }} />);
  return (
    <footer class="legend" aria-label="Legend">
      <span class="legend-entry">less {swatches(shrunkColors)}</span>
      <span class="legend-entry">{swatches([unchangedColor])} not significant</span>
      <span class="legend-entry">{swatches(grownColors)} more, or new</span>
      <span class="faint legend-note">a share beside that in the log before: other by up to a third, two thirds, more</span>
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
