// The driver of browser_latency.py: moves a slider as a hand does, and watches the engine's worker and the plots.
window.latency = (() => {
  const sent = []; // states on their way to the worker: {number, at, params}
  const followers = new Set();
  const painted = (frame) => [...followers].forEach((follow) => follow(frame));

  // The page draws an answer as it comes, or in the animation frame after it; what is asked for here after the page has
  // been given the answer runs in that frame, after the page's drawing.
  window.Worker = class extends Worker {
    postMessage(message, ...rest) {
      if (message.type === "state") sent.push({ number: message.number, at: performance.now(), params: message.state.params });
      super.postMessage(message, ...rest);
    }

    set onmessage(receive) {
      super.onmessage = receive && ((event) => {
        const answered = performance.now();
        receive(event);
        const received = performance.now();
        if (event.data.type === "frame") requestAnimationFrame((began) => this.drawn({ number: event.data.number, answered, received, began }));
      });
    }

    drawn(frame) {
      const drawn = performance.now();
      const moved = plots.moved();
      const { port1, port2 } = new MessageChannel(); // the first task after the frame
      port1.onmessage = () => painted({ ...frame, drawn, moved, shown: performance.now() });
      port2.postMessage(null);
    }
  };

  /** Which of the plots on the screen have changed. */
  const plots = {
    watched: [],
    seen: new Set(),
    changed: new Set(),
    watch() {
      this.watched.forEach((watch) => watch.disconnect());
      const onScreen = ({ top, bottom }) => bottom > 0 && top < innerHeight;
      const seen = [...document.querySelectorAll(".plot")].filter((plot) => plot._fullLayout && onScreen(plot.getBoundingClientRect()));
      this.watched = seen.map((plot) => {
        const watch = new MutationObserver(() => this.changed.add(plot));
        watch.observe(plot, { subtree: true, childList: true, attributes: true });
        return watch;
      });
      this.seen = new Set(seen);
    },
    /** A canvas is drawn anew: no mutation. */
    cleared(canvas) {
      const plot = canvas.closest(".plot");
      if (this.seen.has(plot)) this.changed.add(plot);
    },
    /** How many have changed since this was asked last. */
    moved() {
      const { size } = this.changed;
      this.changed.clear();
      return size;
    },
  };

  const { clearRect } = CanvasRenderingContext2D.prototype;
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    plots.cleared(this.canvas);
    clearRect.apply(this, box);
  };

  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

  /** The next painted frame that fits; null if none comes. */
  const next = (fits, limit = 10_000) =>
    new Promise((resolve) => {
      const end = (frame) => (clearTimeout(timer), followers.delete(follow), resolve(frame));
      const follow = (frame) => fits(frame) && end(frame);
      const timer = setTimeout(() => end(null), limit);
      followers.add(follow);
    });
  async function quiet(ms) {
    while (await next(() => true, ms));
  }

  function hold(name) {
    const slider = document.querySelector(`[data-setting=${name}] input[type=range]`);
    const [low, high] = [slider.min, slider.max].map(Number);
    return (share) => {
      slider.value = low + share * (high - low);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    };
  }

  /** Single events: from each to the frame that shows it. `rest`: milliseconds between a frame and the next event. */
  async function steps(name, count, rest) {
    const move = hold(name);
    move(0.2);
    await quiet(1000);
    plots.watch();
    const steps = [];
    for (let i = 0; i < count; i++) {
      plots.moved();
      const begin = performance.now();
      const asked = () => sent.findLast(({ at }) => at >= begin);
      move(0.2 + (0.6 * (i + 1)) / count);
      const frame = await next(({ number }) => number >= (asked()?.number ?? Infinity));
      if (!frame) continue;
      const { at } = asked();
      const { answered, received, began, drawn, shown, moved } = frame;
      const wait = Math.max(0, began - received);
      steps.push({ total: shown - begin, engine: answered - at, wait, draw: drawn - answered - wait, paint: shown - drawn, moved });
      await sleep(rest);
    }
    return { steps, visible: plots.watched.length };
  }

  /** A drag of 60 events a second: how long after its last event it is shown, and how many frames were painted. */
  async function drag(name, seconds) {
    const move = hold(name);
    move(0.5);
    await quiet(1000);
    plots.watch();
    const count = 60 * seconds;
    const frames = [];
    const follow = (frame) => frames.push(frame);
    followers.add(follow);
    let events = 0;
    const begin = performance.now();
    await new Promise((resolve) => {
      const tick = () => {
        // as many as are due: a page that is busy must not get fewer events
        for (const due = ((performance.now() - begin) / 1000) * 60; events < due && events < count; events++) move(0.5 + 0.3 * Math.sin((events / count) * 20));
        if (events < count) setTimeout(tick, 4);
        else resolve();
      };
      tick();
    });
    const end = performance.now();
    await quiet(1500);
    followers.delete(follow);
    const during = frames.filter(({ shown }) => shown <= end);
    const last = frames.find(({ number }) => number >= lastState());
    const moved = during.reduce((sum, frame) => sum + frame.moved, 0);
    return { lag: Math.max(0, last.shown - end), rate: (1000 * during.length) / (end - begin), plots: moved / during.length, events };
  }

  /** The number of the first message with the state that was asked for last; more views of it may have been asked for later. */
  function lastState() {
    const last = JSON.stringify(sent.at(-1).params);
    const others = sent.findLastIndex(({ params }) => JSON.stringify(params) !== last);
    return sent[others + 1].number;
  }

  return { steps, drag };
})();
