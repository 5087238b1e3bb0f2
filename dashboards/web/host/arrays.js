// Arrays in JSON: `{"$array": TYPE, "data": BASE64}`, or `at` which of the buffers beside it; see `embedded` and
// `with_buffers` in `dashboards/page/data.py`.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/**
 * A value from JSON with typed arrays where it names them; each has memory of its own, which a worker can take.
 * @param {any} value
 * @param {DataView[]} buffers What stands beside it.
 */
export function withArrays(value, buffers = []) {
  if (Array.isArray(value)) return value.map((one) => withArrays(one, buffers));
  if (value === null || typeof value !== "object") return value;
  if ("$array" in value) return new TYPES[value.$array]("at" in value ? memoryOf(buffers[value.at]) : bytesOf(value.data).buffer);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withArrays(one, buffers)]));
}

/** Bytes as base64. */
export function base64Of(bytes) {
  if (bytes.toBase64) return bytes.toBase64();
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function memoryOf({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

/** The bytes of a base64 text. */
export function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
