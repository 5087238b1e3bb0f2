// A browser's history, for tests of what is written into it.

export class Browser {
  at = 0;
  constructor(link = "") {
    this.entries = [{ link, entry: null }];
  }
  get query() {
    return this.entries[this.at].link;
  }
  get href() {
    return this.query;
  }
  get entry() {
    return this.entries[this.at].entry;
  }
  write(how, link, entry) {
    if (how === "push") this.entries.length = ++this.at;
    this.entries[this.at] = { link, entry };
  }
  go(steps) {
    if (steps) this.move(steps);
  }
  move(steps) {
    if (!this.entries[this.at + steps]) return;
    this.at += steps;
    this.arrive(this.entry);
  }
  onArrive(arrive) {
    this.arrive = arrive;
  }
}
