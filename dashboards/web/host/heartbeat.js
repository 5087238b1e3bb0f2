// Whether the kernel still answers. One that is gone says nothing, and the page goes on: so where the visitor does
// something, it is asked; not by the clock, which would keep forgotten pages' kernels from being culled. A connection that
// breaks is seen without asking, where the model is one of our own.

const ANSWER_WITHIN = 10_000; // milliseconds: opening a bundle can take seconds
const ASK_EVERY = 5_000;
const KINDS = ["pointerdown", "keydown"];

/**
 * @param {object} model The widget's.
 * @param {{answers: () => Promise<void>}} services
 * @param {{refuse: (cause: string, problems: string[]) => void, lost: () => string}} app `refuse` shows what is wrong; no problems:
 *   nothing any more. `lost`: what its visitor cannot do without a kernel.
 * @returns {() => void} Ends it.
 */
export function heartbeat(model, { answers }, { refuse, lost }) {
  let timer = null;
  let asked = -Infinity;
  const isGone = () => refuse("kernel", [lost()]);
  const isHere = () => refuse("kernel", []);
  const ask = ({ timeStamp }) => {
    if (timer !== null || timeStamp - asked < ASK_EVERY) return;
    asked = timeStamp;
    timer = setTimeout(isGone, ANSWER_WITHIN);
    const done = () => {
      clearTimeout(timer);
      timer = null;
    };
    answers().finally(done).then(isHere, isGone);
  };
  const events = Object.entries({ away: isGone, lost: isGone, back: isHere });
  for (const [event, act] of events) model.on(event, act);
  for (const kind of KINDS) document.addEventListener(kind, ask, true);
  return () => {
    for (const [event, act] of events) model.off(event, act);
    for (const kind of KINDS) document.removeEventListener(kind, ask, true);
    clearTimeout(timer);
  };
}
