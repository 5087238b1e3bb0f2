// What moves: settings that run after the slider, so that every frame shows the engine's numbers of a mix on the way; and,
// where settings leap, a share of what was drawn before that fades.

const PACE = 70; // milliseconds in which the way that is left falls to a third
const STILL = "(prefers-reduced-motion: reduce)";
const NUMBERS = ["s", "p", "c", "alpha"];
const NEAR = 1e-4; // from here on a number is where it was to go
const FADED = 0.004;

const place = (name, value) => (name === "s" ? Math.log10(value) : value);
const value = (name, at) => (name === "s" ? 10 ** at : at);

export class Motion {
  /**
   * @param {import("../../engine/params.js").MixParams} settings
   * @param {(pace: {share: number, glide: number}) => boolean} draw Draws `settings`; `share` is how much of a way is
   *   gone in this frame, `glide` how much of what was drawn before a leap still counts. Whether something else moves.
   * @param {() => void} rest Called when nothing moves any more.
   */
  constructor(settings, draw, rest) {
    Object.assign(this, { settings: { ...settings }, goal: { ...settings }, draw, rest, glide: 0, frame: null, before: null });
  }

  /** Go to other settings. @returns {boolean} Whether they leap. */
  to(goal) {
    const leaps = Object.keys(goal).some((name) => !NUMBERS.includes(name) && goal[name] !== this.goal[name]);
    this.goal = { ...goal };
    this.settings = { ...goal, ...Object.fromEntries(NUMBERS.map((name) => [name, this.settings[name]])) };
    if (leaps) this.leap();
    this.wake();
    return leaps;
  }

  /** What was drawn fades into what is to be drawn. */
  leap() {
    this.glide = 1;
    this.wake();
  }

  wake() {
    this.frame ??= requestAnimationFrame((now) => this.step(now));
  }

  stop() {
    cancelAnimationFrame(this.frame);
  }

  step(now) {
    const share = matchMedia(STILL).matches ? 1 : 1 - Math.exp(-Math.max(0, now - (this.before ?? now - 16)) / PACE);
    const moves = NUMBERS.map((name) => this.move(name, share)).some(Boolean);
    this.glide *= 1 - share;
    if (this.glide < FADED) this.glide = 0;
    const others = this.draw({ share, glide: this.glide });
    this.frame = null;
    this.before = now;
    if (moves || others || this.glide) return this.wake();
    this.before = null;
    this.rest();
  }

  /** Take a number a share of its way. @returns {boolean} Whether it is still under way. */
  move(name, share) {
    const [from, to] = [place(name, this.settings[name]), place(name, this.goal[name])];
    const at = from + share * (to - from);
    const here = share === 1 || Math.abs(to - at) < NEAR;
    this.settings[name] = here ? this.goal[name] : value(name, at);
    return !here;
  }
}
