// Jupyter's messages as its websocket carries them in protocol v1: the number of offsets and the offsets, 64 bits each and
// little-endian, then the channel, four parts of JSON and the buffers, of which each begins at an offset; the last one is the end.

export const PROTOCOL = "v1.kernel.websocket.jupyter.org";
const PARTS = ["header", "parent_header", "metadata", "content"];
const WIDTH = 8; // bytes of an offset

/**
 * @typedef {object} Message
 * @property {string} channel
 * @property {object} header `msg_type`, `msg_id` and more.
 * @property {object} parent_header Of the message that this one answers.
 * @property {object} metadata
 * @property {object} content
 * @property {DataView[]} buffers
 */

/**
 * A message as bytes.
 * @param {Omit<Message, "buffers"> & {buffers: ArrayBuffer[]}} message
 * @returns {Uint8Array}
 */
export function packed({ channel, buffers, ...message }) {
  const texts = [channel, ...PARTS.map((name) => JSON.stringify(message[name]))];
  const parts = [...texts.map((text) => new TextEncoder().encode(text)), ...buffers.map((buffer) => new Uint8Array(buffer))];
  const count = parts.length + 1;
  const first = WIDTH * (count + 1);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, first));
  const offsets = new DataView(bytes.buffer);
  let end = first;
  offsets.setBigUint64(0, BigInt(count), true);
  offsets.setBigUint64(WIDTH, BigInt(end), true);
  parts.forEach((part, at) => {
    bytes.set(part, end);
    end += part.length;
    offsets.setBigUint64(WIDTH * (at + 2), BigInt(end), true);
  });
  return bytes;
}

/**
 * A message from its bytes.
 * @param {ArrayBuffer} bytes From our own server.
 * @returns {Message}
 */
export function unpacked(bytes) {
  const numbers = new DataView(bytes);
  const count = Number(numbers.getBigUint64(0, true));
  const offsets = Array.from({ length: count }, (_, at) => Number(numbers.getBigUint64(WIDTH * (at + 1), true)));
  const parts = offsets.slice(1).map((end, at) => new DataView(bytes, offsets[at], end - offsets[at]));
  const [channel, ...texts] = parts.slice(0, 1 + PARTS.length).map((part) => new TextDecoder().decode(part));
  const read = Object.fromEntries(PARTS.map((name, at) => [name, JSON.parse(texts[at])]));
  return { channel, ...read, buffers: parts.slice(1 + PARTS.length) };
}
