// Certified accuracy within the bundle's ε, a lower bound of robust accuracy, as `mnuts_core.views.certified`.

import { SHORTENED, certifyingMargin, keptThroughTransform, lostBySmoothing } from "../certified.js";
import { leadOf, logitRadius, probabilityMargin, probabilityRadius } from "../certified.js";
import { IDENTITY, isPlain, plainOf } from "../params.js";
import { count, shareOf } from "../statistics.js";
import { counted } from "../text.js";
import { momentsOfTop } from "../transform.js";

const MARGIN_ERROR = 1e-6; // of margins at many classes, see `series.js`, and more
const WITHOUT_TRANSFORM =
  "it bounds single probabilities of h, and says nothing of M(h), which all logits decide: certify the plain mix (without a " +
  "transform), or give a Lipschitz constant of h's logits";
const WITHOUT_LAYER_NORM =
  "ln_k must be at least 2 to certify a mix with a transform: without layer norm M depends on what all logits have in common, " +
  "of which a Lipschitz constant of differences says nothing";

/**
 * @typedef {object} Certificate What is certified of h.
 * @property {"smoothing"|"margin"|"lipschitz"} kind
 * @property {"Linf"|"L2"} norm
 * @property {number|null} sigma Of smoothing's noise.
 * @property {number|null} margin That h's class keeps within the radii.
 * @property {number|null} constant Lipschitz.
 * @property {"probabilities"|"logits"|"differences"|null} of Of what.
 * @property {Float64Array|null} radii Of the clean images, as imported.
 * @property {number} radius At which the page looks.
 * @property {boolean} of_threat Whether that is the ε of the bundle's threat model.
 * @property {string} within The radius in words.
 * @property {string} basis All else in words.
 *
 * @typedef {object} CertifiedFigures
 * @property {number} radius
 * @property {"Linf"|"L2"} norm Of the radius.
 * @property {boolean} of_threat
 * @property {string} within
 * @property {string} basis
 * @property {import("../statistics.js").Estimate} rob h by itself.
 * @property {import("../statistics.js").Estimate} plain The plain mix at the same level.
 * @property {import("../statistics.js").Estimate|null} mix Null where the certificate says nothing of it.
 * @property {string} refused Why it does not; else empty.
 * @property {string[]} warnings What puts them in doubt.
 */

/**
 * @param {import("../engine.js").RemixEngine} engine
 * @param {import("../params.js").MixParams} params As asked for.
 * @param {import("../engine.js").Remix} remix What the engine makes of them.
 * @param {"linear"|"lower"} quantile
 * @returns {CertifiedFigures|null} Null of a bundle without a certificate.
 */
export function certifiedFigures(engine, params, remix, quantile = "linear") {
  const { certificate } = engine.bundle;
  if (!certificate) return null;
  const { radius, norm, of_threat, within, basis } = certificate;
  const refused = refusal(certificate, remix.params);
  const plain = engine.remix(plainOf(params), quantile).params;
  return {
    ...{ radius, norm, of_threat, within, basis, refused },
    ...engine.fixedMemo.get("certified", () => ofModel(engine)),
    plain: shareOf(certified(engine, plain), "certified"),
    mix: refused ? null : shareOf(certified(engine, remix.params), "certified"),
  };
}

/** Why a certificate says nothing of a mix; empty where it does. */
function refusal({ kind, of }, params) {
  if (isPlain(params)) return "";
  if (kind !== "lipschitz" || of === "probabilities") {
    return `a certificate by ${kind}${of ? ` of ${of}` : ""} does not carry over to this mix: ${WITHOUT_TRANSFORM}`;
  }
  return params.ln_k < 2 ? WITHOUT_LAYER_NORM : "";
}

/** What no slider moves: h by itself, and whether attacked points refute what is certified of it. */
function ofModel(engine) {
  const { of_threat, within } = engine.bundle.certificate;
  const [sure, right] = [certifiedModel(engine), engine.robRightOnImages];
  const refuted = right && of_threat ? count(right.map((ok, image) => sure[engine.pool.index[image]] && !ok)) : 0;
  const warning =
    `The certificate cannot hold: h is certified within ${within} on ${counted(refuted, "attacked image")}, and wrong at known points ` +
    "there. What was imported belongs to another model, scale of pixels or ε.";
  return { rob: shareOf(sure, "certified"), warnings: refuted ? [warning] : [] };
}

/** Which clean images h by itself is certified to get right within the radius. */
function certifiedModel(engine) {
  const { radii, radius } = engine.bundle.certificate;
  if (!radii) return certified(engine, { ...IDENTITY, alpha: 1 });
  return onClean(engine, (i) => reaches(radii[i], radius) && engine.rows.plainRight[i]);
}

/** Which clean images a mix is certified to get right within the radius. */
function certified(engine, params) {
  const { alpha } = params;
  const { kind, sigma, margin, constant, of, radii, radius } = engine.bundle.certificate;
  const right = engine.rows.plainRight;
  if (kind === "margin") {
    const holds = margin >= certifyingMargin(alpha);
    return onClean(engine, (i) => holds && reaches(radii[i], radius) && right[i]);
  }
  if (kind === "smoothing") {
    const lost = lostBySmoothing(sigma, alpha);
    return onClean(engine, (i) => radii[i] > 0 && reaches((radii[i] - lost) * SHORTENED, radius) && right[i]);
  }
  if (of === "probabilities") {
    const margins = ofClean(engine, "probability margins", probabilityMargin);
    return onClean(engine, (i) => reaches(probabilityRadius(margins[i], constant, alpha), radius));
  }
  const growth = constant * (of === "logits" ? 2 : 1);
  if (!isPlain(params)) return certifiedThroughTransform(engine, params, (growth * radius) / SHORTENED / 2);
  const leads = ofClean(engine, "leads", leadOf);
  return onClean(engine, (i) => reaches(logitRadius(leads[i], growth, alpha), radius));
}

/** The same of a mix with a transform, where each logit may move by `moved`: of images that M(h) wins unmoved, no others. */
function certifiedThroughTransform(engine, params, moved) {
  const { rows, classes } = engine;
  const known = ofClean(engine, `moments ${params.ln_k}`, (logits, label) => {
    return { moments: momentsOfTop(Float64Array.from(logits).sort().reverse(), params.ln_k), most: leadOf(logits, label).most };
  });
  const { signed } = rows.transformed(params);
  const [least, kept] = [certifyingMargin(params.alpha) - MARGIN_ERROR, keptThroughTransform(params, classes)];
  return onClean(engine, (i) => signed[i] > least && kept(rows.robRow(i), rows.labels[i], known[i], moved));
}

function reaches(found, radius) {
  return found > 0 && found >= radius;
}

function onClean({ nClean }, holds) {
  return Uint8Array.from({ length: nClean }, (_, i) => holds(i));
}

/** What no slider moves, of each clean image, computed once. */
function ofClean({ rows, nClean, fixedMemo }, name, compute) {
  return fixedMemo.get(`certified ${name}`, () => Array.from({ length: nClean }, (_, i) => compute(rows.robRow(i), rows.labels[i])));
}
