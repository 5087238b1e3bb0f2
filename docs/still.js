// The notebooks' plots as they stand: what `dashboards/text/still.py` writes is drawn, on light or dark paper as the site is.

const themes = JSON.parse(document.getElementById("mnuts-themes").textContent);

function draw() {
  const { template } = themes[document.body.dataset.mdColorScheme === "slate" ? "dark" : "light"];
  for (const plot of document.querySelectorAll(".mnuts-still-plot")) {
    const { data, layout } = JSON.parse(plot.dataset.figure);
    if (!plot._fullLayout) plot.textContent = "";
    Plotly.react(plot, data, { ...layout, template, autosize: true, dragmode: false }, { responsive: true, displayModeBar: false });
  }
}

draw();
new MutationObserver(draw).observe(document.body, { attributeFilter: ["data-md-color-scheme"] });
