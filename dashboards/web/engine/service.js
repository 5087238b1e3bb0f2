// What the worker answers: a bundle once, then for each state the views that are asked for, and searches.

import { RemixEngine } from "./engine.js";
import { Searches } from "./search/searches.js";
import { VIEWS } from "./views/all.js";

export class EngineService {
  /**
   * @param {import("./engine.js").Bundle} bundle
   * @param {{mixes?: import("./params.js").MixParams[], points?: "pool"|"mmaa", seriesFrom?: number}} options `mixes`: whose
   *   α is wanted at once; for the others see `RemixEngine`.
   */
  constructor(bundle, { mixes = [], ...options } = {}) {
    this.engine = new RemixEngine(bundle, options);
    this.mixes = mixes;
    this.searches = new Searches(this.engine);
  }

  /** What does not move: the base models' figures, the auxiliary classifier's weights, α of the mixes that were named. */
  get base() {
    const { base, auxiliary } = this.engine;
    return { ...base, auxiliary, alphas: this.mixes.map((params) => this.engine.alpha(params)) };
  }

  /**
   * The mix's figures and some views of one state.
   * @param {import("./views/all.js").State} state
   * @param {string[]} names Of `VIEWS`.
   */
  frame(state, names) {
    const { engine, searches } = this;
    const remix = engine.remix(state.params, state.quantile);
    const views = {};
    for (const name of names) {
      if (!Object.hasOwn(VIEWS, name)) throw new RangeError(`there is no view '${name}'`);
      views[name] = VIEWS[name]({ engine, state, remix, searches });
    }
    const { part, on_images, ...figures } = remix; // the rows stay here
    return { remix: figures, views };
  }

  /**
   * A search, in steps of a few milliseconds; afterwards frames have its frontiers and its sensitivity.
   * @param {import("./search/searches.js").SearchRequest} request
   * @returns {Generator<number, import("./search/searches.js").SearchResult>} Yields the share done.
   */
  search(request) {
    return this.searches.run(request);
  }
}
