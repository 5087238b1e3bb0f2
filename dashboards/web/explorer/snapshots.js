// The snapshots beside the current mix, with paired differences; seen and unseen images apart.

import { changesTo } from "../app/settings.js";
import { Table } from "../controls/table.js";
import { signed } from "../controls/numbers.js";
import { thousands } from "../engine/text.js";
import { card, isHere } from "./cards.js";
import { verifiedMixes } from "./known.js";
import { alphaText, estimateText, percent, pointsText } from "../app/numbers.js";
import { seenWords, settingsWords } from "./sentences.js";
import { WORDS } from "./words.js";

const FIGURES = ["clean", "attacked", "by_margin"];
const CURRENT = "current"; // key of the current mix's row

export class Snapshots {
  static views = ["headline", "seen_and_unseen", "snapshots"];

  constructor(root, context) {
    Object.assign(this, { root, context, state: null });
    const { title, columns, restore, drop } = WORDS.snapshots;
    const plain = new Set(["name", "settings", "alpha"]);
    const column = ([key, [label, help]]) => ({ key, label, help, numeric: !plain.has(key), digits: 2 });
    this.table = new Table({
      columns: Object.entries(columns).map(column),
      label: title,
      actions: { restore, drop },
      onAction: (action, place) => this.act(action, place),
    });
    card(root, title, this.table.element);
  }

  act(action, place) {
    const { snapshots } = this.state;
    if (action === "restore") this.context.set(changesTo(snapshots[place]));
    else this.context.set({ snapshots: snapshots.filter((_, i) => i !== place) });
  }

  update({ state, views, remix, meta }) {
    this.state = state;
    this.root.hidden = !state.snapshots.length;
    const { headline, seen_and_unseen: split, snapshots } = views;
    if (this.root.hidden || !isHere(this.root, headline && split && snapshots)) return;
    const kept = snapshots.map((mix, place) =>
      mix.error
        ? { key: place, name: mix.name, settings: mix.error }
        : { key: place, name: mix.name, ...this.columns(mix, mix.seen_and_unseen, meta, mix.paired) },
    );
    const current = { key: CURRENT, name: WORDS.snapshots.current, dot: "var(--mix)", fixed: true };
    this.table.update({ rows: [...kept, { ...current, ...this.columns({ ...headline.mix, params: remix.params }, split, meta) }] });
  }

  /** What a row says of a mix, with its differences to the current one where there are pairs. */
  columns(mix, split, meta, pairs = {}) {
    const { params } = mix;
    const figures = Object.fromEntries(FIGURES.map((name) => [name, mix[name]]));
    figures.verified = verifiedMixes(meta).of(params)?.verified ?? null;
    const cells = Object.entries(figures).map(([name, figure]) => cell(name, figure, pairs[name]));
    const settings = settingsWords(params, this.context.settings);
    return Object.assign({ settings, alpha: alphaText(params.alpha) }, seenCell(split), ...cells);
  }
}

/** Clean accuracy on the images that the search saw, and below it on the others. */
function seenCell({ seen, unseen }) {
  if (!seen) return {};
  const { unseen: below, allSeen } = WORDS.snapshots;
  const tip = seenWords({ seen, unseen });
  return { seen: 100 * seen.value, seen_more: unseen ? below(percent(unseen.value)) : allSeen, seen_tip: tip };
}

/** A figure, its difference to the current mix's below it, and both with their intervals on hover. */
function cell(column, figure, pair) {
  if (!figure) return {};
  const tip = [estimateText(figure), pair && WORDS.snapshots.against(pointsText(pair))].filter(Boolean).join("; ");
  const n = column === "verified" ? WORDS.images(thousands(figure.n)) : "";
  const more = pair ? signed(100 * pair.difference.value, 2) : n;
  return { [column]: 100 * figure.value, [`${column}_tip`]: tip, [`${column}_more`]: more };
}
