// Words beside a point, on a canvas, where Plotly puts them: lines apart by `<br>`, raised by `<sup>`.

const LINE = 1.3; // from one line to the next, sizes of the font
const CAP = 0.75; // of the font's size, what lies above the line
const RAISED = { size: 0.7, up: 0.42 }; // of the font's size
const SIDE = { left: -1, right: 1, top: -1, bottom: 1 };
const MARKUP = /<(?!br>|\/?sup>)|&[\w#]+;/; // of any other kind

/** Whether a text holds nothing but what is drawn here. */
export function isLabel(text) {
  return !MARKUP.test(text);
}

/**
 * Draw words.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} text
 * @param {number} x Of the point.
 * @param {number} y
 * @param {import("./looks.js").Words} words
 * @param {{place: string, radius: number}} at `place`, such as `top left`; `radius` of the point's marker, 0 without one.
 */
export function drawLabel(pen, text, x, y, words, { place, radius }) {
  const [down, along] = place.split(" ").map((side) => SIDE[side] ?? 0);
  const { size, family, weight, fill } = words;
  const lines = text.split("<br>");
  const away = radius ? radius / 0.8 + 1 : 0;
  const height = LINE * (lines.length - 1) + 1;
  const top = y + CAP * size + down * away + ((down - 1) * height * size) / 2;
  pen.fillStyle = fill;
  for (const [i, line] of lines.entries()) {
    const runs = line.split(/<\/?sup>/).map((run, k) => ({ run, raised: k % 2 === 1 }));
    const font = (raised) => `${weight} ${raised ? RAISED.size * size : size}px ${family}`;
    const widths = runs.map(({ run, raised }) => ((pen.font = font(raised)), pen.measureText(run).width));
    let left = x + along * away - ((1 - along) / 2) * widths.reduce((sum, width) => sum + width, 0);
    for (const [k, { run, raised }] of runs.entries()) {
      pen.font = font(raised);
      pen.fillText(run, left, top + i * LINE * size - (raised ? RAISED.up * size : 0));
      left += widths[k];
    }
  }
}
