// The two parts of a bundle as tabs: clean images, attacked images.

import { h, uniqueId } from "../controls/dom.js";

const KEYS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

export class PartTabs {
  /**
   * @param {Object<string, string>} labels By the part's name.
   * @param {string} label What they are of, for screen readers.
   * @param {Element} panel What they show, which becomes their panel.
   * @param {(part: string) => void} onChoose
   */
  constructor(labels, label, panel, onChoose) {
    this.names = Object.keys(labels);
    const id = (panel.id ||= uniqueId("panel"));
    const tab = ([name, text]) => {
      const own = uniqueId("tab");
      const attributes = { type: "button", role: "tab", id: own, "aria-controls": id, onclick: () => choose(name) };
      return h("button", attributes, text);
    };
    const choose = (name) => {
      this.show(name);
      onChoose(name);
    };
    this.panel = panel;
    this.tabs = Object.entries(labels).map(tab);
    this.element = h("div", { class: "tabs", role: "tablist", "aria-label": label, onkeydown: (event) => this.onKey(event, choose) }, this.tabs);
    panel.setAttribute("role", "tabpanel");
    this.show(this.names[0]);
  }

  /** Show which one is chosen. */
  show(name) {
    this.chosen = name;
    this.names.forEach((own, place) => {
      const tab = this.tabs[place];
      tab.setAttribute("aria-selected", String(own === name));
      tab.tabIndex = own === name ? 0 : -1;
      if (own === name) this.panel.setAttribute("aria-labelledby", tab.id);
    });
  }

  onKey(event, choose) {
    const steps = KEYS[event.key];
    if (!steps) return;
    const last = this.names.length - 1;
    const place = Math.max(0, Math.min(last, this.names.indexOf(this.chosen) + steps));
    choose(this.names[place]);
    this.tabs[place].focus();
    event.preventDefault();
  }
}
