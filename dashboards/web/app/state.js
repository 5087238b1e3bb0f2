// The state of the page: one plain object that holds every setting, and those who follow it.

/**
 * @typedef {object} Store
 * @property {() => object} get The state, which nobody changes but by `set`.
 * @property {(changes: object, options?: {undoable?: boolean}) => void} set Takes changes over as one; `undoable`:
 *   whether it is a step that the visitor made, which can be undone.
 * @property {(follow: (state: object, before: object, options: {undoable: boolean}) => void) => () => void} subscribe
 *   Calls from now on with every new state; gives what ends that.
 */

/**
 * A state to follow.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {object} initial What is not at its default.
 * @returns {Store}
 */
export function createState(settings, initial = {}) {
  let state = Object.freeze({ ...settings.defaults, ...initial });
  const followers = new Set();
  return {
    get: () => state,
    set(changes, { undoable = true } = {}) {
      const changed = Object.keys(changes).filter((name) => !same(state[name], changes[name]));
      const unknown = changed.find((name) => !(name in state));
      if (unknown !== undefined) throw new Error(`the state has no ${unknown}`);
      if (!changed.length) return;
      const before = state;
      state = Object.freeze({ ...state, ...Object.fromEntries(changed.map((name) => [name, changes[name]])) });
      for (const follow of [...followers]) follow(state, before, { undoable });
    },
    subscribe(follow) {
      followers.add(follow);
      return () => followers.delete(follow);
    },
  };
}

/** Whether two values of a setting are equal; lists and mixes by what they hold. */
export function same(one, other) {
  if (Object.is(one, other)) return true;
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => same(one[name], other[name]));
}
