// Runs the page's state, links and entries for the tests in node: a call a line, `{name, given}`.

import { createInterface } from "node:readline";

const web = "../../../../dashboards/web";
const [entries, numbers, settings, links, images, config, column, opening, clicks] = await Promise.all(
  ["controls/entries", "controls/numbers", "app/settings", "app/links", "app/images", "app/config", "explorer/column", "explorer/opening", "explorer/clicks"].map((name) => import(`${web}/${name}.js`)),
);

let known = null;

const CALLS = {
  settings: (list) => ((known = new settings.Settings(list)), known.defaults),
  write: (state, opening) => links.writeLink(known, { ...known.defaults, ...state }, opening),
  read: (query, names) => links.readLink(known, query, names),
  number: (name, text) => refusedOr(() => entries.readNumber(known.byName[name], text)),
  lnK: (text) => refusedOr(() => entries.readLnK(text)),
  shortest: numbers.shortest,
  general: numbers.general,
  quoted: numbers.quoted,
  hideable: () => column.hideable(known),
  opened: (meta, changes) => opening.openingOf(meta, known, { ...known.defaults, ...changes }),
  clicked: clicks.changesOfClick,
  writeImages: images.writeImages,
  imagesIn: images.imagesIn,
  configOf: config.configOf,
  configText: config.configText,
  readConfig: (text) => refusedOr(() => config.readConfig(known, text)),
};

function refusedOr(read) {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof entries.EntryError)) throw error;
    return { refused: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { name, given } = JSON.parse(line);
  let answer;
  try {
    answer = { answer: CALLS[name](...given) };
  } catch (error) {
    answer = { error: String(error.stack) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
