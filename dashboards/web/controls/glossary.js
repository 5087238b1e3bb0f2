// What the symbols and words mean, on hover and focus: `term("h")` is the word with its explanation.

import { fill, h, setText, uniqueId } from "./dom.js";
import { meaningOf, word } from "./words.js";

/** What each term means, in one or two sentences; a translation has the same keys, after `glossary.` in the lesson's catalogue. */
export const GLOSSARY = {
  g: "The standard model: accurate on clean images, and helpless under attack.",
  h: "The robust model: trained against attacks, less accurate on clean images.",
  "M(h)":
    "The transformed robust model: layer norm, clamp, power p and scale s are applied to h's logits (Eq. 4). M keeps h's class, " +
    "but makes it less sure where it was unsure.",
  MMAA:
    "Minimum-margin AutoAttack: keeps for every image the perturbation at which the robust model's margin is smallest (B.1).",
  margin: "How sure a classifier is: its largest probability minus its second largest (Def. 2.1).",
  pool:
    "All attacked points that the bundle holds: for each attacked image one or more perturbed copies, from one or " +
    "more attacks.",
  β: "The share of the robust model's robustness that the mix is to keep; α follows from it (Eq. 3).",
  α: "The robust model's weight in the mix, from 1/2 to 1 (Eq. 1). The higher, the more the robust model decides.",
  attacked:
    "Attacked accuracy: the share of attacked images that are right at every point of the pool. An upper bound on " +
    "robust accuracy, as good as the points are.",
  "right by margin":
    "M(h) is right at every attacked point with a margin of at least (1−α)/α: whatever g says there, the mix is " +
    "right (Eq. 7).",
  verified:
    "What an adaptive attack on this very mix has left (B.2.1). The only figure here that estimates robust " +
    "accuracy itself.",
};

/**
 * A term that explains itself on hover and on focus.
 *
 * @param {string} name A key of `GLOSSARY`.
 * @param {string} [text] How it stands in the sentence, if not by its name.
 */
export function term(name, text = name) {
  const node = h("span", { class: "term", tabindex: 0 }, text);
  const [show, hide] = [() => explain(node, name), () => leave(node)];
  for (const event of ["pointerenter", "focus"]) node.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) node.addEventListener(event, hide);
  node.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  return node;
}

let tip = null; // one for all terms: beside the text and not in it, which stays what it says; above all that may clip it

function explain(node, name) {
  tip ??= h("div", { role: "tooltip", id: uniqueId("tip"), class: "tip", popover: "manual" });
  (node.closest(".app") ?? document.body).append(tip);
  setText(tip, meaningOf(name) ?? GLOSSARY[name]);
  tip.togglePopover(true);
  node.setAttribute("aria-describedby", tip.id);
  place(node.getBoundingClientRect());
}

function leave(node) {
  tip.togglePopover(false);
  node.removeAttribute("aria-describedby");
}

/** Below a word, and on the screen. */
function place({ left, top, bottom }) {
  const { clientWidth, clientHeight } = document.documentElement;
  const width = Math.min(320, clientWidth - 16);
  tip.style.width = `${width}px`;
  const under = bottom + 4 + tip.offsetHeight <= clientHeight;
  Object.assign(tip.style, {
    left: `${Math.max(8, Math.min(left, clientWidth - width - 8))}px`,
    top: `${under ? bottom + 4 : Math.max(4, top - 4 - tip.offsetHeight)}px`,
  });
}

const WORDS = { "M(h)": "M\\(h\\)", MMAA: "MMAA", pool: "pool" };

/**
 * A heading or a sentence in which each word of the glossary explains itself where it stands first.
 *
 * @param {string} text
 * @returns {(string|HTMLElement)[]}
 */
export function explained(text) {
  const known = new Set();
  const words = { margin: word("term_margin"), ...WORDS };
  return text.split(new RegExp(`(${Object.values(words).join("|")})`)).map((part) => {
    const name = Object.keys(words).find((one) => new RegExp(`^${words[one]}$`).test(part));
    if (!name || known.has(name)) return part;
    known.add(name);
    return term(name, part);
  });
}

/** A list of all terms, for the end of the page and for print. */
export function glossaryList() {
  const list = h("dl", { class: "glossary" });
  fill(list, Object.entries(GLOSSARY).map(([name, text]) => [h("dt", null, name), h("dd", null, text)]));
  return list;
}
