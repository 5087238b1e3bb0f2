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
 * What a click may mean: the markers that are drawn there, the topmost first, of these of one size the nearest; else
 * what Plotly names, the nearest of all.
 * @param {HTMLElement} plot
 * @param {{points: object[], event: MouseEvent}} click As Plotly reports it.
 * @returns {object[]} Points.
 */
export function covering(plot, { points, event }) {
  const [near] = points;
  if (near?.fullData?.type !== "scatter" || !event) return points;
  const { xaxis, yaxis } = near;
  const box = plot.getBoundingClientRect();
  const [x, y] = [event.clientX - box.left - xaxis._offset, event.clientY - box.top - yaxis._offset];
  const traces = plot._fullData.filter(({ visible, xaxis: own, mode }) => visible === true && own === near.fullData.xaxis && mode?.includes("markers"));
  const found = traces.flatMap((trace) =>
    Array.from(trace.x, (px, i) => ({ trace, i, size: trace.marker.size, away: Math.hypot(xaxis.d2p(px) - x, yaxis.d2p(trace.y[i]) - y) })).filter(({ size, away }) => away <= size / 2),
  );
  found.sort((one, other) => other.size - one.size || one.away - other.away || other.trace.index - one.trace.index);
  const all = found.map(({ trace, i }) => ({ curveNumber: trace.index, fullData: trace, pointNumber: i, x: trace.x[i], y: trace.y[i], customdata: trace.customdata?.[i] }));
  return [...all, ...points.filter(({ curveNumber, pointNumber }) => !all.some((one) => one.curveNumber === curveNumber && one.pointNumber === pointNumber))];
}
