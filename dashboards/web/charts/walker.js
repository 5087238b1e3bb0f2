// A plot by keyboard: arrows go from point to point and from trace to trace, Enter is a click.

import { isList } from "./fill.js";

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export class Walker {
  /**
   * @param {() => {data: object[]}|undefined} figure What is drawn.
   * @param {{hover: (at: {curve: number, point: number}|null) => void, click: (point: object) => void, say: (text: string) => void}} on
   */
  constructor(figure, on) {
    Object.assign(this, { figure, on, curve: null, point: 0 });
  }

  /** Handle a key; false where it means nothing here. */
  key(name) {
    const traces = this.traces();
    if (!traces.length) return false;
    if (name === "Escape") return this.leave();
    if (name === "Enter" || name === " ") return this.click();
    if (!(name in STEPS) && name !== "Home" && name !== "End") return false;
    const at = traces.findIndex(({ curve }) => curve === this.curve);
    const [along, across] = STEPS[name] ?? [0, 0];
    const { curve, points } = traces[at < 0 ? 0 : Math.min(Math.max(at + across, 0), traces.length - 1)];
    const here = points.indexOf(this.point);
    const place = { Home: 0, End: points.length - 1 }[name] ?? (at < 0 || across ? nearest(points, this.point) : here + along);
    Object.assign(this, { curve, point: points[Math.min(Math.max(place, 0), points.length - 1)] });
    this.show();
    return true;
  }

  /** Traces with points that can be gone to. */
  traces() {
    const of = (trace, curve) => {
      const length = trace.type !== "heatmap" && trace.hoverinfo !== "skip" && isList(trace.x) ? trace.x.length : 0;
      const points = Array.from({ length }, (_, i) => i).filter((i) => trace.x[i] !== null && trace.y[i] !== null);
      return { curve, points };
    };
    return (this.figure()?.data ?? []).map(of).filter(({ points }) => points.length);
  }

  get trace() {
    return this.figure().data[this.curve];
  }

  show() {
    const { trace, point } = this;
    const of = (value) => (typeof value === "number" ? Number(value.toPrecision(5)) : value);
    this.on.hover({ curve: this.curve, point });
    this.on.say(`${trace.name ?? ""}: ${of(trace.x[point])}, ${of(trace.y[point])}`);
  }

  click() {
    if (this.curve === null) return false;
    const { trace, curve, point } = this;
    this.on.click({ curve, trace: trace.name, point, x: trace.x[point], y: trace.y[point], customdata: trace.customdata?.[point] ?? null });
    return true;
  }

  leave() {
    if (this.curve === null) return false;
    this.curve = null;
    this.on.hover(null);
    return true;
  }
}

/** The place of the number nearest to another. */
function nearest(points, wanted) {
  return points.reduce((best, one, i) => (Math.abs(one - wanted) < Math.abs(points[best] - wanted) ? i : best), 0);
}
