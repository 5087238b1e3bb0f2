// Which images points of a plot stand for: what a visitor brushes in one plot is found in the others.

import { BINS, logBin } from "../engine/views/margins.js";
import { formatted } from "./format.js";
import { className } from "./names.js";
import { LOG_TICKS } from "./prepare/margins.js";

const OF = {
  g: { margin: "std_margin", right: "std_right" },
  h: { margin: "rob_margin", right: "rob_right" },
  "LN h": { margin: "ln_margin", right: "rob_right" },
  "M(h)": { margin: "margin", right: "mapped_right" },
};

/**
 * @typedef {object} Picked
 * @property {number[]} rows Clean rows, ascending, each once.
 * @property {string} words What they have in common.
 *
 * @typedef {object} PlotPoint
 * @property {number} curve Place of its trace.
 * @property {string} trace Name of its trace.
 * @property {number|number[]} point Its place, of a heat map row and column.
 * @property {any} customdata
 * @property {any} meta Of its trace.
 */

/** By the panel's name the images of points; null where they stand for none. */
const PICKERS = { margin_scatter: ofScatter, margins: ofBins, mix_margins: ofBins, classes: ofClasses, confusion: ofCells };

/**
 * The images that points of a panel stand for.
 * @param {string} panel Its name.
 * @param {PlotPoint[]} points
 * @param {object} fields What the panel was drawn from, with the view `images`.
 * @param {{x: number[], y: number[]}|null} range The box that was drawn, if one was.
 * @returns {Picked|null}
 */
export function imagesOf(panel, points, fields, range = null) {
  if (!fields.images || !points.length) return null;
  return PICKERS[panel]?.(points, fields, range) ?? null;
}

/** All images between the ends of a box in the strips and signs that it holds points of; or one image. */
function ofScatter(points, { images, options }, range) {
  const known = points.filter(({ customdata }) => Number.isInteger(customdata));
  if (!known.length) return null;
  if (!range) {
    const [{ customdata: row }] = known;
    return { rows: [row], words: `image ${row}` };
  }
  const [low, high] = range.x.map((end) => marginAt(end, options)).sort((a, b) => a - b);
  const kinds = new Set(known.map(({ customdata }) => kindOf(images, customdata)));
  const rows = rowsWhere(images.margin.length, (r) => images.margin[r] >= low && images.margin[r] <= high && kinds.has(kindOf(images, r)));
  return { rows, words: `margin of M(h) ${formatted(low, ".2g")} to ${formatted(high, ".2g")}: ${[...kinds].sort().join("; ")}` };
}

function kindOf({ std_right, mapped_right }, row) {
  return `g ${std_right[row] ? "right" : "wrong"}, M(h) ${mapped_right[row] ? "right" : "wrong"}`;
}

/** What a place on the margins' axis stands for; its lower end holds everything below it, too. */
function marginAt(place, options) {
  if (!options?.log_margins) return place;
  return place <= LOG_TICKS[0] ? 0 : 10 ** place;
}

/** The images in bins of one histogram. */
function ofBins(points, fields) {
  const bars = points.filter(({ trace, meta }) => meta?.of in OF && (trace === "right" || trace === "wrong"));
  if (!bars.length) return null;
  const { of, part } = bars[0].meta;
  const own = bars.filter(({ meta }) => meta.of === of && meta.part === part);
  const images = part === "clean" ? fields.images : of === "M(h)" ? fields.images.attacked : null;
  if (!images) return null;
  const log = Boolean(fields.options?.log_margins);
  const taken = new Set(own.map(({ trace, point }) => `${trace} ${point}`));
  const [margin, right] = [images[OF[of].margin], images[OF[of].right]];
  const side = (i) => (right[i] ? "right" : "wrong");
  const found = rowsWhere(margin.length, (i) => taken.has(`${side(i)} ${log ? logBin(margin[i]) : linearBin(margin[i])}`));
  const sides = [...new Set(own.map(({ trace }) => trace))].sort().join(" or ");
  const words = `${of} ${sides}, margin ${binWords(own.map(({ point }) => point), log)}${part === "clean" ? "" : ", attacked"}`;
  return { rows: part === "clean" ? found : rowsOf(images, found), words };
}

function linearBin(margin) {
  return Math.min(Math.trunc(margin * BINS), BINS - 1);
}

function binWords(bins, log) {
  const edge = (i) => formatted(log ? 10 ** (LOG_TICKS[0] + i / 4) : i / BINS, log ? ".2g" : ".2f");
  const [first, last] = [Math.min(...bins), Math.max(...bins)];
  return log && first === 0 ? `up to ${edge(last + 1)}` : `${edge(first)} to ${edge(last + 1)}`;
}

/** The images of classes. */
function ofClasses(points, { images, drawn, meta }) {
  const known = points.filter(({ meta: own }) => own?.part);
  if (!known.length) return null;
  const { part } = known[0].meta;
  const classes = new Set(known.filter((point) => point.meta.part === part).map(({ point }) => drawn.classes[point]));
  const names = [...classes].map((k) => className(meta, k)).join(", ");
  const isOf = (row) => classes.has(images.label[row]);
  const rows = part === "clean" ? rowsWhere(images.label.length, isOf) : rowsOf(images.attacked, rowsWhere(images.attacked.row.length, (i) => isOf(images.attacked.row[i])));
  return { rows, words: `class ${names}${part === "clean" ? "" : ", attacked"}` };
}

/** The images of one class that the mix takes for another. */
function ofCells(points, { images, drawn, meta }) {
  const cell = points.find(({ point }) => Array.isArray(point));
  if (!cell) return null;
  const [label, taken] = cell.point.map((place) => drawn.classes[place]);
  const words = `${className(meta, label)} taken for ${className(meta, taken)}`;
  if (drawn.part === "clean") {
    return { rows: rowsWhere(images.label.length, (r) => images.label[r] === label && images.mix_class[r] === taken), words };
  }
  const { row, mix_class } = images.attacked;
  const found = rowsWhere(row.length, (i) => images.label[row[i]] === label && mix_class[i] === taken);
  return { rows: rowsOf(images.attacked, found), words: `${words}, attacked` };
}

function rowsWhere(n, holds) {
  const rows = [];
  for (let i = 0; i < n; i++) if (holds(i)) rows.push(i);
  return rows;
}

/** The clean rows of attacked images. */
function rowsOf({ row }, places) {
  return places.map((place) => row[place]).sort((a, b) => a - b);
}
