// What the parts that all apps share say, and how numbers are written: English, until an app chooses another language.
//
// A module that is loaded once a page: two pages in one notebook have one each.

/** The words in English; a translation has the same keys, after `controls.` in the lesson's catalogue. */
export const ENGLISH = {
  decimal: ".",
  group: ",",
  between: ", ",
  loading: "Loading plot…",
  not_drawn: "This plot could not be drawn.",
  plot: "plot",
  keys: "Arrow keys go from point to point, Page keys from one curve to the next; Enter goes where a click does",
  keys_select: ", Space selects the images that it stands for",
  data_of: "Data of: {title}",
  table: "Table",
  save: "Save",
  save_of: "Save: {title}",
  save_png: "The plot as a picture of pixels",
  save_svg: "The plot as a drawing",
  save_csv: "The numbers, with all it takes to plot them again",
  filter: "Filter, e.g. by class",
  filter_of: "Filter: {label}",
  match: " ({count} match)",
  sort: "Sort by {label}",
  actions: "actions",
  no_match: "nothing matches",
  no_numbers: "no numbers",
  previous_page: "Previous page",
  next_page: "Next page",
  place: "{first}–{last} of {all}",
  dismiss: "Dismiss",
  as_number: "{label}, as a number",
  allowed: "Allowed: {interval}",
  must: "{name} must be {interval}",
  must_number: "{name} must be a number {interval}",
  open: "greater than {low} and at most {high}",
  closed: "between {low} and {high}",
  from: "{low} or greater",
  came: "{rule} ({source} {text})",
  meant: "{rule}. Did you mean {value}?",
  you_entered: "you entered",
  nothing: "nothing",
  term_margin: "margins?",
};

const FIELD = /\{(\w+)\}/g;
const PREFIX = "controls.";

let words = ENGLISH;
let meanings = {};

/** Take the words of a catalogue; what it lacks stays English. */
export function speak(catalogue) {
  meanings = catalogue;
  const own = Object.entries(catalogue).filter(([key]) => key.startsWith(PREFIX));
  words = { ...ENGLISH, ...Object.fromEntries(own.map(([key, text]) => [key.slice(PREFIX.length), text])) };
}

/** One of the words, with its fields. */
export function word(name, fields = {}) {
  return words[name].replace(FIELD, (_, field) => fields[field]);
}

/** What a term of the glossary means, in the catalogue's words; undefined where it has none. */
export function meaningOf(name) {
  return meanings[`glossary.${name}`];
}

/** A number's text as the language writes it: `1,234.5` as `1.234,5`. */
export function localNumber(text) {
  return text.replace(/[.,]/g, (mark) => (mark === "." ? words.decimal : words.group));
}

/** A number as it was typed, with the point that a program reads: `0,95` as `0.95`. */
export function plainNumber(text) {
  if (words.decimal === "." || !text.includes(words.decimal)) return text;
  return text.replaceAll(words.group, "").replaceAll(words.decimal, ".");
}

/** The marks of numbers as Plotly takes them: the decimal one, then that between thousands. */
export function separators() {
  return words.decimal + words.group;
}
