// The rows that a search sees: clean ones, then all attacked points, as `mnuts_core.search.switches.Seen`.

/**
 * @typedef {"attacked"|"all"} CleanRows Which clean rows a search sees: those of the attacked images, or all.
 */

export class Seen {
  /**
   * @param {import("../engine.js").RemixEngine} engine Of a bundle with an attacked part.
   * @param {CleanRows} clean
   */
  constructor(engine, clean) {
    const { pool, nClean, rows } = engine;
    const firsts = pool.index.subarray(0, pool.images);
    const chosen = clean === "all" ? Int32Array.from({ length: nClean }, (_, row) => row) : firsts;
    this.rows = new Int32Array(chosen.length + pool.index.length); // of the engine
    this.rows.set(chosen);
    for (let point = 0; point < pool.index.length; point++) this.rows[chosen.length + point] = nClean + point;
    Object.assign(this, { engine, pool, nClean: chosen.length, nImages: pool.images, classes: engine.classes });
    /** Of each image the place of its clean row among these. */
    this.cleanOf = clean === "all" ? firsts : Int32Array.from(firsts, (_, image) => image);
    this.stdRight = this.rows.map((row) => rows.stdRight[row]);
    this.plainRight = this.rows.map((row) => rows.plainRight[row]);
    this.labels = this.rows.map((row) => rows.labels[row]);
    this.stdPlace = this.rows.map((row) => rows.stages.stdPlace[row]);
  }

  /** Which of these the points of an image are, from the first place to the one before the last. */
  pointsOf(image) {
    return [this.pool.starts[image], this.pool.starts[image + 1]];
  }

  /** Of the points in the order of their images, the place of one among these rows. */
  pointAt(i) {
    return this.pool.rows[i] - this.pool.nClean + this.nClean;
  }
}
