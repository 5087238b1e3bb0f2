// Elements of the page, made from names, attributes and children. Text is always text: nothing here parses HTML, and
// what is invisible in it is escaped.

import { visible } from "./visible.js";

const SVG = "http://www.w3.org/2000/svg";
const IN_SVG = new Set(["svg", "path", "line", "circle", "rect", "g", "polyline", "text", "title"]);

/**
 * An element: `h("button", { type: "button", class: "quiet", onclick: undo }, "Undo")`.
 *
 * @param {string} tag Its name; of an SVG drawing: `svg:path`.
 * @param {Object<string, any>|null} attributes By name: a function `on…` listens to that event; `true` sets an empty
 *   attribute; `false`, `null` and `undefined` set none; `dataset` and `style` take an object; `value`, `checked`,
 *   `disabled`, `selected` and `hidden` are set as properties.
 * @param {...any} children Nodes, texts, numbers, or lists of these; `null`, `undefined` and `false` are left out.
 * @returns {HTMLElement}
 */
export function h(tag, attributes = null, ...children) {
  const drawn = tag.startsWith("svg:") && IN_SVG.has(tag.slice(4));
  const element = drawn ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) setAttribute(element, name, value);
  element.append(...nodes(children));
  return element;
}

/**
 * Gives an element new children in place of those that it has.
 *
 * @param {Element} element
 * @param {...any} children As `h` takes them.
 */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
}

/**
 * Gives an element these children in this order, and leaves alone those that stand right: a click on one is not lost.
 *
 * @param {Element} element
 * @param {Element[]} children
 */
export function arrange(element, children) {
  const wanted = new Set(children);
  for (const child of [...element.children]) if (!wanted.has(child)) child.remove();
  for (const [place, child] of children.entries()) {
    const there = element.children[place] ?? null;
    if (there !== child) element.insertBefore(child, there);
  }
}

/**
 * Sets an element's text, and touches the page only where that changes something.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  const shown = visible(text, "\n");
  if (element.textContent !== shown) element.textContent = shown;
}

let made = 0;

/** A name that no other element of the page has, to tie a label to its box. */
export function uniqueId(prefix) {
  made += 1;
  return `${prefix}-${made}`;
}

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden"]);

function setAttribute(element, name, value) {
  if (name.startsWith("on") && typeof value === "function") element.addEventListener(name.slice(2), value);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style" && typeof value === "object") {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (PROPERTIES.has(name)) {
    if (value !== null && value !== undefined) element[name] = value;
  } else if (value === true) element.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, visible(String(value), "\n"));
}

function nodes(children) {
  return children
    .flat(Infinity)
    .filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(visible(String(child), "\n"))));
}
