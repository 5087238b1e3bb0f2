// Undo and redo: the states that were there, a place among them, and the browser's history kept in step with both.
//
// A drag is one step. Undo goes back to a state as it was, not to what its link means; the browser's Back does the same.

const REST = 800; // milliseconds without a change, after which the next one is a step of its own
const WRITE_EVERY = 200; // between two changes of the address while a slider is dragged
const ARRIVAL = 600; // within which the browser has gone where it was sent

export class History {
  /**
   * @param {import("./state.js").Store} store
   * @param {import("./address.js").Address} address
   * @param {object} on
   * @param {(state: object) => string} on.link The query of a state.
   * @param {(query: string) => Promise<void>|void} on.arrive Shows what the query of an entry means that is not of this
   *   visit.
   * @param {() => void} on.changed Called when undo or redo become possible or impossible.
   */
  constructor(store, address, { link, arrive, changed }) {
    Object.assign(this, { store, address, link, arrive, changed });
    Object.assign(this, { states: [store.get()], place: 0, last: -Infinity, timer: null, moving: false });
    this.visit = newName();
    this.sent = null; // the timer of a move of the browser that has not arrived yet
    this.write("replace");
    store.subscribe((state, before, options) => this.note(state, options));
    address.onArrive((entry) => this.arrived(entry));
  }

  get canUndo() {
    return this.place > 0;
  }

  get canRedo() {
    return this.place < this.states.length - 1;
  }

  undo() {
    this.step(-1);
  }

  redo() {
    this.step(1);
  }

  /** Let the next change be a step of its own, however soon it comes. */
  part() {
    this.last = -Infinity;
  }

  /** Begin anew with the current state, in the browser's current entry; all others are of another visit now. */
  restart() {
    this.forgetTimer();
    Object.assign(this, { states: [this.store.get()], place: 0, last: -Infinity, visit: newName() });
    this.write("replace");
    this.changed();
  }

  /** Let the address have the link of now: what a link leaves out may have been found. */
  agree() {
    this.flush();
    this.write("replace");
  }

  note(state, { undoable }) {
    if (this.moving) return;
    if (!undoable) {
      this.states[this.place] = state;
      this.later();
    } else if (performance.now() - this.last >= REST) this.begin(state);
    else this.amend(state);
  }

  /** A new step; what had been undone is forgotten. */
  begin(state) {
    this.flush();
    this.states.length = this.place + 1;
    this.states.push(state);
    this.place += 1;
    this.last = performance.now();
    this.write("push");
    this.changed();
  }

  /** The current step ends at another state. */
  amend(state) {
    this.last = performance.now();
    this.states.length = this.place + 1;
    this.states[this.place] = state;
    this.later();
    this.changed();
  }

  later() {
    this.timer ??= setTimeout(() => this.flush(), WRITE_EVERY);
  }

  flush() {
    if (this.timer === null) return;
    this.forgetTimer();
    this.write("replace");
  }

  forgetTimer() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  write(how) {
    const entry = { visit: this.visit, place: this.place };
    this.address.write(how, this.link(this.states[this.place]), entry);
  }

  step(by) {
    const place = this.place + by;
    if (place < 0 || place >= this.states.length) return;
    this.flush();
    this.go(place);
    this.send();
  }

  go(place) {
    this.place = place;
    this.last = -Infinity;
    this.moving = true;
    try {
      this.store.set(this.states[place]);
    } finally {
      this.moving = false;
    }
    this.changed();
  }

  /** Send the browser to the entry of the current step; one move at a time, the next when it has arrived. */
  send() {
    if (this.sent !== null) return;
    const steps = this.place - (this.address.entry?.place ?? this.place);
    if (!steps) return;
    this.sent = setTimeout(() => this.settle(), ARRIVAL);
    this.address.go(steps);
  }

  /** The browser has gone as far as it goes. */
  settle() {
    clearTimeout(this.sent);
    this.sent = null;
    this.write("replace");
  }

  arrived(entry) {
    if (entry?.visit !== this.visit) {
      Promise.resolve(this.arrive(this.address.query)).then(() => this.restart());
    } else if (this.sent !== null) {
      clearTimeout(this.sent);
      this.sent = null;
      if (entry.place === this.place) this.write("replace");
      else this.send();
    } else if (entry.place !== this.place && entry.place < this.states.length) this.go(entry.place);
  }
}

/** A name that no other visit has. */
function newName() {
  return String(Math.random()).slice(2);
}
