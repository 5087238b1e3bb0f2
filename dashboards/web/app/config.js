// Configurations, `mnuts-config/1`: the JSON that `mnuts` writes and reads, see `mnuts_core/export/config.py`.

import { EntryError, allows } from "../controls/entries.js";
import { firstOf, general, minus, quoted } from "../controls/numbers.js";
import { CONFIG, isObject, valueAt } from "./cards.js";
import { TRANSFORM } from "./settings.js";

const SCHEMA = "mnuts-config/1";
const MAX_CHARACTERS = 2 ** 20;

/**
 * The configuration of a mix with its figures on a bundle.
 *
 * @param {object} meta The bundle's, see `dashboards/page/data.py`, as `open_bundle.js` has completed it.
 * @param {object} remix The mix's figures, α filled in.
 * @param {object} more
 * @param {number|null} more.beta The level that gave α, if one did.
 * @param {import("../engine/views/certified.js").CertifiedFigures|null} more.certified Certified accuracies, of a bundle
 *   with a certificate.
 * @param {object|null} more.verified The card of an attack on this very mix.
 * @param {string} more.created When.
 */
export function configOf(meta, remix, { beta, certified = null, verified = null, created = "" }) {
  const { params } = remix;
  return withoutNothing({
    schema: SCHEMA,
    transform: Object.fromEntries(TRANSFORM.map((name) => [name, params[name]])),
    alpha: params.alpha,
    beta,
    temperature: params.temperature,
    auxiliary: meta.auxiliary,
    bundle: { name: meta.title, digest: meta.digest, clean: meta.clean_digest },
    threat: meta.norm ? { norm: meta.norm, eps: meta.eps } : null,
    estimates: withoutNothing({
      clean: cardOf(remix.clean),
      attacked: cardOf(remix.attacked),
      by_margin: cardOf(remix.by_margin),
      optimistic: remix.attacked ? remix.optimistic : null,
      certified: certifiedCardOf(certified),
    }),
    warnings: [...remix.warnings, ...(certified?.mix ? certified.warnings : [])],
    verified,
    created,
  });
}

/** Its text, as a file has it. */
export function configText(config) {
  return `${JSON.stringify(config, null, 2)}\n`;
}

/**
 * A configuration from its text, as far as a page needs it.
 *
 * @param {import("./settings.js").Settings} settings
 * @param {string} text
 * @param {string} where What to call it in messages.
 * @returns {{params: import("../engine/params.js").MixParams, byLevel: boolean, bundle: object|null, verified: object|null}}
 *   `params`: α filled in; `byLevel`: whether it came from their β.
 * @throws {EntryError} If it is none, or a value is wrong.
 */
export function readConfig(settings, text, where = "the configuration") {
  const raw = parsed(text, where);
  const wrong = (message) => new EntryError(`${where} is wrong: ${message}`);
  if (!isObject(raw.transform)) throw wrong("it has no transform");
  const number = (name, value) => checked(settings.byName[name], value, wrong);
  const params = {
    ...Object.fromEntries(["s", "p", "c"].map((name) => [name, number(name, raw.transform[name])])),
    clamp: clampIn(settings, raw.transform.clamp, wrong),
    ln_k: lnKIn(raw.transform.ln_k, wrong),
    beta: raw.beta === undefined || raw.beta === null ? settings.byName.beta.default : number("beta", raw.beta),
    alpha: number("alpha", raw.alpha),
    temperature: number("temperature", raw.temperature),
  };
  const place = CONFIG(raw, "");
  if (place !== null) throw new EntryError(`${where} is wrong at ${firstOf(place, 80)}, got ${shown(valueAt(raw, place))}`);
  const byLevel = raw.beta !== undefined && raw.beta !== null;
  return { params, byLevel, bundle: raw.bundle ?? null, verified: raw.verified ?? null };
}

function parsed(text, where) {
  if (text.length > MAX_CHARACTERS) throw new EntryError(`${where} is larger than 1 MiB: that is no configuration`);
  let raw;
  try {
    raw = JSON.parse(text);
  } catch {
    throw new EntryError(`${where} is no JSON: choose a file that mnuts has exported`);
  }
  const schema = isObject(raw) ? raw.schema : undefined;
  if (schema === SCHEMA) return raw;
  throw new EntryError(`${where} must have schema ${quoted(SCHEMA)}, got ${shown(schema)}`);
}

function checked(spec, value, wrong) {
  if (typeof value === "number" && allows(spec, value)) return value;
  const high = spec.high === null ? "" : ` and at most ${minus(general(spec.high, 10))}`;
  const low = `${spec.low_open ? "greater than" : "at least"} ${minus(general(spec.low, 10))}`;
  throw wrong(`${spec.name} must be a number ${low}${high}, got ${shown(value)}`);
}

function clampIn(settings, value, wrong) {
  const allowed = settings.byName.clamp.choices.map(([, one]) => one);
  if (allowed.includes(value)) return value;
  throw wrong(`clamp must be one of ${allowed.join(", ")}, got ${shown(value)}`);
}

function lnKIn(value, wrong) {
  if (Number.isInteger(value) && value >= 0 && value !== 1) return value;
  throw wrong(`ln_k must be 0 or a whole number of 2 or more, got ${shown(value)}`);
}

/** A figure as a configuration has it; null where there is none. */
function cardOf(estimate) {
  if (!estimate || !estimate.n) return null;
  const { kind, value, n, low, high } = estimate;
  return { kind, value, n, ci95: [low, high] };
}

/** Certified accuracy of the mix, with its radius and what it rests on; null where nothing is certified of it. */
function certifiedCardOf(certified) {
  if (!certified?.mix) return null;
  const { mix, norm, radius, basis } = certified;
  return { accuracy: cardOf(mix), within: { norm, eps: radius }, basis };
}

/** A configuration's figure as the engine gives it. */
export function estimateOf({ kind, value, n, ci95: [low, high] }) {
  return { kind, value, n, low, high, count: Math.round(value * n) };
}

function withoutNothing(record) {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== undefined));
}

function shown(value) {
  return value === undefined ? "nothing" : firstOf(JSON.stringify(value), 40);
}
