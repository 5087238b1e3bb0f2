// The verified mixes at hand: what each one's attack has left; a click sets exactly the stored parameters.

import { changesTo } from "../app/settings.js";
import { Table } from "../controls/table.js";
import { card } from "./cards.js";
import { filledIn, verifiedConfigs, verifiedMixes } from "./known.js";
import { alphaText, estimateText } from "../app/numbers.js";
import { settingsWords } from "./sentences.js";
import { WORDS } from "./words.js";

export class Stars {
  static views = [];

  constructor(root, context) {
    Object.assign(this, { root, context, configs: [], shown: null });
    const { title, none, columns } = WORDS.stars;
    const column = ([key, label]) => ({ key, label, numeric: key === "clean" || key === "verified", digits: 2 });
    this.table = new Table({
      columns: Object.entries(columns).map(column),
      label: title,
      empty: none,
      onChoose: (place) => context.set(changesTo(this.configs[place].params)),
    });
    card(root, title, this.table.element);
  }

  update({ meta, remix }) {
    if (meta !== this.shown) {
      this.shown = meta;
      this.configs = verifiedConfigs(meta);
      this.rows = this.configs.map((config, place) => rowOf(config, place, this.context.settings));
    }
    const here = verifiedMixes(meta).of(remix.params);
    const place = this.configs.findIndex((config) => here && verifiedMixes(meta).of(filledIn(config)) === here);
    this.table.update({ rows: this.rows, chosen: place < 0 ? null : place });
  }
}

function rowOf(config, key, settings) {
  const params = filledIn(config);
  const figure = (name, estimate) =>
    estimate && { [name]: 100 * estimate.value, [`${name}_more`]: estimateText(estimate).replace(/^.*? % /, "") };
  return {
    key,
    name: config.label,
    settings: settingsWords(params, settings),
    alpha: alphaText(params.alpha),
    alpha_sort: params.alpha,
    ...figure("clean", config.clean),
    ...figure("verified", config.verified),
  };
}
