// What the worker answers: a bundle once, then for each state the views that are asked for.

import { RemixEngine } from "./engine.js";
import { VIEWS } from "./views/all.js";

export class EngineService {
  /**
   * @param {import("./engine.js").Bundle} bundle
   * @param {{points?: "pool"|"mmaa", seriesFrom?: number}} options See `RemixEngine`.
   */
  constructor(bundle, options) {
    this.engine = new RemixEngine(bundle, options);
  }

  /** The base models' figures. */
  get base() {
    return this.engine.base;
  }

  /**
   * The mix's figures and some views of one state.
   * @param {import("./views/all.js").State} state
   * @param {string[]} names Of `VIEWS`.
   */
  frame(state, names) {
    const { engine } = this;
    const remix = engine.remix(state.params, state.quantile);
    const views = Object.fromEntries(names.map((name) => [name, VIEWS[name]({ engine, state, remix })]));
    const { part, on_images, ...figures } = remix; // the rows stay here
    return { remix: figures, views };
  }
}
