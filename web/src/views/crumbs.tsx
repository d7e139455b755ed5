// The path from the root to the node that fills the width.

import { formatPercent } from "../format.ts";
import { pathTo } from "../layout/flame.ts";
import type { Tree } from "../model/engine.ts";
import type { NodeIndex } from "../model/viewdata.ts";
import { shareOf } from "./look.ts";
import { type Profile, nodeLabel } from "./profile.ts";

/** Of a longer path the root and its end are shown. */
const MOST = 8;

export function Breadcrumbs({ profile, tree, zoom, rootLabel, onZoom }: {
  readonly profile: Profile;
  readonly tree: Tree;
  readonly zoom: NodeIndex;
  readonly rootLabel: string;
  readonly onZoom: (node: NodeIndex) => void;
}) {
  const columns = tree.columns;
  const path = pathTo(columns, zoom);
  const isLong = path.length > MOST;
  const shown = isLong ? [path[0], ...path.slice(2 - MOST)] : path;
  return (
    <nav class="crumbs" aria-label="Zoomed to">
      {shown.map((node, i) => (
        <span key={node}>
          {i > 0 && <span class="faint" aria-hidden="true"> {isLong && i === 1 ? "› … ›" : "›"} </span>}
          <button type="button" aria-current={node === zoom} onClick={() => onZoom(node)}>
            {node === 0 ? rootLabel : nodeLabel(profile, columns, node)}{" "}
            <span class="faint">{formatPercent(shareOf(columns.total[node], columns.total[0]))}</span>
          </button>
        </span>
      ))}
    </nav>
  );
}
