// What a plot can be saved as: a picture with its title and its note, or its numbers with all it takes to plot them again.

import { csvOf, settingsOf, tableOf } from "./data_table.js";
import { save } from "./tools.js";

const HEAD = 56; // pixels that a picture's title and note take

/** A panel's numbers, as a file. */
export function saveCsv({ spec, figure, fields, charts }) {
  const text = csvOf(tableOf(spec, figure, fields), settingsOf(fields));
  save(new Blob([text], { type: "text/csv" }), `${charts.stem(spec.name, fields)}.csv`);
}

/**
 * A panel's plot, as a picture: it travels alone, and takes its title and its note (n, units) along, above what the
 * plot needs itself.
 * @param {import("./panel.js").Panel} panel
 * @param {"png"|"svg"} format
 */
export async function savePicture({ spec, plot, charts, note, fields }, format) {
  const place = { x: 0, xanchor: "left", xref: "container", y: 1, yanchor: "top", yref: "container", pad: { t: 14, l: 14 } };
  const title = { text: spec.title, ...place, font: { size: 16 }, subtitle: { text: note.textContent, font: { size: 12 } } };
  const margin = { ...plot.layout.margin, t: plot._fullLayout._size.t + HEAD };
  const layout = { title, ...plot.layout, margin, paper_bgcolor: charts.theme.ground };
  const size = { width: plot.clientWidth, height: plot.clientHeight + HEAD, scale: format === "png" ? 2 : 1 };
  const picture = await globalThis.Plotly.toImage({ data: plot.data, layout }, { format, ...size });
  save(picture, `${charts.stem(spec.name, fields)}.${format}`);
}
