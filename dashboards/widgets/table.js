// A table to choose from. page -> kernel: {type: "choose", key}

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value);
  }
  node.append(...children); // strings become text nodes: nothing from the kernel is parsed as HTML
  return node;
}

const text = (column, value) => {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return `${value}`;
  const tiny = value !== 0 && column.digits > 0 && Math.abs(value) < 0.5 * 10 ** -column.digits; // would read as zero
  return (tiny ? value.toExponential(1) : value.toFixed(column.digits)).replaceAll("-", "−");
};

class View {
  constructor(model, el) {
    Object.assign(this, { model, sort: null });
    this.head = element("tr");
    this.body = element("tbody");
    const table = element("table", { role: "grid", "aria-label": model.get("label") }, element("thead", {}, this.head), this.body);
    this.box = element("div", { class: "mnuts-table-box" }, table);
    el.classList.add("mnuts-table");
    el.append(this.box);
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.headings();
    this.fill();
  }

  headings() {
    const heading = (column) => {
      const button = element("button", { type: "button", title: column.help || `Sort by ${column.label}`, onclick: () => this.order(column) }, column.label);
      return element("th", { scope: "col", "data-key": column.key, class: column.numeric ? "number" : "" }, button);
    };
    this.head.replaceChildren(...this.model.get("columns").map(heading));
  }

  order(column) {
    const again = this.sort?.column.key === column.key;
    this.sort = { column, up: again ? !this.sort.up : true };
    for (const cell of this.head.children) {
      if (cell.dataset.key === column.key) cell.setAttribute("aria-sort", this.sort.up ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    this.fill();
  }

  shown() {
    const rows = [...this.model.get("rows")];
    if (!this.sort) return rows;
    const { column: { key }, up } = this.sort;
    const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : `${a ?? ""}`.localeCompare(`${b ?? ""}`));
    const value = (row) => row[`${key}_sort`] ?? row[key];
    return rows.sort((a, b) => (up ? 1 : -1) * compare(value(a), value(b)));
  }

  fill() {
    const rows = this.shown();
    const focused = document.activeElement?.closest?.("tr")?.dataset.key;
    const inside = this.body.contains(document.activeElement);
    this.body.replaceChildren(...rows.map((row) => this.row(row)));
    const span = this.model.get("columns").length;
    if (!rows.length) this.body.append(element("tr", {}, element("td", { colspan: span, class: "empty" }, this.model.get("empty"))));
    this.choose();
    if (inside) [...this.body.children].find((row) => row.dataset.key === focused)?.focus();
  }

  row(row) {
    const cells = this.model.get("columns").map((column, index) => {
      const dot = index === 0 && row.dot ? [element("span", { class: "dot", style: `background:${row.dot}` })] : [];
      const value = text(column, row[column.key]);
      return element("td", { class: column.numeric ? "number" : "", ...(row[`${column.key}_tip`] ? { title: row[`${column.key}_tip`] } : {}) }, ...dot, value,
        ...(row[`${column.key}_more`] ? [element("small", {}, row[`${column.key}_more`])] : []));
    });
    const choose = () => this.model.send({ type: "choose", key: row.key });
    return element("tr", { "data-key": row.key, onclick: choose, class: "choice" }, ...cells);
  }

  choose() {
    const rows = [...this.body.querySelectorAll("tr.choice")];
    const at = rows.find((row) => row.dataset.key === `${this.model.get("chosen")}`);
    for (const row of rows) {
      row.setAttribute("aria-selected", String(row === at));
      row.tabIndex = row === (at ?? rows[0]) ? 0 : -1;
    }
  }

  key(event) {
    const row = event.target.closest("tr.choice");
    if (!row || event.target !== row) return;
    const next = { ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling, Home: this.body.firstElementChild, End: this.body.lastElementChild }[event.key];
    if (event.key === "Enter" || event.key === " ") row.click();
    else if (next) {
      row.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      next.click();
    } else return;
    event.preventDefault();
  }
}

function render({ model, el }) {
  const view = new View(model, el);
  const fill = () => view.fill();
  const choose = () => view.choose();
  model.on("change:rows change:empty", fill);
  model.on("change:chosen", choose);
  return () => {
    model.off("change:rows change:empty", fill);
    model.off("change:chosen", choose);
  };
}

export default { render };
