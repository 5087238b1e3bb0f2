// A slider's way to the kernel, while it is dragged: "slide" is of the visitor's hand alone, "update" of the kernel's too.
// The end of a move the slider sends by itself ("change").

const SOON = 50; // milliseconds until the slider beside it is looked for once more

async function render({ model, el }) {
  let timer, gone;
  const slider = await model.widget_manager.get_model(model.get("slider"));
  const send = (_values, _handle, [place]) => {
    slider.set("value", model.get("log") ? 10 ** place : place);
    slider.save_changes(); // which keeps to one message at a time, the newest
  };
  const look = () => {
    const bar = el.closest(".mnuts-slider")?.querySelector(".noUi-target")?.noUiSlider;
    if (bar) bar.on("slide", send);
    else if (!gone) timer = setTimeout(look, SOON);
  };
  look();
  return () => ((gone = true), clearTimeout(timer));
}

export default { render };
