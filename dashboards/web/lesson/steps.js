// The steps, in the order in which they are taught.

import { benign } from "./steps/benign.js";
import { clamp } from "./steps/clamp.js";
import { failures } from "./steps/failures.js";
import { line } from "./steps/line.js";
import { margin } from "./steps/margin.js";
import { mix } from "./steps/mix.js";
import { norm } from "./steps/norm.js";
import { power } from "./steps/power.js";
import { price } from "./steps/price.js";

/**
 * One idea, one question, one control. Its sentences are those of the catalogue that begin with its key.
 *
 * @typedef {object} Step
 * @property {string} key
 * @property {"pixels"|"logits"|"norm"|"clamp"|"power"|"mix"} stage Which part of one image's way it is about.
 * @property {string} control Name of the setting that its control moves.
 * @property {boolean} [needsBest] Whether it is about the transform that Algorithm 1 chooses.
 * @property {(scene: Scene) => string|null} missing Why the bundle cannot carry it, as a sentence's key.
 * @property {(scene: Scene) => Object<string, import("../app/frames.js").Wanted>} wants What it asks of the engine.
 * @property {(scene: Scene) => Question} question
 * @property {(scene: Scene) => object} facts What its sentences name, and what all that follows is made of.
 * @property {(facts: object) => import("../engine/statistics.js").Estimate} truth The number that was asked for, or that shows how sure it is.
 * @property {(facts: object) => number} [place] Which of several questions it is that the step asks, from 1.
 * @property {(facts: object) => string} [fact] Of a choice: which one is right.
 * @property {(facts: object, said: any) => import("./judgement.js").Judgement} judge
 * @property {(facts: object) => {verdict: import("./judgement.js").Verdict, key?: string}|null} [claim] What the paper claims, and what the data say.
 * @property {(scene: Scene) => object} [asked] The setting that was asked about: the control goes there with the answer.
 * @property {(got: object) => any} [stands] Where the control stands as long as the reader has not moved it.
 * @property {(scene: Scene) => string} [slot] Under which name its answer is kept, if not its key.
 * @property {(facts: object) => (string|[string, object])[]} [notes] More sentences of its result, with fields of their own.
 * @property {string} [caption] Of its formula.
 * @property {(scene: Scene) => string|null} live The sentence for where the control stands.
 * @property {(scene: Scene, facts: object) => {data: object[], layout: object}} figure
 * @property {(facts: object) => Object<string, [number, number]>} [numbers] Of its formula: by name a number and its decimals.
 *
 * @typedef {object} Question
 * @property {"percent"|"share"|"number"|"choice"} kind
 * @property {[string, any][]} [options] Of a choice: keys of their sentences, and their values.
 *
 * @typedef {object} Scene What a step is shown from.
 * @property {import("./lab.js").Lab} lab
 * @property {object} state
 * @property {object} meta
 * @property {Object<string, object>} got The engine's answers to what it wants.
 * @property {boolean} answered Whether there is an answer, or the reader asked to be shown.
 * @property {any} said The answer, numbers in the truth's units; null for none.
 * @property {import("../app/texts.js").Texts} texts
 * @property {Object<string, string>} colours
 */

/** @type {Step[]} */
export const STEPS = [failures, margin, benign, line, norm, clamp, power, mix, price];
