// Formulas: MathML trees that Python has made of LaTeX, with the reader's own numbers put in, see `dashboards/lesson/formulas.py`.

import { h } from "../controls/dom.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const NAME = /@(\w+)/g;

/**
 * The lines of a formula, as an element.
 *
 * @param {{text: string, tree: any[]}[]} lines
 * @param {Object<string, string>} numbers By the names that the trees have: as they are to be read.
 * @param {string} caption What it is about.
 */
export function formulaOf(lines, numbers, caption) {
  const line = ({ text, tree }) => {
    const element = elementOf(tree, numbers);
    element.setAttribute("alttext", filled(text, numbers));
    return element;
  };
  return h("figure", { class: "formula" }, lines.map(line), h("figcaption", null, caption));
}

function elementOf([tag, attributes, ...children], numbers) {
  const element = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.map((child) => (typeof child === "string" ? filled(child, numbers) : elementOf(child, numbers))));
  return element;
}

function filled(text, numbers) {
  return text.replace(NAME, (_, name) => {
    if (!(name in numbers)) throw new RangeError(`the formula misses ${name}`);
    return numbers[name];
  });
}
