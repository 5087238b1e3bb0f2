// A file for the kernel, piece by piece: a message of a whole file would be longer than the server takes. When the connection breaks
// the server drops what has come of a file: it is sent again, from the beginning.

const PIECE = 2 ** 20; // bytes
const TRIES = 3;

/**
 * @param {import("./calls.js").Calls} calls
 * @param {File} file
 * @param {(share: number) => void} progress
 * @returns {Promise<{name: string, bundles: {name: string, title: string}[]}>} The bundle that it became, and all at hand.
 */
export async function send(calls, file, progress) {
  for (let tries = 1; ; tries++) {
    const { breaks } = calls;
    try {
      return await sendOnce(calls, file, progress);
    } catch (error) {
      if (calls.breaks === breaks || tries === TRIES) throw error;
    }
  }
}

async function sendOnce(calls, file, progress) {
  await calls.call("begin", { name: file.name, size: file.size });
  let answer = null;
  for (let sent = 0; sent < file.size; sent += PIECE) {
    const piece = await file.slice(sent, sent + PIECE).arrayBuffer();
    answer = await calls.call("piece", {}, { buffers: [piece] });
    progress(Math.min(1, (sent + PIECE) / file.size));
  }
  return answer;
}
