// Moves each slider of the page's engine and prints milliseconds of CPU time; see `page_engine.py`.

import { EngineService } from "../../dashboards/web/engine/service.js";

const SIZES = [
  { clean: 10_000, images: 1000, each: 1, classes: 10, bar: 10 },
  { clean: 10_000, images: 1000, each: 4, classes: 10, bar: 10 },
  { clean: 10_000, images: 1000, each: 1, classes: 100, bar: 15 },
  { clean: 5000, images: 1000, each: 1, classes: 1000, bar: 31 },
];
const START = { s: 1, p: 2.5, c: -0.5, clamp: "gelu", ln_k: 250, beta: 0.95, alpha: null, temperature: 0 };
const SLIDERS = {
  s: (i) => ({ s: 0.5 + i / 100 }),
  p: (i) => ({ p: 1.5 + i / 100 }),
  c: (i) => ({ c: -1 + i / 100 }),
  β: (i) => ({ beta: 0.9 + i / 2000 }),
  α: (i) => ({ alpha: 0.6 + i / 1000 }),
  "T > 0": (i) => ({ temperature: 0.5 + i / 100 }),
};
const VIEWS = ["headline", "curve", "transform", "mix_margins", "simplex", "bars", "assumptions", "examples_attacked", "images"];
const GRID = { name: "cifar10", s: even(-1.3, 0.7).map((x) => 10 ** x), p: even(1, 4), c: even(-1.1, 0) };
const FRAMES = 60;
const WARM = 10; // while the code is still being compiled
const LONGEST = 3000; // milliseconds that one slider is moved

function even(low, high, n = 8) {
  return Array.from({ length: n }, (_, i) => low + (i * (high - low)) / (n - 1));
}

/** Numbers that are the same in every run. */
function generator(seed) {
  let state = seed;
  const uniform = () => (state = (1664525 * state + 1013904223) >>> 0) / 2 ** 32;
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) };
}

/** SYNTHETIC logits: the robust model is confident where it is right. */
function synthetic({ clean, images, each, classes }) {
  const { uniform, normal } = generator(1);
  const labels = Int32Array.from({ length: clean }, () => Math.floor(classes * uniform()));
  const logits = (of, boost) => {
    const found = Float32Array.from({ length: of.length * classes }, () => 1.5 * normal());
    of.forEach((label, row) => (found[row * classes + label] += boost * (0.3 + uniform())));
    return found;
  };
  const index = Int32Array.from({ length: images * each }, (_, i) => i % images);
  const attacked = index.map((row) => labels[row]);
  return {
    name: "SYNTHETIC",
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    labels,
    std: logits(labels, 8),
    rob: logits(labels, 5),
    attacked: { index, images, source: new Int32Array(index.length), sources: ["SYNTHETIC"], std: logits(attacked, 1), rob: logits(attacked, 3) },
    optimistic: false,
    std_attacked: false,
    warnings: [],
  };
}

function cpu(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Median / 95th percentile of a slider's frames. */
function drag(service, move, views) {
  const times = [];
  for (let i = 0, sum = 0; i < FRAMES && (i < 2 * WARM || sum < LONGEST); sum += times[i++]) {
    times.push(cpu(() => service.frame({ params: { ...START, ...move(i) } }, views)));
  }
  times.splice(0, WARM);
  times.sort((a, b) => a - b);
  return [0.5, 0.95].map((p) => times[Math.floor(p * times.length)].toFixed(p === 0.5 ? 2 : 1)).join(" / ").padStart(14);
}

for (const size of SIZES) {
  const service = new EngineService(synthetic(size), {});
  const { clean, images, each, classes, bar } = size;
  console.log(`\n${clean} + ${images * each} × ${classes}; bar ${bar} ms, β and α 1 ms${" ".repeat(8)}remix  with the views of a page`);
  for (const [name, move] of Object.entries(SLIDERS)) console.log(name.padEnd(20), drag(service, move, []), drag(service, move, VIEWS));
  if (classes > 10) continue;
  const request = { grid: GRID, clamp: "gelu", ln_k: 250, beta: 0.95 };
  const time = cpu(() => { for (const _ of service.search(request)); });
  console.log(`search of 512 cells with both frontiers: ${(time / 1000).toFixed(1)} s`);
}
