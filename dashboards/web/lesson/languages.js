// The languages of the page: its sentences, its heading, and the switch from one to another.

import { Choice } from "../controls/choice.js";
import { speak } from "../controls/words.js";
import { Texts } from "../app/texts.js";

/**
 * Let the page, or the lesson's part of it, speak a language.
 *
 * @param {string} language
 * @param {import("../host/file.js").Host} host
 * @param {HTMLElement} root
 * @returns {{texts: Texts, heading: {title: string, sentence: string}}} A heading that was given stays as it is.
 */
export function speakIn(language, host, root) {
  const catalogue = host.languages[language];
  const first = host.languages[host.language];
  const texts = new Texts(catalogue);
  const heading = Object.fromEntries(["title", "sentence"].map((name) => [name, host.texts[name] === first[`page.${name}`] ? texts.plain(`page.${name}`) : host.texts[name]]));
  speak(catalogue);
  root.lang = language;
  const isGuest = host.kind === "kernel" && document.body.dataset.voila === undefined; // the page is JupyterLab's
  if (!isGuest) Object.assign(document, { title: heading.title }).documentElement.lang = language;
  return { texts, heading };
}

/** The switch, which is not seen where there is one language. */
export function languageChoice({ languages }, language, texts, onChoose) {
  const choices = Object.entries(languages).map(([name, own]) => [own["page.language"], name]);
  const choice = new Choice({ label: texts.plain("page.languages"), choices, onChoose });
  choice.element.hidden = choices.length < 2;
  choice.show(language);
  return choice;
}
