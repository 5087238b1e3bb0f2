// The last few values of a computation, by what they were computed from.

export class Memo {
  /**
   * @param {number} kept How many.
   * @param {(value: object) => void} [forgotten] Called with each value that is kept no longer.
   */
  constructor(kept, forgotten = () => {}) {
    Object.assign(this, { kept, forgotten });
    this.values = new Map();
  }

  has(key) {
    return this.values.has(key);
  }

  /** The value of a key, computed where it is not known; the newest is forgotten last. */
  get(key, compute) {
    let value = this.values.get(key);
    if (value === undefined) {
      while (this.values.size >= this.kept) this.forget(this.values.keys().next().value); // before more memory is taken
      value = compute();
    } else this.values.delete(key);
    this.values.set(key, value);
    return value;
  }

  forget(key) {
    const value = this.values.get(key);
    this.values.delete(key);
    this.forgotten(value);
  }
}
