// Light or dark paper: what the page says, else what the system prefers.

const DARK = "(prefers-color-scheme: dark)";

/**
 * The name of the theme in force.
 * @param {"light"|"dark"|"auto"} chosen
 * @returns {"light"|"dark"}
 */
export function themeName(chosen = "auto") {
  const named = chosen === "auto" ? document.documentElement.dataset.theme : chosen;
  if (named === "light" || named === "dark") return named;
  return matchMedia(DARK).matches ? "dark" : "light";
}

/**
 * Call a function whenever the theme may have changed.
 * @param {() => void} changed
 * @returns {() => void} Ends that.
 */
export function watchTheme(changed) {
  const watch = new MutationObserver(changed);
  watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const system = matchMedia(DARK);
  system.addEventListener("change", changed);
  return () => {
    watch.disconnect();
    system.removeEventListener("change", changed);
  };
}
