// Figures in narrow places: titles that are wider than their room take more lines, and subplots side by side share one axis title.

const LINE = 1.3; // from one line to the next, sizes of the font
const GAP = 8; // pixels between two texts side by side
const AXIS = /^xaxis(\d*)$/;
const YAXIS = /^yaxis(\d*)$/;
const TITLE = 12; // size of the font, where a figure says nothing else
const SMALLEST = 9; // letters of a title
const UNDER = 22; // pixels from an axis to its title: ticks, their labels, and some air
const TICK = 20; // pixels of a tick's label that stands upright
const KEY = 45; // pixels of a legend's line and its air beside a name
const KEYS = 19; // pixels of a legend's row
const MOST_KEPT = 2000; // widths of texts
const PIECES = [/[^,:]*(?:[,:] ?|$)/g, /[^ ]*(?: |$)/g]; // at marks first, then anywhere between words

/** @typedef {(text: string, size: number) => number} Measure The width of a line in pixels. */

/**
 * A figure with its texts fitted to the width that it is drawn in; the figure itself where they fit as they are.
 * @param {{data: object[], layout: object}} figure Plotly JSON, all fields filled in.
 * @param {{width: number, height: number}} size Of the plot, in pixels.
 * @param {Measure} measure
 */
export function fitted(figure, size, measure) {
  const { l = 0, r = 0, t = 0, b = 0 } = figure.layout.margin ?? {};
  const place = { left: l, width: size.width - l - r, right: r, height: size.height - t - b, measure };
  const { data, layout } = withCaptions(figure, place);
  const titled = withUprightTitles(withTitles(withAxisTitles(layout, place), place), data, size, measure);
  return titled === figure.layout && data === figure.data ? figure : { ...figure, data, layout: titled };
}

// --- titles of axes
/** Subplots of a row share the title that they have in common where it is wider than one of them; others take more lines. */
function withAxisTitles(layout, { left, width, right, measure }) {
  const titled = Object.keys(layout).filter((key) => AXIS.test(key) && layout[key].visible !== false && layout[key].title?.text);
  const spans = new Map(titled.map((key) => [key, (layout[key].domain ?? [0, 1]).map((end) => end * width)]));
  const changed = { ...layout };
  for (const keys of rowsOf(titled, (key) => `${bottomOf(layout, key)} ${layout[key].title.text}`)) {
    const { text, font } = layout[keys[0]].title;
    const [from, to] = [Math.min(...keys.map((key) => spans.get(key)[0])), Math.max(...keys.map((key) => spans.get(key)[1]))];
    const middle = (from + to) / 2;
    const wide = measure(text, sizeOf(font)) + GAP;
    if (keys.length > 1 && keys.some((key) => wide > spans.get(key)[1] - spans.get(key)[0])) {
      for (const key of keys) changed[key] = { ...layout[key], title: { ...layout[key].title, text: "" } };
      const shared = { text, x: middle / width, y: bottomOf(layout, keys[0]), xref: "paper", yref: "paper", xanchor: "center", yanchor: "top", yshift: -UNDER };
      changed.annotations = [...(changed.annotations ?? []), { ...shared, showarrow: false, font: { size: TITLE, ...font } }];
    } else if (keys.length === 1) {
      const lines = wrapped(text, 2 * Math.min(left + middle, width - middle + right) - GAP, sizeOf(font), measure);
      if (lines.length === 1) continue;
      changed[keys[0]] = { ...layout[keys[0]], title: { ...layout[keys[0]].title, text: lines.join("<br>") } };
      changed.margin = { ...changed.margin, b: (changed.margin?.b ?? 0) + (lines.length - 1) * LINE * TITLE };
    }
  }
  return withFlatTicks(titled.some((key) => changed[key] !== layout[key]) ? changed : layout, width);
}

