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
 * What a click means: the marker that is drawn on top there. Plotly names the nearest, be it a dot beneath a star.
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
  const under = ({ x: xs, y: ys, marker }) => [...xs].findIndex((_, i) => Math.hypot(xaxis.d2p(xs[i]) - x, yaxis.d2p(ys[i]) - y) <= marker.size / 2);
  for (const trace of plot._fullData.slice(near.curveNumber + 1).reverse()) {
    if (trace.visible !== true || trace.xaxis !== near.fullData.xaxis || !trace.mode?.includes("markers")) continue;
    const i = under(trace);
    if (i >= 0) return [{ curveNumber: trace.index, fullData: trace, pointNumber: i, x: trace.x[i], y: trace.y[i], customdata: trace.customdata?.[i] }];
  }
  return points;
}
