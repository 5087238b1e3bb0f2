// The class that a teacher counts: each page tells its server where on the scale a prediction lies, once for each question; the page
// with the teacher's key asks for the counts. In a file, or where the server does not count, there is none.

import { keep, keptList } from "../app/storage.js";

export const PARTS = 20; // of a scale; as in `dashboards/lesson/questions.py`
const KEPT = "class-key";
const AGAIN = 5000; // milliseconds until what the server did not answer is told again

/** The class of a page; null where there is none. */
export function classroomOf({ kind, counted }) {
  const config = kind === "kernel" && counted ? document.getElementById("jupyter-config-data") : null;
  if (!config) return null;
  const { baseUrl, kernelId } = JSON.parse(config.textContent);
  return new Classroom(`${baseUrl}class`, kernelId, keyGiven());
}

/** The teacher's key: of the link, from which the page takes it away, and of this tab. */
function keyGiven() {
  const given = new URLSearchParams(location.search).get("class");
  if (given) keep(KEPT, [given]);
  return given ?? keptList(KEPT, (one) => typeof one === "string")[0] ?? null;
}

/** In which part of its scale an answer lies, or which answer it is of a choice. */
export function partOf({ kind, options, low, high }, answer) {
  if (kind === "choice") return options.findIndex(([, value]) => value === answer);
  return Math.min(PARTS - 1, Math.floor(((answer - low) / (high - low)) * PARTS + 1e-9));
}

export class Classroom {
  /**
   * @param {string} address Of the server's counts.
   * @param {string} page Of this page, by its kernel.
   * @param {string|null} key The teacher's.
   */
  constructor(address, page, key) {
    Object.assign(this, { address, page, key, waiting: new Map(), known: true, sending: false, changed: () => {} });
  }

  /** Whether this page is the teacher's: its answers do not count. */
  get isTeacher() {
    return this.key !== null;
  }

  /** How it stands with this page's predictions: they are counted, they wait for the server, or it no longer knows this page. */
  get state() {
    if (!this.known) return "gone";
    return this.waiting.size ? "waiting" : "counted";
  }

  /**
   * Have a prediction counted; while the server does not answer it waits.
   *
   * @param {{bundle: number, question: string}} asked `bundle`: its place among those offered.
   * @param {number} part See `partOf`.
   */
  say(asked, part) {
    const key = JSON.stringify(asked);
    if (!this.waiting.has(key)) this.waiting.set(key, { page: this.page, ...asked, part }); // the first one counts
    return this.send();
  }

  /** Tell the server what waits, in turn; `changed` is called afterwards. */
  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    try {
      for (const [key, said] of this.waiting) {
        this.known = await this.take(said);
        this.waiting.delete(key);
      }
    } catch {
      this.timer = setTimeout(() => this.send(), AGAIN);
    }
    this.sending = false;
    this.changed();
  }

  /** Whether the server takes a prediction, as it does of pages that it knows; rejected where it does not answer. */
  async take(said) {
    const request = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) };
    const { ok, status } = await fetch(this.address, request);
    if (status >= 500) throw new Error("the server is busy");
    return ok;
  }

  /** The counts of a question, of each part one. */
  async counts({ bundle, question }) {
    const query = new URLSearchParams({ bundle, question });
    const answer = await fetch(`${this.address}?${query}`, { headers: { "X-Class-Key": this.key } });
    if (!answer.ok) throw new Error("no counts");
    return (await answer.json()).counts;
  }
}
