// The page's address: its query is the view's link, on a server and on `file://` alike; and the clipboard.

const KEPT = ["token", "theme"]; // words of the query that belong to the server and the page, not to the view

/**
 * @typedef {object} Address
 * @property {string} query Of the view, as it stands in the address.
 * @property {string} href What opens this view.
 * @property {{visit: string, place: number}|null} entry What was written with the browser's current entry.
 * @property {(how: "push"|"replace", link: string, entry: object) => void} write
 * @property {(steps: number) => void} go Moves in the browser's history.
 * @property {(arrive: (entry: object|null) => void) => void} onArrive Calls when the browser has gone to an entry.
 */

/** @returns {Address} */
export function pageAddress() {
  let wanted = ""; // what the address is to be, from this page on; empty: as it is
  return {
    get query() {
      return location.search.slice(1);
    },
    get href() {
      return new URL(wanted, location.href).href;
    },
    get entry() {
      return history.state;
    },
    write(how, link, entry) {
      wanted = `${location.pathname}${search(link)}${location.hash}`;
      try {
        history[`${how}State`](entry, "", wanted);
      } catch {
        // a frame without an address of its own, or more changes a second than the browser allows: the next one counts
      }
    },
    go(steps) {
      history.go(steps);
    },
    onArrive(arrive) {
      addEventListener("popstate", ({ state }) => arrive(state));
    },
  };
}

function search(link) {
  const kept = [...new URLSearchParams(location.search)].filter(([key]) => KEPT.includes(key));
  const query = [link, new URLSearchParams(kept).toString()].filter(Boolean).join("&");
  return query ? `?${query}` : "";
}

/**
 * Copy a text.
 *
 * @param {string} text
 * @returns {Promise<boolean>} Whether the browser let us.
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text); // only on https, on this machine and in some browsers' files
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.cssText = "position:fixed;opacity:0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  return done;
}
