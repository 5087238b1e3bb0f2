// The lesson's own inputs, as the browser makes them: labelled, reachable by keyboard, read by screen readers.
//
// kind "nav":   titles, step (asked for), shown (on the page), done, bundle, kept
//               -> heading, steps, previous and next; keeps ?step= in the page's address, and answers over a reload
//               page -> kernel   {type: "recall", kept}
// kind "field": spec, value, disabled -> one slider or one group of radio buttons

// An id of its own: every widget has its own copy of this module, so that counting alone would not do.
let count = 0;
const own = Math.random().toString(36).slice(2, 10);
const fresh = (kind) => `mnuts-${kind}-${own}-${++count}`;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children); // strings become text nodes: nothing from the kernel is parsed as HTML here
  return node;
}

function store(model, name, value) {
  model.set(name, value);
  model.save_changes();
}

function listen(model, events, run) {
  for (const event of events) model.on(event, run);
  return () => events.forEach((event) => model.off(event, run));
}

// --- the steps
const served = () => document.body.dataset.voila !== undefined; // in JupyterLab the address is not ours

function renderNav(model, el) {
  let moved = false; // by this page's visitor: then, and only then, the focus follows
  const go = (step, remember = true) => {
    if (step < 1 || step > model.get("titles").length || step === model.get("step")) return;
    moved = true;
    if (remember && served()) {
      const url = new URL(location.href);
      url.searchParams.set("step", step);
      history.pushState({ step }, "", url);
    }
    store(model, "step", step);
  };
  const heading = element("h2", { tabindex: "-1" });
  const list = element("ol");
  const where = element("p", { class: "mnuts-where", "aria-live": "polite" });
  const back = element("button", { type: "button", class: "mnuts-go", onclick: () => go(model.get("step") - 1) }, "‹ Previous");
  const next = element("button", { type: "button", class: "mnuts-go mnuts-next", onclick: () => go(model.get("step") + 1) }, "Next ›");
  const nav = element("nav", { "aria-label": "Steps of the lesson" }, back, list, where, next);
  const name = element("h1", {}, model.get("name"));
  el.classList.add("mnuts-nav");
  el.append(name, nav, heading);
  const draw = () => {
    const [titles, step, done] = ["titles", "shown", "done"].map((name) => model.get(name));
    list.replaceChildren(
      ...titles.map((title, i) => {
        const at = i + 1;
        const state = done.includes(at) ? ", answered" : "";
        const button = element("button", { type: "button", title, "aria-label": `Step ${at}: ${title}${state}`, onclick: () => go(at) }, `${at}`);
        if (at === step) button.setAttribute("aria-current", "step");
        if (state) button.dataset.done = "";
        return element("li", {}, button);
      }),
    );
    where.textContent = `Step ${step} of ${titles.length}`;
    heading.textContent = titles[step - 1];
    back.disabled = step <= 1;
    next.disabled = step >= titles.length;
    if (!moved) return;
    moved = false;
    heading.focus({ preventScroll: true });
    name.scrollIntoView({ block: "start" });
  };
  const turned = () => go(Number(new URLSearchParams(location.search).get("step")) || 1, false);
  if (served()) addEventListener("popstate", turned);
  draw();
  const offs = [listen(model, ["change:shown", "change:done", "change:titles"], draw), served() ? remember(model) : () => {}];
  return () => (offs.forEach((off) => off()), removeEventListener("popstate", turned));
}

// What the reader answered, for this tab and bundle: not in the address, since a link that is passed on must not reveal it.
function remember(model) {
  const shelf = `mnuts-lesson:${model.get("bundle")}`;
  const safely = (run) => {
    try {
      run();
    } catch (error) {
      console.warn("mnuts lesson: a reload will lose the answers:", error); // storage is full, or switched off
    }
  };
  safely(() => {
    const kept = JSON.parse(sessionStorage.getItem(shelf));
    if (kept) model.send({ type: "recall", kept });
  });
  return listen(model, ["change:kept"], () => safely(() => sessionStorage.setItem(shelf, JSON.stringify(model.get("kept")))));
}

// --- one input
function renderField(model, el) {
  el.classList.add("mnuts-field");
  let show = () => {};
  const build = () => {
    const spec = model.get("spec");
    el.replaceChildren();
    show = !spec.kind ? () => {} : (spec.kind === "choice" ? choice : range)(model, el, spec);
    show();
  };
  build();
  const offs = [listen(model, ["change:spec"], build), listen(model, ["change:value", "change:disabled"], () => show())];
  return () => offs.forEach((off) => off());
}

function choice(model, el, spec) {
  const name = fresh("choice");
  const inputs = spec.options.map(([value, text]) => {
    const input = element("input", { type: "radio", name, value, onchange: () => store(model, "value", value) });
    return { value, input, label: element("label", {}, input, element("span", {}, text)) };
  });
  const group = element("fieldset", {}, element("legend", {}, spec.label), element("div", { class: "mnuts-options" }, ...inputs.map((one) => one.label)));
  el.append(group);
  return () => {
    group.disabled = model.get("disabled");
    for (const { value, input } of inputs) input.checked = model.get("value") === value;
  };
}

function range(model, el, spec) {
  const id = fresh("range");
  const place = (value) => (spec.log ? Math.log10(value) : value);
  // without the noise of binary fractions
  const value = (at) => Number((spec.log ? 10 ** at : at).toPrecision(spec.log ? 4 : 12));
  const text = (number) => (number.toFixed(spec.digits) + spec.unit).replace("-", "−");
  const output = element("output", { for: id });
  const input = element("input", {
    id, type: "range", min: place(spec.low), max: place(spec.high), step: spec.step,
    oninput: () => (write(value(Number(input.value))), store(model, "value", value(Number(input.value)))),
  });
  const write = (number) => {
    output.textContent = text(number);
    input.setAttribute("aria-valuetext", text(number));
    const [low, high] = [Number(input.min), Number(input.max)];
    input.style.setProperty("--filled", `${(100 * (Number(input.value) - low)) / (high - low)}%`);
  };
  const ends = element("div", { class: "mnuts-ends", "aria-hidden": "true" }, element("span", {}, text(spec.low)), element("span", {}, text(spec.high)));
  const bar = element("div", { class: "mnuts-bar" }, input, ends);
  el.append(element("label", { for: id }, spec.label), element("div", { class: "mnuts-range" }, bar, output));
  return () => {
    const number = model.get("value");
    input.disabled = model.get("disabled");
    if (typeof number !== "number") return;
    if (value(Number(input.value)) !== number) input.value = place(number);
    write(number);
  };
}

export default { render: ({ model, el }) => (model.get("kind") === "nav" ? renderNav : renderField)(model, el) };
