// The driver of page_engine.py: each slider of the page's engine, on SYNTHETIC logits.
const { RemixEngine } = await import(new URL("../../dashboards/web/engine/engine.js", import.meta.url));

const SIZES = [
  { n: 10_000, m: 1_000, points: 1_000, k: 10, bar: 8 },
  { n: 10_000, m: 1_000, points: 4_000, k: 10, bar: 10 },
  { n: 10_000, m: 1_000, points: 1_000, k: 100, bar: 15 },
  { n: 5_000, m: 1_000, points: 1_000, k: 1_000, bar: 35 },
];
const STEPS = 40;
const SWEEPS = {
  s: (x) => 10 ** (-1 + 1.7 * x),
  p: (x) => 1 + 4 * x,
  c: (x) => -2 + 3 * x,
  beta: (x) => 0.5 + x / 2,
  alpha: (x) => 0.5 + x / 2,
  temperature: (x) => 0.1 + 1.9 * x,
};

const row = (cells) => console.log(cells.map((cell, i) => (i ? cell.padStart(16) : cell.padEnd(22))).join(""));
row(["size, bar of s, p, c", ...Object.keys(SWEEPS)]);
for (const { n, m, points, k, bar } of SIZES) {
  const engine = new RemixEngine(synthetic(n, m, points, k));
  const base = { s: k < 1000 ? 1 : 0.0235, p: 2.7, c: -0.5, clamp: "gelu", ln_k: 250, beta: 0.985, alpha: null, temperature: 0 };
  const cells = Object.entries(SWEEPS).map(([name, value]) => {
    const times = Array.from({ length: STEPS }, (_, i) => timed(() => engine.remix({ ...base, [name]: value(i / STEPS) })));
    times.sort((a, b) => a - b);
    return `${times[STEPS / 2].toFixed(2)} / ${times[Math.floor(0.95 * STEPS)].toFixed(2)}`;
  });
  row([`${n}+${points}×${k}, ${bar}`, ...cells]);
}

/** Milliseconds of CPU time: the machine may be busy. */
function timed(work) {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e3;
}

function synthetic(n, m, points, k) {
  const random = generator(1);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const labels = Int32Array.from({ length: n }, () => Math.floor(random() * k));
  const index = Int32Array.from({ length: points }, (_, i) => (i < m ? i : Math.floor(random() * m)));
  const logits = (classes, boost) => {
    const all = new Float32Array(classes.length * k);
    for (let r = 0; r < classes.length; r++) {
      const scale = 0.5 + random();
      for (let i = 0; i < k; i++) all[r * k + i] = scale * normal();
      all[r * k + classes[r]] += boost * (random() + random());
    }
    return all;
  };
  const ofPoints = index.map((at) => labels[at]);
  const attacked = { index, images: m, std: logits(ofPoints.map((y) => (y + 1) % k), 6), rob: logits(ofPoints, 4) };
  const classes = Array.from({ length: k }, (_, i) => String(i));
  const facts = { name: "SYNTHETIC", classes, optimistic: true, std_attacked: false, warnings: [] };
  return { ...facts, labels, std: logits(labels, 9), rob: logits(labels, 6), attacked };
}

/** Numbers in [0, 1), the same in every run (mulberry32). */
function generator(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
