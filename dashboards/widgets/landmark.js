// The role and the name of the box that it stands in, for screen readers and for keys that go from part to part.

const SOON = 50; // milliseconds until the box is looked for once more: a widget is drawn before it is put in its place

function render({ model, el }) {
  let timer, gone;
  const look = () => {
    const box = el.parentElement?.closest(".widget-box");
    if (!box) {
      if (!gone) timer = setTimeout(look, SOON);
      return;
    }
    const alone = document.body.dataset.voila !== undefined;
    box.setAttribute("role", alone ? model.get("role") : "region");
    box.setAttribute("aria-label", model.get("label"));
  };
  look();
  return () => ((gone = true), clearTimeout(timer));
}

export default { render };
