// A plot by keyboard: arrows go from point to point, Page keys from trace to trace, Enter is a click, Space selects.

import { localNumber, word } from "../controls/words.js";
import { isList } from "./fill.js";

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const TRACES = { PageDown: 1, PageUp: -1 };

export class Walker {
  /**
   * @param {() => {data: object[], layout: object}|undefined} figure What is drawn.
   * @param {object} on
   * @param {(at: {curve: number, point: number|number[]}|null) => void} on.hover
   * @param {(point: object, more: object) => void} on.click `more`: what goes with it, such as `add`.
   * @param {(point: object, more: object) => void} on.select
   * @param {(text: string) => void} on.say
   */
  constructor(figure, on) {
    Object.assign(this, { figure, on, curve: null, point: 0 });
  }

  /** Handle a key; false where it means nothing here. */
  key(name, more = {}) {
    const traces = this.traces();
    if (!traces.length) return false;
    if (name === "Escape") return this.leave();
    if (name === "Enter") return this.act(this.on.click, more);
    if (name === " ") return this.act(this.on.select, more);
    const at = traces.findIndex(({ curve }) => curve === this.curve);
    const to = this.after(name, traces, at);
    if (!to) return false;
    Object.assign(this, to);
    this.show();
    return true;
  }

  /** Where a key leads; null where it is none of ours. */
  after(name, traces, at) {
    const [along, across] = STEPS[name] ?? [0, 0];
    if (!(name in STEPS) && !(name in TRACES) && name !== "Home" && name !== "End") return null;
    if (at < 0) return { curve: traces[0].curve, point: traces[0].points[0] };
    const here = traces[at];
    const lines = TRACES[name] ?? (here.width ? 0 : across);
    const { curve, points } = traces[clipped(at + lines, traces.length)];
    if (lines) return { curve, point: points[nearest(points, this.point)] };
    const step = along + (here.width ? across * here.width * (here.reversed ? 1 : -1) : 0);
    const place = { Home: 0, End: points.length - 1 }[name] ?? points.indexOf(this.point) + step;
    const inside = place >= 0 && place < points.length;
    if (here.width && across) return { curve, point: inside ? place : this.point }; // no row beyond the last one
    return { curve, point: points[clipped(place, points.length)] };
  }

  /** Traces with points that can be gone to; of a heat map its cells, row by row, with the width of a row. */
  traces() {
    const { data = [], layout = {} } = this.figure() ?? {};
    return data.map((trace, curve) => ({ curve, ...pointsOf(trace, layout) })).filter(({ points }) => points.length);
  }

  get trace() {
    return this.figure().data[this.curve];
  }

  /** The point as Plotly reports it. */
  get here() {
    const { trace, curve, point } = this;
    const common = { curve, trace: trace.name, meta: trace.meta };
    if (trace.type !== "heatmap") {
      return { ...common, point, x: trace.x[point], y: trace.y[point], customdata: trace.customdata?.[point] ?? null };
    }
    const [row, column] = [Math.floor(point / trace.x.length), point % trace.x.length];
    return { ...common, point: [row, column], x: trace.x[column], y: trace.y[row], z: trace.z[row][column], customdata: trace.customdata?.[row]?.[column] ?? null };
  }

  /** A point with what its places stand for, where a trace says so: names, or s for log10 s. */
  named({ point, x, y, ...rest }) {
    const { meta } = this.trace;
    const [row, column] = Array.isArray(point) ? point : [point, point];
    return { ...rest, point, x: meta?.x?.[column] ?? x, y: meta?.y?.[row] ?? y };
  }

  show() {
    const { curve, point, x, y, z } = this.named(this.here);
    const of = (value) => (typeof value === "number" ? localNumber(String(Number(value.toPrecision(5)))) : value);
    const name = this.trace.meta?.name ?? this.trace.name ?? "";
    this.on.hover({ curve, point });
    this.on.say(`${name}: ${[x, y, z].filter((value) => value !== undefined && value !== null).map(of).join(word("between"))}`);
  }

  act(call, more) {
    if (this.curve === null) return false;
    call(this.here, more);
    return true;
  }

  leave() {
    if (this.curve === null) return false;
    this.curve = null;
    this.on.hover(null);
    return true;
  }
}

function pointsOf(trace, layout) {
  if (trace.hoverinfo === "skip" || !isList(trace.x)) return { points: [] };
  if (trace.type === "heatmap") {
    const width = trace.x.length;
    const [low, high] = layout[`yaxis${(trace.yaxis ?? "y").slice(1)}`]?.range ?? [];
    const points = Array.from({ length: width * trace.y.length }, (_, i) => i);
    return { width, reversed: low > high, points };
  }
  const points = Array.from({ length: trace.x.length }, (_, i) => i);
  return { points: points.filter((i) => trace.x[i] !== null && trace.y[i] !== null) };
}

function clipped(place, length) {
  return Math.min(Math.max(place, 0), length - 1);
}

/** The place of the number nearest to another. */
function nearest(points, wanted) {
  return points.reduce((best, one, i) => (Math.abs(one - wanted) < Math.abs(points[best] - wanted) ? i : best), 0);
}
