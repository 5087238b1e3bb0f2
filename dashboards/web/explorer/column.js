// The control column: one control a setting, made from what is declared of it; nothing is computed here.

import { MIX } from "../app/settings.js";
import { button, Toggle } from "../controls/buttons.js";
import { Choice } from "../controls/choice.js";
import { h } from "../controls/dom.js";
import { readLnK, readWhole } from "../controls/entries.js";
import { NumberBox } from "../controls/number.js";
import { Slider } from "../controls/slider.js";
import { Presets } from "./presets.js";

/** Names that `hide=` in a link may have, beside the words of the settings that stand under a heading. */
const HIDEABLE_PARTS = ["history", "bundle", "preset", "level", "search", "example", "snapshots", "verify", "export", "import"];
const IN_REACH = ["s", "p", "c"]; // with β or α: what stays in reach on a phone

const OTHERS = ["find_by", "least", "grid", "case", "row"]; // of the settings that are no part of a mix; all others stand elsewhere
const MORE = "More controls";
const CLOSE = "Back to the plots";
const GLOSSARY_OF = { beta: "β", alpha: "α" };

/** All names that `hide=` may have. */
export function hideable(settings) {
  return [...HIDEABLE_PARTS, ...settings.list.filter(({ group }) => group).map(({ word }) => word)];
}

/** The control of a setting, as it is declared. */
export function inputOf(context, name) {
  const setting = context.settings.byName[name];
  const set = (value) => context.set({ [name]: value });
  const refuse = (problem) => context.refuse(name, problem === null ? [] : [problem]);
  const { label, help, choices, kind } = setting;
  if (kind === "number") return new Slider(setting, { set, refuse }, GLOSSARY_OF[name]);
  if (kind === "choice") return new Choice({ label, help, choices, onChoose: set });
  const read = name === "ln_k" ? readLnK : (text) => readWhole({ ...setting, ...context.limits(name) }, text);
  return new NumberBox({ label, help, read, write: String, onSet: set, refuse });
}

export class Column {
  /**
   * @param {object} context See `explorer.js`.
   * @param {object} parts Elements that others fill, by their names in `hide=`: search, verify, export, import, history.
   * @param {{findBest: () => void, keep: () => void}} actions What its buttons do.
   */
  constructor(context, parts, actions) {
    Object.assign(this, { context, settings: context.settings, inputs: {}, alpha: null });
    for (const name of [...MIX, ...OTHERS]) this.inputs[name] = inputOf(context, name);
    this.bundle = new Choice({
      label: "Bundle",
      help: "The cached logits to explore",
      choices: namesOf(context.host.bundles),
      onChoose: (name) => context.set({ bundle: name }),
    });
    this.presets = new Presets(context, () => actions.findBest());
    this.level = new Toggle({
      label: "How α is set",
      choices: [
        ["α from β", false, "Algorithm 1: α = 1/(1+q)"],
        ["α by hand", true, "Set the mixing weight yourself"],
      ],
      onChoose: (byHand) => this.chooseLevel(byHand),
    });
    this.keep = button("Keep a snapshot", "Compare this mix with others: on the plane and in a table", () => actions.keep());
    this.assemble(parts);
  }

  assemble(parts) {
    const { inputs } = this;
    const own = (name) => [this.settings.byName[name].word, inputs[name].element];
    const named = (name, ...elements) => [name, h("div", { class: "part" }, elements)];
    const groups = [
      ["", "start", [["history", parts.history], ["bundle", this.bundle.element], ["preset", this.presets.element]]],
      ["Transform M(s, p, c)", "reach", IN_REACH.map(own)],
      ["Mix", "reach", [["level", this.level.element], own("beta"), own("alpha")]],
      ["Clamp, layer norm, temperature", "", ["clamp", "ln_k", "temperature"].map(own)],
      ["Search", "", [named("search", inputs.find_by.element, inputs.least.element, inputs.grid.element, parts.search)]],
      ["Compare", "", [["snapshots", this.keep]]],
      ["Verify", "", [["verify", parts.verify]]],
      ["Example", "", [named("example", inputs.case.element, inputs.row.element)]],
      ["Export and import", "", [["export", parts.export], ["import", parts.import]]],
    ];
    this.named = new Map(groups.flatMap(([, , members]) => members));
    this.groups = groups.map(([title, where, members]) => {
      const heading = title ? h("h3", null, title) : null;
      const names = members.map(([name]) => name);
      return { where, names, element: h("section", { class: `group ${where}` }, heading, members.map(([, one]) => one)) };
    });
    const at = (...places) => this.groups.filter(({ where }) => places.includes(where)).map(({ element }) => element);
    this.more = button(MORE, "All other controls", () => this.toggle(), { class: "more", "aria-expanded": "false" });
    this.reach = h("div", { class: "reach-panel" }, this.more, at("reach"));
    const onkeydown = ({ key }) => key === "Escape" && this.toggle(false);
    this.element = h("aside", { class: "column", "aria-label": "Controls", onkeydown }, at("start"), this.reach, at(""));
  }

  /** Open or close the sheet with all controls that a phone has no room for beside the plots. */
  toggle(open = !this.element.classList.contains("open")) {
    this.element.classList.toggle("open", open);
    this.more.setAttribute("aria-expanded", String(open));
    this.more.textContent = open ? CLOSE : MORE;
    if (open) this.element.scrollIntoView({ block: "nearest" }); // it takes a whole screen
  }

  /** "By hand" starts from the α that is in force. */
  chooseLevel(byHand) {
    const from = this.alpha ?? this.context.state().alpha;
    this.context.set(byHand ? { by_hand: true, alpha: Math.min(1, Math.max(0.5, from)) } : { by_hand: false });
  }

  /** Offer other bundles. */
  offerBundles(bundles) {
    this.bundle.offer(namesOf(bundles));
  }

  /** Offer other grids. */
  offerGrids(names) {
    this.inputs.grid.offer(names.map((name) => [name, name]));
  }

  /** Show a state, at once. */
  show(state) {
    for (const [name, input] of Object.entries(this.inputs)) {
      if (name !== "alpha" || state.by_hand) input.show(state[name]);
    }
    this.bundle.show(state.bundle);
    this.presets.show(state);
    this.level.show(state.by_hand);
    this.level.enable(false, Boolean(this.context.meta()?.by_level)); // from attacked images
    this.inputs.beta.enable(!state.by_hand);
    this.inputs.alpha.enable(state.by_hand);
    this.inputs.least.enable(state.find_by !== "beta");
    this.inputs.row.enable(state.case !== "paper");
    this.element.classList.toggle("by-hand", state.by_hand);
    this.hide(state.hidden);
  }

  /** Show the α in force, be it by hand or from β. */
  showAlpha(alpha) {
    this.alpha = alpha;
    if (!this.context.state().by_hand) this.inputs.alpha.show(alpha);
  }

  /** Hide what a link hides, and groups with nothing left in them. */
  hide(hidden) {
    for (const [name, element] of this.named) element.hidden = hidden.includes(name);
    for (const { names, element } of this.groups) element.hidden = names.every((name) => hidden.includes(name));
  }
}

function namesOf(bundles) {
  return bundles.map(({ name }) => [name, name]);
}
