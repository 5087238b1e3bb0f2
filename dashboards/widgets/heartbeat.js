// Whether the kernel still answers. page -> kernel {type: "there?"}   kernel -> page {type: "here"}
// The app is drawn, every model listens. page -> kernel {type: "drawn"}
//
// A kernel that is gone says nothing, and the page goes on looking alive. So where the visitor does something,
// the kernel is asked; not by the clock, which would keep forgotten pages' kernels from being culled.

const ANSWER_WITHIN = 10000; // ms: opening a bundle can take seconds
const ASK_EVERY = 5000;
const KINDS = ["pointerdown", "keydown"];

function makeNotice() {
  const notice = Object.assign(document.createElement("div"), { className: "mnuts-lost" });
  notice.setAttribute("role", "alert");
  const reload = Object.assign(document.createElement("button"), { textContent: "Reload", onclick: () => location.reload() });
  notice.append("The kernel does not answer: it is busy, or it ended with its server. Reloading the page starts another.", reload);
  return notice;
}

function initialize({ model }) {
  if (document.body.dataset.voila === undefined) return undefined; // JupyterLab tells of its kernels itself
  const notice = makeNotice();
  let timer, asked = -Infinity;
  const ask = ({ timeStamp, target }) => {
    if (timer !== undefined || timeStamp - asked < ASK_EVERY || notice.contains(target)) return;
    asked = timeStamp;
    timer = setTimeout(() => ((timer = undefined), document.body.append(notice)), ANSWER_WITHIN);
    model.send({ type: "there?" });
  };
  const hear = ({ type }) => {
    if (type !== "here") return;
    clearTimeout(timer);
    timer = undefined;
    notice.remove();
  };
  model.on("msg:custom", hear);
  KINDS.forEach((kind) => document.addEventListener(kind, ask, true));
  return () => {
    KINDS.forEach((kind) => document.removeEventListener(kind, ask, true));
    clearTimeout(timer);
    notice.remove();
  };
}

export default { initialize, render: ({ model }) => model.send({ type: "drawn" }) };
