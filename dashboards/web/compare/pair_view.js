// Two mixes on the same images of one bundle: the visitor chooses, the page says how they differ, by how much, and why.

import { Choice } from "../controls/choice.js";
import { fill, h, setText } from "../controls/dom.js";
import { Table } from "../controls/table.js";
import { inPoints } from "./differences.js";
import { mixPair, offeredMixes, parameterDifferences } from "./mixes.js";
import { columnsOf, mixRows } from "./tables.js";

export class PairView {
  /** @param {object} context See `Results`. */
  constructor({ texts, set, refuse, bench }) {
    Object.assign(this, { texts, refuse, bench, turn: 0, comparison: null });
    const choice = (name) => new Choice({ label: texts.plain(`mixes.${name}`), choices: [], onChoose: (value) => set({ [name]: value }) });
    this.choices = Object.fromEntries(["on", "first", "second"].map((name) => [name, choice(name)]));
    this.words = h("p", { role: "status" });
    this.reasons = h("ul", { class: "reasons" });
    this.table = new Table({ columns: columnsOf("pair", texts), label: texts.plain("box.pair") });
    const controls = h("div", { class: "pair-controls" }, Object.values(this.choices).map(({ element }) => element));
    this.element = h("div", { class: "pair" }, controls, this.words, this.table.element, this.reasons);
  }

  /**
   * Show the two mixes of a state; of several calls the newest counts.
   * @param {import("./comparison.js").Comparison} comparison
   * @param {object} state
   */
  async show(comparison, state) {
    const turn = ++this.turn;
    const { names } = comparison;
    if (!names.length) return;
    const on = names.includes(state.on) ? state.on : names[0];
    const mixes = offeredMixes(comparison, on, this.texts);
    this.choices.on.offer(names.map((name) => [name, name]));
    this.choices.on.show(on);
    for (const name of ["first", "second"]) this.choices[name].offer(mixes.map(([label, word]) => [label, word]));
    const [first, second] = ["first", "second"].map((name, at) => mixes.find(([, word]) => word === state[name]) ?? mixes[Math.min(at, mixes.length - 1)]);
    if (!first) return this.empty(this.texts.plain("pair.empty"));
    this.choices.first.show(first[1]);
    this.choices.second.show(second[1]);
    if (first === second) return this.empty(this.texts.plain("pair.same"));
    try {
      const found = await mixPair(this.bench(on), first[2], second[2]);
      if (turn === this.turn) this.fill(found, [first, second].map(([, word]) => verifiedOf(comparison.metas[on], word)));
    } catch (error) {
      if (turn === this.turn) this.empty(error.message);
    }
  }

  fill({ first, second, paired }, verified) {
    const { texts } = this;
    const clean = texts.plain("pair.clean", { points: inPoints(paired.clean, texts) });
    const attacked = paired.attacked && texts.plain("pair.attacked", { points: inPoints(paired.attacked, texts) });
    const bound = attacked ? texts.plain(second.optimistic ? "pair.optimistic" : "pair.bound") : "";
    setText(this.words, `${texts.plain(attacked ? "pair.joined" : "pair.alone", { clean, attacked })} ${bound}`);
    this.table.element.hidden = false;
    this.table.update({ rows: mixRows({ first, second, paired }, verified, texts) });
    const reasons = parameterDifferences(first.params, second.params, texts);
    fill(this.reasons, reasons.map((line) => h("li", null, line)));
  }

  /** Say why there is nothing to show. */
  empty(text) {
    setText(this.words, text);
    fill(this.reasons);
    this.table.element.hidden = true;
  }
}

/** What an adaptive attack has left of a configuration's mix; null for other mixes. */
function verifiedOf({ configs }, word) {
  return configs.find(({ file }) => word === `file:${file}`)?.verified ?? null;
}
