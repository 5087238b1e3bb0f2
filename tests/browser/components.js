// Mounts the explorer's components on moments that the engine makes here, for the tests.

import { Settings } from "/app/settings.js";
import { EngineService } from "/engine/service.js";
import { VIEWS } from "/engine/views/all.js";
import { Assumptions } from "/explorer/assumptions.js";
import { Examples } from "/explorer/examples.js";
import { ExportPanel } from "/explorer/exports.js";
import { Headline } from "/explorer/headline.js";
import { Provenance } from "/explorer/provenance.js";
import { Remarks } from "/explorer/remarks.js";
import { SearchResults } from "/explorer/search_results.js";
import { Snapshots } from "/explorer/snapshots.js";
import { Sources } from "/explorer/sources.js";
import { Stars } from "/explorer/stars.js";
import { Story } from "/explorer/story.js";
import { Strip } from "/explorer/strip.js";
import { Verification } from "/explorer/verification.js";
import { decoded } from "/driver.mjs";

const COMPONENTS = {
  Strip, Headline, Remarks, Sources, Story, Examples, Assumptions, Stars, Snapshots, SearchResults,
  Provenance, ExportPanel, Verification,
};

export function mount({ bundle, meta, settings: list }, changes = {}) {
  const settings = new Settings(list);
  const page = {
    state: { ...settings.defaults, bundle: meta.name },
    changes: [],
    said: [],
    service: new EngineService(decoded(bundle)),
    meta,
    images: null,
    search: null,
  };
  const context = {
    settings,
    meta: () => meta,
    state: () => page.state,
    host: { services: {} },
    announce: (text) => page.said.push(text),
    set: (changes) => page.changes.push(changes) && page.show(changes),
    current: async () => {},
    selection: { any: false, rows: [], set: new Set() },
    widen: () => page.changes.push("widen"),
  };
  document.body.replaceChildren();
  page.components = Object.entries(COMPONENTS).map(([name, Component]) => {
    const root = document.createElement("section");
    root.id = name;
    document.body.append(root);
    return new Component(root, context);
  });
  page.show = (changes = {}, names = Object.keys(VIEWS)) => {
    Object.assign(page.state, changes);
    const { state } = page;
    const { s, p, c, clamp, ln_k, beta, temperature } = state;
    const params = { s, p, c, clamp, ln_k, beta, temperature, alpha: state.by_hand ? state.alpha : null };
    const example = state.case === "paper" ? null : { where: state.case, row: state.row };
    const frame = page.service.frame({ params, example, snapshots: state.snapshots }, names);
    const moment = { state, meta: page.meta, images: page.images, search: page.search, base: page.service.base, ...frame };
    for (const component of page.components) component.update(moment);
  };
  window.mounted = page;
  page.show(changes);
}
