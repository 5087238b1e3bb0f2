// How the page comes to show something: from its address, or because another bundle was chosen.

import { imagesIn } from "../app/images.js";
import { readLink, stateOf, writeLink } from "../app/links.js";
import { NO_ANSWER } from "../app/no_answer.js";
import { mixOf } from "../app/settings.js";
import { sentence } from "../controls/entries.js";
import { thousands } from "../engine/text.js";
import { hideable } from "./column.js";
import { withoutImages } from "./listing.js";
import { opening, openingOf } from "./opening.js";

export class Arrival {
  /**
   * @param {object} page The parts of the page: settings, host, store, bundle, searching, banner.
   * @param {{opening: (name: string|null) => void, opened: () => void}} on Called when a bundle is on its way, with its
   *   name, and with null when that is over; and when one is open.
   */
  constructor(page, on) {
    Object.assign(this, { page, on, handed: false }); // `handed`: α is by hand because the bundle gave no other way
  }

  /** Bring the page to what a link asks for; what is wrong with it stands in the banner, the rest applies. */
  async take(query) {
    const { settings, host, store, bundle, banner } = this.page;
    const link = this.read(query);
    const problems = [...link.problems];
    const wanted = stateOf(settings, link, bundle.name ?? host.bundles[0].name);
    if (!(await this.openOneOf(wanted.bundle, problems))) return; // another link has come
    const state = { ...wanted, bundle: bundle.name };
    const wrong = this.wrongExample(state);
    if (wrong.length) Object.assign(state, bundle.exampleOf(state), { row: 0 });
    const beyond = this.wrongImages(state);
    if (beyond.length) state.selected = "";
    problems.push(...wrong, ...beyond);
    const changes = this.openingChanges(state, link.best);
    this.handed = !state.by_hand && !bundle.meta.by_level;
    store.set({ ...state, ...changes }, { undoable: false });
    banner.show("link", problems.map(sentence));
  }

  wrongExample(state) {
    const { case: part, row } = this.page.bundle.exampleOf(state);
    if (part) return ["shows must be paper or clean: the bundle has no attacked images"];
    if (row === undefined) return [];
    return [`image must be between 0 and ${thousands(row)} (the link has ${thousands(state.row)})`];
  }

  wrongImages({ selected }) {
    const { n_clean: n } = this.page.bundle.meta;
    return imagesIn(selected, n).beyond ? [`selected must name images from 0 to ${thousands(n - 1)}: the link has others`] : [];
  }

  read(query) {
    const { settings, host } = this.page;
    return readLink(settings, query, {
      bundles: host.bundles.map(({ name }) => name),
      grids: settings.byName.grid.choices.map(([, value]) => value),
      controls: hideable(settings),
    });
  }

  /** Open a bundle, or else stay with the one before, or open the first that can be; whether nothing else is wanted by now. */
  async openOneOf(name, problems) {
    const { bundle, host } = this.page;
    const others = [bundle.name, ...host.bundles.map((one) => one.name)].filter((one) => one !== null && one !== name);
    for (const one of [name, ...others]) {
      try {
        if (bundle.ready && bundle.name === one) return this.stay();
        return await this.open(one);
      } catch ({ message, cause }) {
        const problem = cause === NO_ANSWER ? `${one}: ${message}` : message;
        if (!problems.includes(problem)) problems.push(problem); // the engine's own is that of all bundles
      }
    }
    throw new Error(problems.join(" "));
  }

  stay() {
    this.on.opening(null);
    return true;
  }

  async open(name) {
    const { bundle } = this.page;
    this.on.opening(name);
    const open = await bundle.open(name);
    if (!open) return false;
    this.on.opening(null);
    this.on.opened();
    return true;
  }

  /** Go to the bundle that a state names; the state is back at one that can be opened if that cannot. */
  async follow({ bundle: name, ...rest }, before) {
    const { store, bundle, banner } = this.page;
    const problems = [];
    if (!(await this.openOneOf(name, problems))) return;
    const state = store.get();
    const changes = { bundle: bundle.name, grid: state.grid.replace(/\++$/, ""), ...bundle.exampleOf(state), ...withoutImages(rest, before) };
    if (!bundle.meta.by_level) {
      this.handed ||= !state.by_hand;
      changes.by_hand = true;
    } else if (this.handed) changes.by_hand = false;
    store.set(changes, { undoable: false });
    banner.show("bundle", problems.map(sentence));
  }

  /** Note a step of the visitor: an α that was chosen stays by hand, whatever bundle comes. */
  noteStep(state, before) {
    const ofLevel = ["by_hand", "alpha"].some((name) => state[name] !== before[name]);
    if (ofLevel && state.bundle === before.bundle) this.handed = false;
  }

  /** The changes that bring a state to what its page opens on, where nobody chose s, p and c. */
  openingChanges(state, best) {
    const { bundle, host, searching } = this.page;
    if (!best) return bundle.meta.by_level ? {} : { by_hand: true };
    const { changes, known } = opening(bundle.meta, state, host.presets.grids);
    if (!known) searching.await(mixOf({ ...state, ...changes }));
    return changes;
  }

  /** The link of a state. */
  linkOf(state) {
    const { settings, bundle, searching } = this.page;
    if (state.bundle !== bundle.name) return writeLink(settings, state, null); // what is shown is of the one before
    const found = searching.awaited(state) ? mixOf(state) : searching.openingOf(state);
    return writeLink(settings, state, openingOf(bundle.meta, settings, state) ?? found);
  }
}
