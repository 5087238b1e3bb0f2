// From a state to what is seen: the engine is asked for the views that are looked at, and an answer is drawn once a frame,
// as soon as it comes. One state is in flight, the newest wins.

import { mixOf } from "../app/settings.js";
import { same } from "../app/state.js";
import { OF_THE_LIST } from "./listing.js";

const LATE = 500; // milliseconds without an answer, after which what is shown is marked as that of other settings

export class Drawing {
  /**
   * @param {import("../engine/client.js").EngineClient} client
   * @param {() => string[]} wanted Names of the views that are looked at.
   * @param {object} on
   * @param {(state: object, frame: object) => void} on.draw Draws an answer: the state that was asked for, and its figures.
   * @param {(late: boolean) => void} on.late Called when the answer is late, and when it is there.
   */
  constructor(client, wanted, { draw, late }) {
    Object.assign(this, { client, wanted, draw, late, asked: new Map(), frame: null, due: false, paused: true, waits: [], timer: null });
  }

  /** Begin with a bundle that is loaded, or wait for one that is on its way. */
  pause(paused) {
    Object.assign(this, { paused, frame: null });
    this.asked.clear();
    this.giveUp();
  }

  /** Ask for a state. */
  request(state) {
    if (this.paused) return;
    const example = state.case === "paper" ? null : { where: state.case, row: state.row };
    const asked = { params: mixOf(state), example, snapshots: state.snapshots, grid: state.grid, verified: null };
    this.client.show(asked, this.wanted());
    this.asked.set(this.client.number, state);
    this.timer ??= this.wait();
  }

  /** Wait for an answer. */
  wait() {
    return setTimeout(() => this.late(true), LATE);
  }

  /** An answer is there, or none comes; the next one may be late again. */
  answered(number = Infinity) {
    clearTimeout(this.timer);
    this.late(false);
    this.timer = [...this.asked.keys()].some((asked) => asked > number) ? this.wait() : null;
  }

  /**
   * What the engine makes of the state that was asked for last, once it has come; null if it never does.
   * @returns {Promise<object|null>}
   */
  answer() {
    if (this.paused) return Promise.resolve(null);
    return new Promise((resolve) => this.waits.push({ number: this.client.number, resolve }));
  }

  /**
   * Take an answer. It is drawn at once, so that the next frame shows it; in a frame that has its drawing already, the
   * newest one is drawn when the frame ends.
   */
  receive(frame) {
    if (this.paused) return;
    this.frame = frame;
    this.answered(frame.number);
    this.settle(({ number }) => number <= frame.number, frame);
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      this.paint();
    });
    this.paint();
  }

  /** No answer comes: the engine has said why, or another bundle is on its way. */
  giveUp() {
    this.answered();
    this.settle(() => true, null);
  }

  settle(which, frame) {
    const [settled, waiting] = [this.waits.filter(which), this.waits.filter((wait) => !which(wait))];
    this.waits = waiting;
    for (const { resolve } of settled) resolve(frame);
  }

  paint() {
    const { frame } = this;
    const state = frame && this.asked.get(frame.number);
    this.frame = null;
    if (!state) return; // nothing new, or another bundle is on its way
    for (const number of this.asked.keys()) if (number < frame.number) this.asked.delete(number);
    this.draw(state, frame);
  }
}

const OF_THE_CONTROLS = ["bundle", "find_by", "least", "hidden", ...OF_THE_LIST]; // settings that move no figure by themselves

/** Whether a change of the state is one of what the engine answers with. */
export function movesFigures(state, before) {
  const moves = (name) => !OF_THE_CONTROLS.includes(name) && !same(state[name], before[name]);
  return Object.keys(state).some(moves);
}
