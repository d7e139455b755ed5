// What the colors stand for, with the shares of each.

import { formatPercent } from "../format.ts";
import { cssColor } from "../paint/colors.ts";
import { type Look, shareOf, useLegend } from "./look.ts";

export function Legend({ look }: { readonly look: Look }) {
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
