// What a download is called: the bundle, and the settings that its figures depend on.

import { formatted } from "./format.js";

const LONGEST = 60; // characters of a bundle's name
const USUAL = { clamp: "gelu", ln_k: 250 }; // left out where it is so

/**
 * The bundle and the mix in a file's name, of harmless characters alone.
 * @param {object} meta The bundle's.
 * @param {import("../engine/params.js").MixParams} params α filled in.
 * @param {string} [what] What the file shows.
 */
export function mixStem(meta, { s, p, c, clamp, ln_k, alpha, temperature }, what = "") {
  const bundle = meta.name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|-+$/g, "").slice(0, LONGEST) || "bundle";
  const [short, all] = [".4g", ".6g"];
  const parts = [bundle, what, `s${formatted(s, short)}`, `p${formatted(p, short)}`, `c${formatted(c, short)}`, `alpha${formatted(alpha, all)}`];
  if (clamp !== USUAL.clamp) parts.push(clamp);
  if (ln_k !== USUAL.ln_k) parts.push(`k${ln_k}`);
  if (temperature) parts.push(`T${formatted(temperature, "g")}`);
  return parts.filter(Boolean).join("-");
}
