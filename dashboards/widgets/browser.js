// The page's address and clipboard.
//
// kernel -> page   {type: "push" | "replace", link, place}  {type: "go", steps}  {type: "copy", link, code}
// page -> kernel   {type: "arrive", place, query}           {type: "copied", text}

const OURS = () => document.body.dataset.voila !== undefined; // in JupyterLab the address is not ours
const FOREIGN = ["token", "theme"]; // words of the query that belong to the server and the page

function address(link) {
  const kept = new URLSearchParams([...new URLSearchParams(location.search)].filter(([key]) => FOREIGN.includes(key)));
  const query = [link, kept.toString()].filter(Boolean).join("&");
  return location.pathname + (query ? `?${query}` : "") + location.hash;
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text); // only on https and on this machine
    return true;
  } catch {
    const field = Object.assign(document.createElement("textarea"), { value: text });
    field.style.cssText = "position:fixed;opacity:0";
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

// A slider's handle has a role but no name, the box beside it neither: they get the label's, also when drawn anew.
function nameSliders() {
  for (const box of document.querySelectorAll(".mnuts-slider input[type=text]:not([aria-label])")) {
    const label = box.closest(".mnuts-slider").querySelector(".widget-label")?.textContent;
    if (label) box.setAttribute("aria-label", label);
  }
  for (const handle of document.querySelectorAll(".widget-slider .noUi-handle:not([aria-label])")) {
    const label = handle.closest(".widget-slider").querySelector(".widget-label")?.textContent;
    if (!label) continue;
    handle.setAttribute("aria-label", label);
    speakPlainly(handle, Boolean(handle.closest(".mnuts-log")));
  }
}

// By itself a screen reader hears the exponent of a logarithmic slider, and of all of them the nearest step. What it is to
// hear is the value: of the handle at once, then, once the kernel has answered, of the box beside it.
function speakPlainly(handle, logarithmic) {
  const box = handle.closest(".mnuts-slider")?.querySelector("input[type=text]");
  let timer;
  const announce = (value) => {
    handle.setAttribute("aria-valuetext", `${Number(value.toPrecision(4))}`);
    watch.takeRecords(); // our own change is none
  };
  const update = () => {
    const place = handle.closest(".noUi-target").noUiSlider.get(true);
    announce(logarithmic ? 10 ** place : place);
    clearTimeout(timer);
    timer = setTimeout(() => box && announce(Number(box.value)), 300);
  };
  const watch = new MutationObserver(update);
  watch.observe(handle, { attributeFilter: ["aria-valuetext"] });
  update();
}

function watchSliders() {
  let timer;
  const later = () => (timer ??= setTimeout(() => ((timer = undefined), nameSliders()), 500)); // plots change often
  const watch = new MutationObserver(later);
  watch.observe(document.body, { childList: true, subtree: true });
  later();
  return () => (watch.disconnect(), clearTimeout(timer));
}

function initialize({ model }) {
  const unwatch = watchSliders();
  const entry = (place) => ({ mnuts: model.get("visit"), place });
  const write = (how, link, place) => history[how](entry(place), "", address(link));
  const receive = async (message) => {
    if (message.type === "copy") {
      const text = OURS() ? location.origin + address(message.link) : message.code;
      model.send({ type: "copied", text: (await toClipboard(text)) ? text : null });
    } else if (!OURS()) return;
    else if (message.type === "go") history.go(message.steps);
    else if (message.type === "push") write("pushState", message.link, message.place);
    else if (message.type === "replace") write("replaceState", message.link, message.place);
  };
  const arrive = ({ state }) => {
    const own = state?.mnuts === model.get("visit");
    model.send({ type: "arrive", place: own ? state.place : null, query: location.search.slice(1) });
  };
  model.on("msg:custom", receive);
  if (OURS()) {
    write("replaceState", model.get("link"), model.get("place")); // the page as it came
    addEventListener("popstate", arrive);
  }
  return () => (unwatch(), removeEventListener("popstate", arrive));
}

export default { initialize, render() {} };
