// What moves with a slider, drawn on a canvas that lies over a plot.
//
// Plotly's own marks are hidden meanwhile and stay where they were; axes, legend and words are Plotly's. Once the slider
// rests, `Plotly.react` brings them up to date, and the canvas goes. This reads how Plotly has drawn them (`calcdata`,
// `_fullData`, an axis' `_length`, `d2p` and `c2p`, marks of its SVG): whatever is not as expected is left to `Plotly.react`.

import { h } from "../controls/dom.js";
import { isLabel } from "./labels.js";
import { lookOf, wordsOf } from "./looks.js";
import { drawMarks } from "./marks.js";

const MITER = 2; // as Plotly's lines have it
const OVERLAID = new Set([undefined, "group", "overlay"]); // modes in which a bar's foot is its own

export class LiveCanvas {
  /** @param {HTMLElement} plot */
  constructor(plot) {
    Object.assign(this, { plot, element: h("canvas", { class: "plot-live" }), drawn: null, style: "" });
  }

  /**
   * Draw a figure's marks; false, and nothing, where that takes `Plotly.react`.
   * @param {object[]} data Traces, as many as Plotly has drawn.
   * @param {Map<number, string[]>} moves See `movesOf`.
   */
  draw(data, moves) {
    this.drawn ??= this.begin();
    const places = new Set(this.drawn.map(({ trace }) => trace.index));
    const moved = [...moves].filter(([index]) => this.plot._fullData[index].visible === true);
    if (!moved.every(([index, keys]) => places.has(index) && staysOnAxes(this.plot._fullData[index], keys, this.plot._fullLayout))) return false;
    if (!this.drawn.every((drawn) => drawn.simple && hasLooks(drawn, data[drawn.trace.index]))) return false;
    const { pen, element } = this;
    const [across, down] = this.align();
    pen.resetTransform();
    pen.clearRect(0, 0, element.width, element.height);
    pen.miterLimit = MITER;
    for (const drawn of this.drawn) {
      const [{ _offset: left }, { _offset: top }] = drawn.axes;
      pen.setTransform(across, 0, 0, down, across * left, down * top);
      drawMarks(pen, drawn, data[drawn.trace.index]);
    }
    this.plot.classList.add("plot-moving");
    return true;
  }

  /** Lie over the plot, below its legend; how Plotly has drawn its traces, in the order in which they cover each other. */
  begin() {
    const { plot, element } = this;
    this.pen = element.getContext("2d");
    plot.querySelector(".main-svg").after(element);
    return Array.from(plot.querySelectorAll(".cartesianlayer :is(.barlayer, .scatterlayer) > .trace"), (group) => this.traceOf(group));
  }

  /**
   * Cover the whole pixels of the screen that Plotly's SVG is stretched to; the page above may have grown by half a one.
   * @returns {[number, number]} Pixels of the screen to one of the plot, across and down.
   */
  align() {
    const { plot, element } = this;
    const { width, height } = plot._fullLayout;
    const box = plot.getBoundingClientRect();
    const [left, top, right, bottom] = [box.left, box.top, box.left + width, box.top + height].map((end) => Math.round(end * devicePixelRatio));
    const [wide, high] = [right - left, bottom - top];
    if (element.width !== wide || element.height !== high) Object.assign(element, { width: wide, height: high });
    const [x, y, ...size] = [left, top, wide, high].map((pixels) => pixels / devicePixelRatio);
    const style = `left: ${x - box.left}px; top: ${y - box.top}px; width: ${size[0]}px; height: ${size[1]}px`;
    if (style !== this.style) element.style.cssText = this.style = style;
    return [wide / width, high / height];
  }

  /** @returns {import("./marks.js").Drawn} */
  traceOf(group) {
    const points = group.__data__;
    const [{ trace }] = points;
    const all = (selector) => Array.from(group.querySelectorAll(selector), (node) => lookOf(node, this.pen));
    const first = (selector) => (group.querySelector(selector) ? lookOf(group.querySelector(selector), this.pen) : null);
    const differ = ["color", "size", "symbol"].some((key) => Array.isArray(trace.marker?.[key]));
    const axes = [trace.xaxis, trace.yaxis].map((id) => axisOf(this.plot._fullLayout, id));
    const looks = { fill: first(".js-fill"), error: first(".yerror, .xerror"), line: first(".js-line"), bar: first("g.point > path") };
    return { trace, points, axes, ...looks, markers: differ ? all("path.point") : [first("path.point")], words: wordsOf(group), simple: isSimple(trace, this.plot._fullLayout) };
  }

  /** Plotly has drawn the plot: its marks are right. */
  end() {
    this.plot.classList.remove("plot-moving");
    this.drawn = null;
  }
}

const axisOf = (fullLayout, id) => fullLayout[`${id[0]}axis${id.slice(1)}`];

/** Whether a trace is of a kind that `marks.js` draws. */
function isSimple(trace, { barmode }) {
  if (trace.selectedpoints) return false;
  if (trace.type === "bar") return trace.orientation === "v" && OVERLAID.has(barmode) && !trace.error_y?.visible && !trace.text;
  return !trace.stackgroup && ["none", "tozeroy"].includes(trace.fill) && (trace.line?.shape ?? "linear") === "linear";
}

/** Whether Plotly has drawn all kinds of marks that a trace's new numbers need. */
function hasLooks({ trace, line, bar, markers, words }, { x, y, text }) {
  if (trace.type === "bar") return bar !== null;
  const needs = (part) => trace.mode.includes(part);
  const known = Array.from(x).filter((value, i) => value !== null && y[i] !== null).length;
  if (!known) return true;
  if (needs("text") && !(words && Array.isArray(text) && text.every(isLabel))) return false;
  if (needs("markers") && (markers.length > 1 ? markers.length !== known : !markers[0])) return false;
  return !needs("lines") || !trace.line.width || line !== null;
}

/** Whether the axes of a trace stay where they are, whatever its new numbers. */
function staysOnAxes(trace, keys, fullLayout) {
  return ["x", "y"].every((name) => !keys.some((key) => key === name || key === `error_${name}`) || axisOf(fullLayout, trace[`${name}axis`])?.autorange === false);
}
