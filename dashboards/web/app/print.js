// The page on paper: light, whatever the screen is, with everything open that a reader could open, and as wide as on the
// screen, for the plots have that width: the browser makes it fit.

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
    main.style.width = `${main.clientWidth}px`;
    for (const one of closed) one.open = true;
    after = () => {
      if (theme) dataset.theme = theme;
      else delete dataset.theme;
      for (const one of closed) one.open = false;
      main.style.width = "";
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
