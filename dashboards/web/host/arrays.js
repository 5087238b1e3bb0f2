// Arrays in JSON: `{"$array": TYPE, "data": BASE64}`, see `embedded` in `dashboards/page/data.py`.

const TYPES = { f4: Float32Array, f8: Float64Array, i4: Int32Array, u1: Uint8Array };

/** A value from JSON with typed arrays where it names them. */
export function withArrays(value) {
  if (Array.isArray(value)) return value.map(withArrays);
  if (value === null || typeof value !== "object") return value;
  if ("$array" in value) return new TYPES[value.$array](bytesOf(value.data).buffer);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withArrays(one)]));
}

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
