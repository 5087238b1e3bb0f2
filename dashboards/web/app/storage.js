// What survives a reload of this page in this tab: results that took long, or that the visitor brought.

const PREFIX = "mnuts:";

/**
 * What was kept under a name; null if there is nothing, or the browser keeps nothing for this page.
 *
 * @param {string} name
 * @returns {any}
 */
function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/**
 * What was kept under a name as a list, as far as it fits: another page of this origin, or an earlier version of this one,
 * may have kept something else there.
 *
 * @param {string} name
 * @param {(one: any) => boolean} fits
 * @returns {any[]}
 */
export function keptList(name, fits) {
  const found = kept(name);
  return Array.isArray(found) ? found.filter(fits) : [];
}

/** Keep a value under a name, as JSON, if the browser lets us. */
export function keep(name, value) {
  try {
    sessionStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // no storage here, or it is full: the value lasts as long as the page
  }
}
