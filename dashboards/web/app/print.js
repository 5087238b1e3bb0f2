// The page on paper: light, whatever the screen is, with everything open that a reader could open. Where there are plots, which
// have the screen's width, all is as wide as on the screen, and made small enough for a sheet that stands upright.

const SHEET = 690; // CSS pixels that fit on A4 and on letter, inside a browser's own margins

/**
 * Be ready to be printed. Call it before there are plots: these are drawn anew in the colours of then.
 * @param {HTMLElement} root What is printed.
 * @returns {() => void} Ends that.
 */
export function printOnPaper(root) {
  const { dataset } = document.documentElement;
  let after = () => {};
  const before = () => {
    const { theme } = dataset;
    const closed = [...root.querySelectorAll("details:not([open], .plot-menu)")];
    const main = root.querySelector("main");
    dataset.theme = "light";
    const width = main.clientWidth;
    if ([...main.querySelectorAll(".plot-panel")].some((panel) => panel.clientWidth)) Object.assign(main.style, { width: `${width}px`, zoom: Math.min(1, SHEET / width) });
    for (const one of closed) one.open = true;
    after = () => {
      if (theme) dataset.theme = theme;
      else delete dataset.theme;
      for (const one of closed) one.open = false;
      Object.assign(main.style, { width: "", zoom: "" });
    };
  };
  const printed = () => after();
  addEventListener("beforeprint", before);
  addEventListener("afterprint", printed);
  return () => {
    removeEventListener("beforeprint", before);
    removeEventListener("afterprint", printed);
  };
}
