// Okabe and Ito's colours, told apart with any colour vision; black and yellow give way to what both themes can show.
const COLORWAY = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c8c8c"];
const COLORWAY_DARK = ["#4aa3df", "#f08a4b", "#2fc79a", "#e2a3c7", "#8fd0f5", "#f2b632", "#a9a9a9"];

// --- colours --------------------------------------------------------------------------------------------------
// Plotly knows fewer ways to write a colour than CSS does: a canvas translates.
const pixel = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

function rgba(color, alpha = 1) {
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = color;
  pixel.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
  return `rgba(${r},${g},${b},${((a / 255) * alpha).toFixed(3)})`;
}

function themeOf(node) {
  const css = getComputedStyle(node);
  const [r, g, b] = (css.color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
  const dark = 0.299 * r + 0.587 * g + 0.114 * b > 140; // light letters, so a dark page
  const paint = (name, alpha) => rgba(css.getPropertyValue(`--mnuts-${name}`).trim(), alpha);
  const [text, muted, line, ground] = ["text", "muted", "line", "ground"].map((name) => paint(name));
  const grid = paint("grid", 0.6);
  const key = [dark, text, muted, grid, line, ground].join();
  return { key, dark, ground, template: templateOf({ dark, text, muted, grid, line, ground, font: css.fontFamily }) };
}

function templateOf({ dark, text, muted, grid, line, ground, font }) {
  const axis = {
    gridcolor: grid, linecolor: line, zerolinecolor: line, tickcolor: line, automargin: true, showline: true,
    zeroline: false, ticks: "outside", ticklen: 4, tickfont: { size: 11, color: muted }, title: { standoff: 8, font: { size: 12 } },
  };
  const clear = "rgba(0,0,0,0)";
  const legend = { bgcolor: clear, font: { size: 11 }, orientation: "h", x: 0, y: 1.02, yanchor: "bottom" };
  const colorbar = { outlinewidth: 0, thickness: 12, tickfont: { size: 11, color: muted }, title: { font: { size: 12 } } };
  return {
    data: { heatmap: [{ colorbar, colorscale: "Cividis" }], contour: [{ colorbar, colorscale: "Cividis" }] },
    layout: {
      font: { family: font, size: 12, color: text }, paper_bgcolor: clear, plot_bgcolor: clear,
      colorway: dark ? COLORWAY_DARK : COLORWAY, margin: { l: 52, r: 14, t: 16, b: 44 }, legend,
      xaxis: axis, yaxis: axis, hoverlabel: { bgcolor: ground, bordercolor: line, font: { color: text, size: 12 } },
      ternary: { bgcolor: clear, aaxis: axis, baxis: axis, caxis: axis }, hovermode: "closest",
      modebar: { bgcolor: clear }, coloraxis: { colorbar }, colorscale: { sequential: "Cividis", sequentialminus: "Cividis", diverging: "RdBu" },
    },
  };
}
