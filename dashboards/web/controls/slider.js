// The slider and the number box of one number.
//
// The slider moves in steps; the value itself is never clipped or rounded: one from elsewhere, beyond the slider's range
// or between two steps, widens the range as long as it is in force, and only the visitor's move changes it.

import { h, uniqueId } from "./dom.js";
import { allows, readNumber } from "./entries.js";
import { term } from "./glossary.js";
import { NumberBox } from "./number.js";
import { general, minus, shortest } from "./numbers.js";
import { localNumber, plainNumber, word } from "./words.js";

const DIGITS = 6; // significant ones in the box while it rests
const SLACK = 1e-6; // of a step: what binary fractions may be off
const LET_GO = ["change", "pointerup", "pointercancel", "blur"]; // where it was taken up there is no change

export class Slider {
  /**
   * @param {import("./entries.js").Setting} spec
   * @param {object} on
   * @param {(value: number) => void} on.set Called with where the visitor moved it, or what was entered.
   * @param {(problem: string|null) => void} on.refuse See `NumberBox`.
   * @param {string} [about] The term of the glossary that explains it.
   */
  constructor(spec, { set, refuse }, about = "") {
    Object.assign(this, { spec, set, value: null, held: false });
    const id = uniqueId("slider");
    this.range = h("input", {
      id,
      type: "range",
      title: spec.help,
      oninput: () => this.moved(),
      ...Object.fromEntries(LET_GO.map((event) => [`on${event}`, () => this.release()])),
    });
    this.number = new NumberBox({
      label: spec.label,
      help: `${spec.help} ${word("allowed", { interval: interval(spec) })}`.trim(),
      named: false,
      read: (text) => readNumber(spec, plainNumber(text)),
      write: (value) => localNumber(shortest(value)),
      brief: (value) => minus(localNumber(briefly(spec, value))),
      onSet: (value) => {
        this.show(value);
        set(value);
      },
      refuse,
    });
    this.label = h("label", { for: id }, about ? term(about, spec.label) : spec.label);
    const attributes = { class: "control slider", dataset: { setting: spec.name } };
    this.element = h("div", attributes, this.label, this.range, this.number.element);
  }

  /** Show a value, whatever it is. */
  show(value) {
    this.number.show(value);
    if (value === this.value) return;
    this.value = value;
    if (!this.held) this.put(value);
    this.range.setAttribute("aria-valuetext", localNumber(briefly(this.spec, value)));
  }

  /** Whether the box holds what was refused. */
  get wrong() {
    return this.number.wrong;
  }

  /** Let the visitor move it, or not. */
  enable(enabled) {
    this.range.disabled = !enabled;
    this.number.enable(enabled);
  }

  /** Where a value stands: its logarithm, if the slider is logarithmic. */
  place(value) {
    return this.spec.scale === "log" ? Math.log10(value) : value;
  }

  put(value) {
    const [low, high] = this.ends(value);
    this.range.min = low;
    this.range.max = high;
    this.range.step = this.spec.step; // counted from the lower end
    this.range.value = this.place(value);
  }

  /** The slider's ends, as places, so that the value lies between them; whole steps where these are valid. */
  ends(value) {
    const place = this.place(value);
    const low = Math.min(this.place(this.spec.slider_low), place);
    const high = Math.max(this.place(this.spec.slider_high), place);
    return [this.whole(Math.floor, low, SLACK), this.whole(Math.ceil, high, -SLACK)];
  }

  whole(rounded, end, slack) {
    const steps = end / this.spec.step;
    const place = Number((rounded(steps + slack) * this.spec.step).toFixed(9));
    return allows(this.spec, this.spec.scale === "log" ? 10 ** place : place) ? place : end;
  }

  moved() {
    this.held = true; // the ends stay where they are while it is dragged
    const value = this.rounded(Number(this.range.value));
    if (!allows(this.spec, value)) return;
    this.number.revert(); // who drags does not mean what was typed
    this.show(value);
    this.set(value);
  }

  /** Without the noise of binary fractions: 0.93, not 0.9299999999999999; and 0, not −0. */
  rounded(place) {
    return this.spec.scale === "log" ? Number(general(10 ** place, DIGITS)) : Number(place.toFixed(6)) + 0;
  }

  release() {
    if (!this.held) return;
    this.held = false;
    this.put(this.value);
  }
}

/** A few digits; all of them where a few would show an end of the interval that is not the value. */
function briefly(spec, value) {
  const text = general(value, DIGITS);
  const end = Number(text) !== value && [spec.low, spec.high].includes(Number(text));
  return end ? shortest(value) : text;
}

function interval({ low, high, low_open: open }) {
  const end = (value) => localNumber(general(value, 6));
  return `${open ? "(" : "["}${end(low)}${word("between")}${high === null ? "∞)" : `${end(high)}]`}`;
}
