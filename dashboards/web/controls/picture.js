// An image of the bundle, drawn pixel by pixel.

import { h } from "./dom.js";

const SIDE = 112; // pixels of the screen that a small image is brought to, by whole steps

/**
 * A clean image of the bundle; null if the page does not carry it.
 * @param {{shape: number[], pixels: Uint8Array}|null} images Shape (N, H, W, C), C = 1 or 3.
 * @param {number} number Which image.
 * @param {string} label What it is, for screen readers.
 * @param {number} side About how many pixels of the screen it takes.
 */
export function pictureOf(images, number, label, side = SIDE) {
  if (!images || number >= images.shape[0]) return null;
  const [, height, width, channels] = images.shape;
  const canvas = h("canvas", { class: "picture", role: "img", "aria-label": label, width, height });
  const data = new ImageData(width, height);
  const from = number * height * width * channels;
  for (let i = 0; i < height * width; i++) {
    for (let k = 0; k < 3; k++) data.data[4 * i + k] = images.pixels[from + i * channels + (channels === 3 ? k : 0)];
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, 0, 0);
  const times = Math.max(1, Math.floor(side / Math.max(height, width)));
  Object.assign(canvas.style, { width: `${times * width}px`, height: `${times * height}px` });
  return canvas;
}
