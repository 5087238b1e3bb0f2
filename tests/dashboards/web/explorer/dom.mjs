// As much of a browser's document as the page's modules need, for node: elements in a tree, events, no drawing.

class Node {
  constructor() {
    Object.assign(this, { parent: null, childNodes: [] });
  }

  append(...children) {
    for (const child of children) {
      const node = child instanceof Node ? child : new Text(child);
      node.remove();
      node.parent = this;
      this.childNodes.push(node);
    }
  }

  remove() {
    if (!this.parent) return;
    this.parent.childNodes = this.parent.childNodes.filter((one) => one !== this);
    this.parent = null;
  }

  replaceChildren(...children) {
    for (const child of [...this.childNodes]) child.remove();
    this.append(...children);
  }

  insertBefore(child, there) {
    child.remove();
    const place = there ? this.childNodes.indexOf(there) : this.childNodes.length;
    this.childNodes.splice(place, 0, child);
    child.parent = this;
  }

  replaceWith(other) {
    this.parent.insertBefore(other, this);
    this.remove();
  }

  isEqualNode(other) {
    return this.signature === other.signature;
  }

  /** What two equal nodes have in common. */
  get signature() {
    const { tag, attributes, dataset, style, text, childNodes } = this;
    return JSON.stringify([tag, attributes, dataset, style, text, childNodes.map(({ signature }) => signature)]);
  }

  contains(other) {
    return other === this || this.childNodes.some((child) => child.contains(other));
  }

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren(...(text === "" ? [] : [text]));
  }

  get children() {
    return this.childNodes.filter((child) => child instanceof Element);
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }
}

class Text extends Node {
  constructor(text) {
    super();
    this.text = String(text);
  }

  get textContent() {
    return this.text;
  }
}

/** What stands in an attribute is text. */
const TEXTS = { set: (values, name, value) => ((values[name] = String(value)), true) };

class Element extends Node {
  constructor(tag) {
    super();
    Object.assign(this, { tag, attributes: {}, dataset: new Proxy({}, TEXTS), listeners: {}, hidden: false, disabled: false, value: "", selectedIndex: -1 });
    this.style = { setProperty: (name, text) => (this.style[name] = text) };
    const names = () => new Set((this.attributes.class ?? "").split(" ").filter(Boolean));
    const keep = (set) => (this.attributes.class = [...set].join(" "));
    this.classList = {
      contains: (name) => names().has(name),
      add: (name) => keep(names().add(name)),
      remove: (name) => keep([...names()].filter((one) => one !== name)),
      toggle: (name, wanted = !names().has(name)) => (wanted ? this.classList.add(name) : this.classList.remove(name)),
    };
  }

  setAttribute(name, value) {
    this.attributes[name] = String(value);
  }

  getAttribute(name) {
    return this.attributes[name] ?? null;
  }

  removeAttribute(name) {
    delete this.attributes[name];
  }

  addEventListener(kind, call) {
    (this.listeners[kind] ??= []).push(call);
  }

  /** Call what listens here and above. */
  fire(kind, more = {}) {
    let stopped = false;
    const event = { type: kind, target: this, preventDefault() {}, stopPropagation: () => (stopped = true), ...more };
    for (let at = this; at && !stopped; at = at.parent) {
      for (const call of at.listeners?.[kind] ?? []) call({ ...event, currentTarget: at });
    }
  }

  click() {
    this.fire("click");
  }

  focus() {
    document.activeElement = this;
    this.fire("focus");
  }

  blur() {
    if (document.activeElement === this) document.activeElement = document.body;
    this.fire("blur");
  }

  select() {}

  scrollIntoView() {}

  getBoundingClientRect() {
    return { left: 0, top: 0, right: 0, bottom: 0, width: 0, height: 0 };
  }

  getContext() {
    return { putImageData() {}, drawImage() {} };
  }

  /** Whether a selector of a tag and a class fits. */
  matches(selector) {
    const [tag, ...names] = selector.split(".");
    return (!tag || tag === this.tag) && names.every((name) => this.classList.contains(name));
  }

  closest(selector) {
    for (let at = this; at; at = at.parent) if (at instanceof Element && at.matches(selector)) return at;
    return null;
  }

  querySelectorAll(selector) {
    return all(this).filter((one) => one !== this && one.matches(selector));
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }

  get isConnected() {
    return document.body.contains(this);
  }
}

/** An element and all in it, in the order of the page. */
export function all(element) {
  return [element, ...element.children.flatMap(all)];
}

/** Whether an element is shown: neither it nor what it stands in is hidden. */
export function isShown(element) {
  for (let at = element; at; at = at.parent) if (at.hidden || (at.dataset && "out" in at.dataset)) return false;
  return true;
}

/** Sees its elements soon, those of the plots aside. */
class Sight {
  constructor(call) {
    this.call = call;
  }

  observe(target) {
    if (!target.dataset.panel) setImmediate(() => this.call([{ target, isIntersecting: true }]));
  }

  unobserve() {}

  disconnect() {}
}

class Watch {
  observe() {}

  disconnect() {}
}

const kept = new Map();

/** Have a document where a browser has one; its body. */
export function makeDocument() {
  const body = new Element("body");
  const document = {
    body,
    head: new Element("head"),
    documentElement: new Element("html"),
    activeElement: body,
    createElement: (tag) => new Element(tag),
    createElementNS: (_, tag) => new Element(tag),
    createTextNode: (text) => new Text(text),
    getElementById: (id) => all(body).find((one) => one.attributes.id === id) ?? null,
    addEventListener() {},
    removeEventListener() {},
  };
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const found = {
    document,
    Node,
    IntersectionObserver: Sight,
    ResizeObserver: Watch,
    MutationObserver: Watch,
    ImageData: class {
      constructor(width, height) {
        this.data = new Uint8ClampedArray(4 * width * height);
      }
    },
    location: { search: "", pathname: "/", hash: "", href: "http://localhost/" },
    matchMedia: (query) => ({ matches: query.includes("reduced-motion"), addEventListener() {}, removeEventListener() {} }),
    getComputedStyle: () => ({ getPropertyValue: () => "" }),
    addEventListener() {},
    removeEventListener() {},
    dispatchEvent() {},
    sessionStorage: store,
    localStorage: store,
  };
  for (const [name, value] of Object.entries(found)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return body;
}