/** The titles of axes at the left edge take more lines where the axis is shorter, and the margin with them. */
function withUprightTitles(layout, data, { width, height }, measure) {
  const { t = 0, b = 0, l = 0, r = 0 } = layout.margin ?? {};
  const whole = height - t - Math.max(b, legendOf(layout, data, width - l - r, measure) + LINE * TITLE + UNDER);
  const changed = {};
  for (const [key, { title, domain = [0, 1], side, visible }] of Object.entries(layout).filter(([key]) => YAXIS.test(key))) {
    const start = layout[`xaxis${YAXIS.exec(key)[1]}`]?.domain?.[0] ?? 0;
    if (!title?.text || start > 0 || side === "right" || visible === false) continue;
    const above = t + whole * (1 - (domain[0] + domain[1]) / 2);
    const lines = wrapped(title.text, 2 * Math.min(above, height - above) - GAP, sizeOf(title.font), measure);
    if (lines.length > 1) changed[key] = { ...layout[key], title: { ...title, text: lines.join("<br>") } };
    if (lines.length > 1) changed.margin = { ...layout.margin, l: Math.max(changed.margin?.l ?? 0, l + (lines.length - 1) * LINE * TITLE) };
  }
  return Object.keys(changed).length ? { ...layout, ...changed } : layout;
}

/** How high a legend below the plot is, about: as many entries in a row as fit. */
function legendOf({ showlegend, legend }, data, width, measure) {
  if (!showlegend || legend?.yref !== "container") return 0;
  let [rows, taken] = [0, Infinity];
  for (const { name } of data.filter((trace) => trace.name && trace.showlegend !== false)) {
    const wide = KEY + measure(name, sizeOf(legend.font));
    if (taken + wide > width) [rows, taken] = [rows + 1, 0];
    taken += wide;
  }
  return KEYS * rows;
}

/** No more ticks on an axis of numbers than fit side by side, upright. */
function withFlatTicks(layout, width) {
  const crowded = Object.entries(layout).filter(([key, { nticks, domain }]) => AXIS.test(key) && domain && nticks * TICK > (domain[1] - domain[0]) * width);
  if (!crowded.length) return layout;
  const fewer = ([key, axis]) => [key, { ...axis, nticks: Math.max(1, Math.floor(((axis.domain[1] - axis.domain[0]) * width) / TICK)), tickangle: 0 }];
  return { ...layout, ...Object.fromEntries(crowded.map(fewer)) };
}

function bottomOf(layout, key) {
  return layout[`yaxis${AXIS.exec(key)[1]}`]?.domain?.[0] ?? 0;
}

// --- titles of subplots
/** Lines of text that stand on points of the paper: as wide as they may be beside each other, and inside the plot. */
function withTitles(layout, place) {
  const titles = (layout.annotations ?? []).filter(({ showarrow, yref, yanchor, xanchor }) => showarrow === false && yref === "paper" && yanchor === "bottom" && ["center", "left"].includes(xanchor));
  const lines = new Map();
  for (const row of rowsOf(titles, ({ y, xanchor }) => `${y} ${xanchor}`)) {
    const at = row.map((title) => pixelOf(title, layout, place));
    const end = place.left + place.width + place.right;
    const centred = (x, i) => Math.min(...at.filter((_, k) => k !== i).map((other) => Math.abs(other - x)), 2 * x, 2 * (end - x));
    const rooms = at.map((x, i) => (row[0].xanchor === "left" ? Math.min(end, ...at.filter((other) => other > x)) - x : centred(x, i)) - GAP);
    const found = titlesIn(row, rooms, place.measure);
    for (const [i, title] of row.entries()) if (found[i].lines.length > 1) lines.set(title, found[i]);
  }
  return lines.size ? raised(layout, lines, place.height) : layout;
}

/** The titles of a row in lines, all in smaller letters where a word is too wide. */
function titlesIn(row, rooms, measure) {
  for (let less = 0; ; less += 1) {
    const found = row.map(({ text, font }, i) => ({ size: sizeOf(font) - less, lines: wrapped(text, rooms[i], sizeOf(font) - less, measure) }));
    const fits = found.every(({ lines, size }, i) => lines.every((line) => measure(line, size) <= rooms[i]));
    if (fits || found.some(({ size }) => size <= SMALLEST)) return found;
  }
}

