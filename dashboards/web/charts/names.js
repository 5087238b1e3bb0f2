// Names that anyone may have given, in plots: as text and not as markup, as `dashboards/figures/names.py`.

const ROOM = 24; // characters of a name on an axis
const MOST_TICKS = 20; // of more names on an axis not each stands there
const LINES = /.{1,40}(?: |$)|.{1,40}/gsu; // of a hover
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
const MARKS = Object.fromEntries(Object.entries(ENTITIES).map(([mark, entity]) => [entity, mark]));

/** The name of a class. */
export function className(meta, k) {
  return meta?.classes?.[k] ?? `class ${k}`;
}

/** A name as Plotly has to be given it, to show it as it is. */
export function escaped(name) {
  return name.replace(/[&<>]/g, (mark) => ENTITIES[mark]);
}

/** The name on an axis, in a legend or a title: one that is longer than its room is cut. */
export function label(name, room = ROOM) {
  const characters = Array.from(name);
  return escaped(characters.length <= room ? name : `${characters.slice(0, room - 1).join("")}…`);
}

/** The whole name for a hover, in lines. */
export function whole(name) {
  return (name.match(LINES) ?? []).map(escaped).join("<br>");
}

/** Names on an axis, the first one at 0; ends are half a place further. */
export function nameTicks(names) {
  const step = Math.ceil(names.length / MOST_TICKS) || 1;
  const at = Array.from({ length: Math.ceil(names.length / step) }, (_, i) => i * step);
  return { range: [-0.5, names.length - 0.5], at, text: at.map((place) => label(names[place])) };
}

/** A text of a figure without Plotly's markup, for tables. */
export function plainText(text) {
  return text.replace(/<[^>]*>/g, " ").replace(/&(?:amp|lt|gt);/g, (entity) => MARKS[entity]);
}
