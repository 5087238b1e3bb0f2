// An app in a file: what the file's script does, whatever the app.

import { fileHost, loadPlotly, painted, workerMaker } from "./file.js";

/**
 * Start an app: what it paints at once, then its plots. What keeps it from starting is said in its place.
 *
 * @param {(root: HTMLElement, host: import("./file.js").Host, makeWorker: () => Worker) => Promise<object>} start
 */
export async function openPage(start) {
  const root = document.getElementById("mnuts-page");
  try {
    await painted();
    const started = start(root, fileHost(), workerMaker());
    await Promise.all([started, painted().then(loadPlotly)]); // while the worker reads the bundle
  } catch (error) {
    root.textContent = `The page could not be started: ${error.message}`;
    throw error;
  }
}
