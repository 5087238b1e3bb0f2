// What a step is shown from: where the controls stand, what was answered, what the engine has found.

import { allowsAnswer, completed } from "./questions.js";

/**
 * @param {import("./steps.js").Step} step
 * @param {object} known
 * @param {import("./lab.js").Lab} known.lab
 * @param {import("../app/texts.js").Texts} known.texts
 * @param {object} known.own The state; of a control that nobody has moved null.
 * @param {object} known.starts Where each control stands before the answer.
 * @param {Object<string, string>} known.colours
 * @param {object} known.got The engine's answers to what the step wants.
 * @returns {import("./steps.js").Scene}
 */
export function sceneOf(step, { lab, texts, own, starts, colours, got }) {
  const stands = (name, start) => own[name] ?? start;
  const state = { ...own, ...Object.fromEntries(Object.entries(starts).map(([name, start]) => [name, stands(name, start)])) };
  const scene = { lab, state, meta: lab.meta, texts, colours, got };
  scene.slot = step.slot?.(scene) ?? step.key;
  const given = state.said[scene.slot];
  const question = step.missing(scene) || (step.needsBest && !lab.best) ? null : completed(step.question(scene));
  scene.answered = given === null || (given !== undefined && question !== null && allowsAnswer(question, given));
  scene.answer = scene.answered ? given : null;
  scene.said = typeof scene.answer === "number" ? scene.answer * question.scale : scene.answer;
  scene.moved = own[step.control] !== null;
  if (scene.answered) state[step.control] = stands(step.control, step.asked?.(scene)[step.control] ?? starts[step.control]);
  return scene;
}

/** The answers that one step has asked for, of those to all steps. */
export function answersOf(got, key) {
  const mine = Object.entries(got).filter(([name]) => name.startsWith(`${key}.`));
  return Object.fromEntries(mine.map(([name, frame]) => [name.slice(key.length + 1), frame]));
}
