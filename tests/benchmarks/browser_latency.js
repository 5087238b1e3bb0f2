// The driver of browser_latency.py: moves a slider as a hand does, and listens to the board's own clock.
window.latency = (() => {
  const painted = new Set();
  const stats = { frames: 0 };
  // The board writes its clock here after each paint.
  Object.defineProperty(stats, "last", { set: (last) => [...painted].forEach((run) => run(last)) });
  window.__mnutsBoard = stats;

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const nextPaint = (limit = 3000) =>
    new Promise((resolve) => {
      const done = (last) => (clearTimeout(timer), painted.delete(done), resolve(last));
      const timer = setTimeout(done, limit);
      painted.add(done);
    });
  async function quiet(ms) {
    while (await nextPaint(ms));
  }

  function hold(label) {
    const row = [...document.querySelectorAll(".mnuts-slider")].find((node) => node.textContent.includes(label));
    const [base, handle] = [".noUi-base", ".noUi-handle"].map((name) => row.querySelector(name));
    const box = base.getBoundingClientRect();
    const fire = (target, type, share) =>
      target.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, buttons: type === "mouseup" ? 0 : 1, clientX: box.left + share * box.width, clientY: box.top + box.height / 2 }));
    const at = handle.getBoundingClientRect();
    fire(handle, "mousedown", (at.left + at.width / 2 - box.left) / box.width);
    return { move: (share) => fire(document.documentElement, "mousemove", share), release: (share) => fire(document.documentElement, "mouseup", share) };
  }

  async function steps(label, way, count) {
    stats.plain = way === "plain";
    const hand = hold(label);
    hand.move(0.2);
    await quiet(1000);
    const steps = [];
    for (let i = 0; i < count; i++) {
      const begin = performance.now();
      hand.move(0.2 + (0.6 * (i + 1)) / count);
      let last;
      do last = await nextPaint();
      while (last && last.received - last.made < begin); // a frame that the kernel had begun before
      if (!last) continue; // the step was too small for the slider
      const { received, made, started, drawn, shown, reacted = 0 } = last;
      steps.push({ reacted, total: shown - begin, kernel: made, wire: received - begin - made, wait: started - received, draw: drawn - started, paint: shown - drawn });
      await sleep(30);
    }
    hand.release(0.8);
    await quiet(1000);
    return steps;
  }

  async function drag(label, way, seconds) {
    stats.plain = way === "plain";
    const hand = hold(label);
    const count = 60 * seconds;
    const frames = stats.frames;
    const begin = performance.now();
    let events = 0;
    let shown = 0;
    const clock = (last) => (shown = last.shown);
    painted.add(clock);
    await new Promise((resolve) => {
      const tick = () => {
        // as many as are due: a page that is busy must not get fewer events
        for (const due = ((performance.now() - begin) / 1000) * 60; events < due && events < count; events++) hand.move(0.5 + 0.3 * Math.sin((events / count) * 20));
        if (events < count) setTimeout(tick, 4);
        else resolve();
      };
      tick();
    });
    const end = performance.now();
    const drawn = stats.frames - frames;
    hand.release(0.5 + 0.3 * Math.sin(((count - 1) / count) * 20));
    await quiet(1500);
    painted.delete(clock);
    return { lag: Math.max(0, shown - end), frames: drawn, events };
  }
  return { steps, drag };
})();
