// Commands that give the figures of a mix again. Nothing that a bundle says of itself stands in one: whoever pastes it
// runs it.

import { shortest } from "../controls/numbers.js";

const SHIPPED = ["cifar10", "digits"]; // names that `mnuts` knows wherever it is installed
const CLAMPS = ["gelu", "relu", "elu", "softplus", "linear"];

/**
 * The commands for a mix on a bundle.
 * @param {string} name Of the bundle; one that does not ship is not named.
 * @param {import("../engine/params.js").MixParams} params α filled in.
 * @param {number|null} beta The level that α follows from, if it does.
 * @param {import("../app/settings.js").Settings} settings
 * @returns {string[]}
 */
export function commands(name, params, beta, settings) {
  const bundle = SHIPPED.includes(name) ? name : "BUNDLE.safetensors";
  const options = optionsOf(params, beta, settings.defaults).join(" ");
  return [`mnuts remix ${bundle} ${options}`, `mnuts export ${bundle} ${options} --out CONFIG.json`];
}

function optionsOf({ s, p, c, alpha, clamp, ln_k, temperature }, beta, defaults) {
  const options = [option("s", s), option("p", p), option("c", c)];
  options.push(beta === null ? option("alpha", alpha) : option("beta", beta));
  if (clamp !== defaults.clamp && CLAMPS.includes(clamp)) options.push(`--clamp ${clamp}`);
  if (ln_k !== defaults.ln_k) options.push(option("ln-k", ln_k));
  if (temperature) options.push(option("temperature", temperature));
  return options;
}

function option(name, number) {
  return `--${name} ${shortest(Number(number))}`;
}