/** Room for the new lines: above the plot, or from the subplots below them. */
function raised(layout, lines, height) {
  const changed = { ...layout, margin: { ...layout.margin } };
  const more = new Map();
  for (const [{ y }, { lines: { length }, size }] of lines) more.set(y, Math.max(more.get(y) ?? 0, (length - 1) * LINE * size));
  changed.annotations = layout.annotations.map((note) => {
    const y = note.yref === "paper" && note.y < 1 && more.has(note.y) ? note.y - more.get(note.y) / height : note.y;
    return lines.has(note) ? { ...note, y, text: lines.get(note).lines.join("<br>"), font: { ...note.font, size: lines.get(note).size } } : { ...note, y };
  });
  for (const [y, pixels] of more) {
    if (y >= 1) changed.margin.t = (changed.margin.t ?? 0) + pixels;
    for (const [key, axis] of y < 1 ? Object.entries(layout) : []) {
      if (YAXIS.test(key) && axis.domain?.[1] === y) changed[key] = { ...axis, domain: [axis.domain[0], y - pixels / height] };
    }
  }
  return changed;
}

function pixelOf({ x, xref = "x" }, layout, { left, width }) {
  if (xref === "paper") return left + x * width;
  const { domain = [0, 1], range: [low, high] = [0, 1] } = layout[`xaxis${xref.slice(1)}`] ?? {};
  return left + (domain[0] + ((x - low) / (high - low)) * (domain[1] - domain[0])) * width;
}

// --- lines of text in subplots
/** Texts over the middle of a subplot, such as the margins over the bars; the axis makes room for their lines. */
function withCaptions({ data, layout }, { width, height, measure }) {
  const captions = data.filter(({ mode, meta, text }) => mode === "text" && meta?.furniture && text?.length === 1);
  const lines = new Map();
  for (const trace of captions) {
    const [from, to] = layout[axisOf("x", trace)]?.domain ?? [0, 1];
    const [[text], size, room] = [trace.text, sizeOf(trace.textfont), (to - from) * width];
    const drawn = text.split("<br>");
    if (!drawn.every((line) => measure(line, size) <= room)) lines.set(trace, { drawn, found: wrapped(drawn.join(" "), room, size, measure), size });
  }
  if (!lines.size) return { data, layout };
  const more = Math.max(0, ...[...lines.values()].map(({ drawn, found, size }) => (LINE * size * (found.length - drawn.length)) / height));
  const axes = new Set(captions.map((trace) => axisOf("y", trace)).filter((key) => layout[key]?.range));
  const higher = ([low, high]) => [low, high + more * (high - low)];
  return {
    data: data.map((trace) => (lines.has(trace) ? { ...trace, text: [lines.get(trace).found.join("<br>")] } : trace)),
    layout: { ...layout, ...Object.fromEntries([...axes].map((key) => [key, { ...layout[key], range: higher(layout[key].range) }])) },
  };
}

function axisOf(letter, trace) {
  return `${letter}axis${(trace[`${letter}axis`] ?? letter).slice(1)}`;
}

// --- lines
/**
 * A text in as few lines as its room asks for, broken after commas and colons before it is between other words.
 * @param {string} text
 * @param {number} room In pixels.
 * @param {number} size Of the font.
 * @param {Measure} measure
 * @returns {string[]}
 */
export function wrapped(text, room, size, measure) {
  const fits = (line) => measure(line.trim(), size) <= room;
  if (fits(text)) return [text];
  const packed = (pieces) => pieces.reduce((lines, piece) => (lines.length && fits(lines.at(-1) + piece) ? [...lines.slice(0, -1), lines.at(-1) + piece] : [...lines, piece]), []);
  const [marks, words] = PIECES;
  return packed(text.match(marks).filter(Boolean))
    .flatMap((line) => (fits(line) ? [line] : packed(line.match(words).filter(Boolean))))
    .map((line) => line.trim());
}

function sizeOf(font) {
  return font?.size ?? TITLE;
}

function rowsOf(list, keyOf) {
  const rows = new Map();
  for (const one of list) rows.set(keyOf(one), [...(rows.get(keyOf(one)) ?? []), one]);
  return rows.values();
}

/**
 * Widths of text as the page draws it; `<b>` and the like take no room.
 * @param {string} family Of the font.
 * @returns {Measure}
 */
export function measureIn(family) {
  const pen = document.createElement("canvas").getContext("2d");
  const widths = new Map(); // of the same few texts, in every frame of a drag
  return (text, size) => {
    const key = `${size} ${text}`;
    if (!widths.has(key)) {
      if (widths.size >= MOST_KEPT) widths.clear();
      pen.font = `${text.includes("<b>") ? "bold " : ""}${size}px ${family}`;
      widths.set(key, pen.measureText(text.replace(/<[^>]*>/g, "")).width);
    }
    return widths.get(key);
  };
}
