// The explorer in a file: what the file's script ends with.

import { startExplorer } from "../explorer/explorer.js";
import { fileHost, loadPlotly, painted, workerMaker } from "./file.js";

/** Start the explorer: heading, controls and figures, plots. What keeps it from starting is said in its place. */
export async function openExplorer() {
  const root = document.getElementById("mnuts-page");
  try {
    await painted();
    const started = startExplorer(root, fileHost(), workerMaker());
    await Promise.all([started, painted().then(loadPlotly)]); // while the worker reads the bundle
  } catch (error) {
    root.textContent = `The page could not be started: ${error.message}`;
    throw error;
  }
}
