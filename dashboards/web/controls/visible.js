// Text that somebody else wrote, made fit to be shown, as `mnuts_core.text`.

const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu; // control, bidi, unassigned, line and page separators
const NAMED = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };
const WHITE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const CUT = " [...] ";

/**
 * The text with its control, bidi and other invisible characters escaped, and unchanged else.
 *
 * @param {string} text
 * @param {string} keep Characters that stay as they are.
 */
export function visible(text, keep = "") {
  return text.replace(HIDDEN, (char) => (keep.includes(char) ? char : escaped(char)));
}

/**
 * The text in one visible line of at most `limit` characters; what is too long is cut in its middle.
 *
 * @param {string} text Runs of white space become one space.
 * @param {number} limit
 */
export function oneLine(text, limit = 200) {
  const chars = [...visible(text.split(WHITE).filter(Boolean).join(" "))];
  if (chars.length <= limit) return chars.join("");
  const room = limit - CUT.length;
  const end = Math.floor(room / 3);
  return chars.slice(0, room - end).join("") + CUT + chars.slice(chars.length - end).join("");
}

function escaped(char) {
  const code = char.codePointAt(0);
  const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
  return NAMED[char] ?? `\\${letter}${code.toString(16).padStart(digits, "0")}`;
}
