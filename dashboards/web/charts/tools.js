// Small tools of the plots: files to save, calls that wait, what a click means.

import { h } from "../controls/dom.js";

/**
 * Have the browser save text or a picture.
 * @param {string|Blob} content A data URL, or a Blob.
 * @param {string} filename Characters that not every system takes become `_`.
 */
export function save(content, filename) {
  const url = content instanceof Blob ? URL.createObjectURL(content) : content;
  const link = h("a", { href: url, download: filename.replace(/[^\p{L}\p{N}_.() +-]+/gu, "_") });
  document.body.append(link);
  link.click();
  link.remove();
  if (content instanceof Blob) setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** A function that runs once nobody has called it for a while. */
export function debounce(wait, run) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
}

/**
 * What a click means: the marker that is drawn on top there, or a nearer one of its size that it covers. Plotly names
 * the nearest of all, be it a dot beneath a star.
 * @param {HTMLElement} plot
 * @param {{points: object[], event: MouseEvent}} click As Plotly reports it.
 * @returns {object[]} Points.
 */
export function topmost(plot, { points, event }) {
  const [near] = points;
  if (near?.fullData?.type !== "scatter" || !event) return points;
  const { xaxis, yaxis } = near;
  const box = plot.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - xaxis._offset, event.clientY - box.top - yaxis._offset];
  const drawn = plot._fullData.slice(near.curveNumber + 1).reverse();
  const traces = drawn.filter(({ visible, xaxis: own, mode }) => visible === true && own === near.fullData.xaxis && mode?.includes("markers"));
  const covering = traces.flatMap((trace) =>
    Array.from(trace.x, (px, i) => ({ trace, i, away: Math.hypot(xaxis.d2p(px) - x, yaxis.d2p(trace.y[i]) - y) })).filter(({ away }) => away <= trace.marker.size / 2),
  );
  if (!covering.length) return points;
  const [top] = covering;
  const { trace, i } = covering.reduce((best, one) => (one.trace.marker.size >= top.trace.marker.size && one.away < best.away ? one : best), top);
  return [{ curveNumber: trace.index, fullData: trace, pointNumber: i, x: trace.x[i], y: trace.y[i], customdata: trace.customdata?.[i] }];
}
