// *Preset*: the grid's best, configurations made on the open bundle, and the paper's transforms.

import { TRANSFORM, changesTo } from "../app/settings.js";
import { Choice } from "../controls/choice.js";

const NONE = "choose …";
const BEST = "Best of the grid for this β";

export class Presets {
  /**
   * @param {import("./explorer.js").Context} context
   * @param {() => void} findBest Goes to the grid's best.
   */
  constructor(context, findBest) {
    Object.assign(this, { context, papers: context.host.presets.named, findBest, configs: [] });
    const help = "A whole mix that was chosen for this bundle, or a transform: the paper's, or none";
    this.choice = new Choice({ label: "Preset", help, choices: this.names, onChoose: (name) => this.choose(name) });
    this.element = this.choice.element;
    this.choice.show(NONE);
  }

  get names() {
    const all = [NONE, BEST, ...this.configs.map(({ label }) => label), ...this.papers.map(({ name }) => name)];
    return all.map((name) => [name, name]);
  }

  /** Offer the configurations that were made on the bundle that is open. */
  offer(configs) {
    this.configs = configs;
    this.choice.offer(this.names);
  }

  choose(name) {
    const { context } = this;
    const config = this.configs.find(({ label }) => label === name);
    const paper = this.papers.find((one) => one.name === name);
    if (name === BEST) this.findBest();
    else if (config) context.set(changesTo(config.params));
    else if (paper) context.set({ ...changesOf(paper), ...(context.meta().by_level ? {} : { by_hand: true }) });
    this.show(context.state());
  }

  /** Name what is in force: a configuration by its level too, others by the transform alone. */
  show(state) {
    const config = this.configs.find(({ params }) => agrees(state, changesTo(params)));
    const paper = this.papers.find(({ params }) => TRANSFORM.every((name) => state[name] === params[name]));
    this.choice.show(config?.label ?? paper?.name ?? NONE);
  }
}

/** A preset leaves β and T to the visitor, except the paper's, which bring their β. */
function changesOf({ params, level }) {
  return level ? changesTo(params) : Object.fromEntries(TRANSFORM.map((name) => [name, params[name]]));
}

/** Whether a state is at a mix; α set by hand counts whatever β is, and the other way round. */
function agrees(state, { beta, alpha, by_hand: byHand, ...rest }) {
  if (state.by_hand !== byHand) return false;
  const same = byHand ? state.alpha === alpha : state.beta === beta;
  return same && Object.entries(rest).every(([name, value]) => state[name] === value);
}
