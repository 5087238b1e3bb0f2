// Whether the kernel still answers. One that is gone says nothing, and the page goes on: so where the visitor does
// something, it is asked; not by the clock, which would keep forgotten pages' kernels from being culled.

const ANSWER_WITHIN = 10_000; // milliseconds: opening a bundle can take seconds
const ASK_EVERY = 5_000;
const KINDS = ["pointerdown", "keydown"];

/**
 * @param {{answers: () => Promise<void>}} services
 * @param {{refuse: (cause: string, problems: string[]) => void, lost: () => string}} app `refuse` shows what is wrong; no problems:
 *   nothing any more. `lost`: what its visitor cannot do without a kernel.
 * @returns {() => void} Ends it.
 */
export function heartbeat({ answers }, { refuse, lost }) {
  let timer = null;
  let asked = -Infinity;
  const ask = ({ timeStamp }) => {
    if (timer !== null || timeStamp - asked < ASK_EVERY) return;
    asked = timeStamp;
    timer = setTimeout(() => refuse("kernel", [lost()]), ANSWER_WITHIN);
    answers().then(() => {
      clearTimeout(timer);
      timer = null;
      refuse("kernel", []);
    });
  };
  KINDS.forEach((kind) => document.addEventListener(kind, ask, true));
  return () => {
    KINDS.forEach((kind) => document.removeEventListener(kind, ask, true));
    clearTimeout(timer);
  };
}
