// The explorer in a file: what the file's script ends with.

import { startExplorer } from "../explorer/explorer.js";
import { afterPaint, fileHost, loadPlotly, workerMaker } from "./file.js";

/** Start the explorer once the page's text can be seen; what keeps it from starting is said in its place. */
export function openExplorer() {
  const root = document.getElementById("mnuts-page");
  afterPaint(async () => {
    try {
      loadPlotly();
      await startExplorer(root, fileHost(), workerMaker());
    } catch (error) {
      const line = document.getElementById("mnuts-starting") ?? root;
      line.textContent = `The page could not be started: ${error.message}`;
      throw error;
    }
  });
}
