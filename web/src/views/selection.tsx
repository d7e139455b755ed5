// What is selected and what can be done with it; what is hidden or looked at.

import { functionKey } from "../model/names.ts";
import { type Rule, addRule, removeRule } from "../model/state.ts";
import type { FunctionIndex, NodeIndex } from "../model/viewdata.ts";
import { ChangeLine } from "./changes.tsx";
import { FigureTable } from "./flame.tsx";
import type { Look } from "./look.ts";
import { nodeLabel, nodePlace } from "./profile.ts";
import type { StateProps } from "./viewstate.ts";

/** node: of the tree, where the tree is shown; fn: the function that it, or the row, is. */
export function Selection({ look, node, fn, note, rootLabel, state, update, onOpen }: StateProps & {
  readonly look: Look;
  readonly node: NodeIndex | null;
  readonly fn: FunctionIndex | null;
  /** What else is known of it. */
  readonly note: string;
  readonly rootLabel: string;
  readonly onOpen: (fn: FunctionIndex) => void;
}) {
  if (fn === null && node === null) return null;
  const { profile, tree } = look;
  const name = fn === null ? null : profile.names[fn];
  const change = (kind: "hide" | "focus", rule: Rule): void => update({ [kind]: addRule(state[kind], rule) });
  return (
    <section class="selection" aria-label="Selected">
      <div class="selection-name">
        <b>{node === null ? name?.name : node === 0 ? rootLabel : nodeLabel(profile, tree.columns, node)}</b>{" "}
        <span class="faint path">{node === null ? "" : nodePlace(profile, tree.columns, node)}</span>
      </div>
      {note !== "" && <span class="note">{note}</span>}
      {node !== null && <FigureTable details={tree.details(node)} />}
      {node !== null && look.changes !== null && <ChangeLine change={look.changes.of(node)} isNew={look.changes.isNew(node)} />}
      {fn !== null && name !== null && (
        <div class="actions">
          {state.tab !== "function" && <button type="button" onClick={() => onOpen(fn)}>Callers and lines</button>}
          <button type="button" onClick={() => change("focus", { scope: "function", value: functionKey(name) })}>Focus</button>
          <button type="button" onClick={() => change("hide", { scope: "function", value: functionKey(name) })}>Hide</button>
          <button type="button" onClick={() => change("focus", { scope: "module", value: name.module })}>Focus {name.module}</button>
          <button type="button" onClick={() => change("hide", { scope: "module", value: name.module })}>Hide {name.module}</button>
          <button type="button" onClick={() => update({ search: name.name })}>Search it</button>
        </div>
      )}
    </section>
  );
}

/** Each rule with a button that ends it. */
export function Rules({ state, update }: StateProps) {
  const chips = (kind: "hide" | "focus", label: string) =>
    state[kind].map((rule: Rule) => (
      <button key={`${kind}:${rule.scope}:${rule.value}`} type="button" class={`chip ${kind}`} title="Click to end this"
        onClick={() => update({ [kind]: removeRule(state[kind], rule) })}>
        {label} {rule.scope === "function" ? rule.value.slice(0, rule.value.lastIndexOf("@")) : `${rule.scope} ${rule.value}`} <span aria-hidden="true">✕</span>
      </button>
    ));
  if (state.hide.length + state.focus.length === 0) return null;
  return (
    <div class="rules" role="group" aria-label="Hidden and focused">
      {chips("focus", "Only through")}
      {chips("hide", "Without")}
    </div>
  );
}
