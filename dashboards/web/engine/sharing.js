// Large bundles: rows have nothing to do with each other, so several workers compute margins of a share each.
//
// The lead worker has all rows. Before a frame it asks its helpers for their shares, computes its own meanwhile, and
// keeps the joined margins where the engine looks for them. A helper that has not started is not waited for, and one
// that has gone silent is not asked again.

import { transformKey } from "./params.js";
import { StagedTransform } from "./stages.js";

const SHARE = 250_000; // a share holds so many logits at least
const MOST_SHARES = 4;
const PATIENCE = 2000; // milliseconds after which a helper is given up

/** Into how many shares the rows go: the page needs a core of its own. */
export function sharesOf(logits, cores) {
  return Math.max(1, Math.min(MOST_SHARES, cores - 1, Math.floor(logits / SHARE)));
}

/** The helper's side: answers with the margins of its own rows. */
export function help(port, { rob, classes, labels, stdClass, seriesFrom }) {
  const stages = StagedTransform.of(rob, classes, labels, stdClass, seriesFrom);
  port.onmessage = ({ data }) => port.postMessage({ key: transformKey(data), margins: stages.margins(data) });
  port.postMessage("ready");
}

/** The lead's side. */
export class Helpers {
  /**
   * @param {import("./rows.js").Rows} rows All rows.
   * @param {MessagePort[]} ports One for each helper.
   */
  constructor(rows, ports) {
    Object.assign(this, { rows, ports, started: 0 });
    const shares = ports.length + 1;
    this.ends = Array.from({ length: shares + 1 }, (_, i) => Math.round((i * rows.length) / shares));
    this.own = rows.stages.head(this.ends[1]);
    ports.forEach((port, i) => {
      port.onmessage = () => this.started++;
      port.postMessage(this.shareOf(i + 1));
    });
  }

  shareOf(i) {
    const { rob, labels, stdClass, classes, stages } = this.rows;
    const [start, end] = [this.ends[i], this.ends[i + 1]];
    return {
      rob: rob.slice(start * classes, end * classes),
      labels: labels.slice(start, end),
      stdClass: stdClass.slice(start, end),
      classes,
      seriesFrom: stages.seriesFrom,
    };
  }

  /** Have the margins of a transform ready, where all helpers are there; else the engine computes them by itself. */
  async prepare(params) {
    const { stages } = this.rows;
    const key = transformKey(params);
    if (this.started < this.ports.length || stages.marginsMemo.has(key)) return;
    const theirs = this.ports.map((port) => answerOf(port, params, key));
    const own = this.own.margins(params);
    const shares = await inTime(Promise.all(theirs));
    if (shares) stages.marginsMemo.get(key, () => joined([own, ...shares]));
    else this.started = -Infinity;
  }
}

function answerOf(port, params, key) {
  return new Promise((resolve) => {
    port.onmessage = ({ data }) => {
      if (data.key === key) resolve(data.margins);
    };
    port.postMessage(params);
  });
}

/** What a promise resolves to; null if it takes too long. */
function inTime(promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve(null), PATIENCE)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function joined(shares) {
  const length = shares.reduce((n, share) => n + share.margin.length, 0);
  const columns = Object.keys(shares[0]).map((name) => {
    const all = new shares[0][name].constructor(length);
    let at = 0;
    for (const share of shares) {
      all.set(share[name], at);
      at += share[name].length;
    }
    return [name, all];
  });
  return Object.fromEntries(columns);
}
