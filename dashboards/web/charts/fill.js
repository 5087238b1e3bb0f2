// Figures described once: fills templates, as `dashboards/figures/template.py`, which says what may stand in them.

import { formatted } from "./format.js";

const PLACEHOLDER = /(?<!%)\{([^{}:]+)(?::([^{}]*))?\}/g;
const INDEX = /^-?\d+$/;

/** Whether a value is an array of any kind. */
export function isList(value) {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/**
 * A template with its fields put in.
 * @param {unknown} template Plain JSON.
 * @param {Record<string, unknown>} fields What it names.
 * @returns {any}
 */
export function fill(template, fields) {
  if (Array.isArray(template)) return template.flatMap((node) => entries(node, fields));
  if (template === null || typeof template !== "object") return template;
  if ("$" in template) return value(template, fields);
  if ("$text" in template) return text(template.$text, fields);
  if ("$if" in template && isChoice(template)) return fill(template[holds(template.$if, fields) ? "then" : "else"] ?? null, fields);
  const filled = {};
  for (const [key, node] of Object.entries(template)) if (!key.startsWith("$")) filled[key] = fill(node, fields);
  for (const node of template.$entries ?? []) {
    for (const own of each(node.$each, fields)) filled[at(own, node.$key)] = fill(node.value, own);
  }
  return filled;
}

/** The field at a path; null where there is none. */
export function at(fields, path) {
  const parts = path.split(".");
  let found = fields;
  for (const [place, part] of parts.entries()) {
    if (part === "*") {
      const rest = parts.slice(place + 1).join(".");
      return Array.from(found ?? [], (entry) => (rest ? at(entry, rest) : entry));
    }
    found = INDEX.test(part) && isList(found) ? found.at(Number(part)) : ownField(found, part);
    if (found === null || found === undefined) return null;
  }
  return found;
}

function ownField(found, name) {
  return typeof found === "object" && Object.hasOwn(found, name) ? found[name] : null;
}

/** Whether a condition on a field holds. */
export function truthy(found) {
  if (found === null || typeof found !== "object") return Boolean(found);
  return (isList(found) ? found : Object.keys(found)).length > 0;
}

function holds(condition, fields) {
  return truthy(typeof condition === "string" ? at(fields, condition) : fill(condition, fields));
}

function isChoice(node) {
  return "then" in node || "else" in node;
}

/** What an entry of a list stands for: nothing, itself, or one of itself for each entry of a field. */
function entries(node, fields) {
  if (node === null || typeof node !== "object") return [node];
  if ("$each" in node) {
    const { $each, ...single } = node;
    return each($each, fields).flatMap((own) => entries(single, own));
  }
  if ("$if" in node && !isChoice(node)) {
    const { $if, ...rest } = node;
    return holds($if, fields) ? [fill(rest, fields)] : [];
  }
  return [fill(node, fields)];
}

function each(path, fields) {
  return Array.from(at(fields, path) ?? [], (item, i) => ({ ...fields, item, i }));
}

function value(node, fields) {
  const found = at(fields, node.$);
  if (found === null) return node.else ?? null;
  if (node.map) return isList(found) ? Array.from(found, (one) => node.map[one]) : node.map[found];
  if (!("minus" in node) && !("times" in node)) return found;
  const [less, times] = ["minus" in node ? at(fields, node.minus) : 0, node.times ?? 1];
  if (!isList(found)) return (found - less) * times;
  return Float64Array.from(found, (x, i) => (x - (isList(less) ? less[i] : less)) * times);
}

function text(parts, fields) {
  if (Array.isArray(parts)) return parts.map((part) => fill(typeof part === "string" ? { $text: part } : part, fields) ?? "").join("");
  return parts.replace(PLACEHOLDER, (_, path, spec) => formatted(at(fields, path), spec ?? ""));
}
