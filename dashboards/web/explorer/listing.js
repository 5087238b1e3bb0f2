// What the list of fixed and broken images shows, as the state has it: which part of the bundle, which images, in what order.

const EXAMPLE = "example"; // the list's part: that of the chosen image, as long as the visitor has not gone to the other one
const AS_THEY_COME = "none";

/** The settings of the list, which move no figure. */
export const OF_THE_LIST = ["list_part", "list_kind", "list_sort", "list_filter", "list_page", "selected"];
const ORDERING = ["list_part", "list_kind", "list_sort", "list_filter", "selected"]; // after which it is read from its top
const CHOOSING = ["case", "row"];
const WHERE_CHOSEN = 0; // the page that has the chosen image, or else the first
const TOP = 1;

/** Whether a change of the state is one of the list. */
export function movesList(state, before) {
  return OF_THE_LIST.some((name) => state[name] !== before[name]);
}

const partOfCase = (one) => (one === "attacked" ? "attacked" : "clean");

/** The part that is listed. */
export function partOf({ list_part: part, case: shown }) {
  return part === EXAMPLE ? partOfCase(shown) : part;
}

/** The change that lists a part beside what `case` shows. */
export function toPart(part, shown) {
  return { list_part: part === partOfCase(shown) ? EXAMPLE : part };
}

/**
 * Changes with what they mean for the list: it goes along to another image, and stays where it is when none is shown; in
 * another order it is read from its top.
 */
export function withList(changes, state) {
  const along = "case" in changes ? toPart(changes.case === "paper" ? partOf(state) : changes.case, changes.case) : {};
  const moves = (name) => name in changes && changes[name] !== state[name];
  const to = { ...state, ...along, ...changes };
  const top = to.case === partOf(to) ? TOP : WHERE_CHOSEN; // the first one, too, where none is chosen
  const turned = ORDERING.some(moves) ? { list_page: top } : CHOOSING.some(moves) ? { list_page: WHERE_CHOSEN } : {};
  return { ...along, ...turned, ...changes };
}

/** What a state keeps of another bundle's list: neither its page nor its images. */
export function withoutImages(state, before) {
  const anew = { selected: "", list_page: WHERE_CHOSEN };
  return Object.fromEntries(Object.entries(anew).filter(([name]) => state[name] === before[name]));
}

/** The list's order by a column, in the words of the state. */
export function sortOf(key, up) {
  return up ? key : `-${key}`;
}

/** The column and the direction of an order; null where images stand as they come. */
export function orderOf({ list_sort: sort }) {
  if (sort === AS_THEY_COME) return null;
  return sort.startsWith("-") ? { key: sort.slice(1), up: false } : { key: sort, up: true };
}
