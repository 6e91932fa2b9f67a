/* The explorer: the kernel sends what is picked, lists are asked for; drawn by functions of pages. */
const VIEWS = [
  ["samples", "Samples", drawSamples], ["processes", "Processes", drawProcesses],
  ["distribution", "Distribution", drawDistribution], ["pairs", "Pairs", drawPairs],
  ["code", "Code", drawCode],
];

/**
 * Questions to the kernel, each of whose answers comes back under its token, and what it sends when
 * something is picked. Questions are about lists alone: they may overtake what is picked.
 */
class Kernel {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.last = 0;
    this.onPush = {};
    this.listener = (message) => this.hear(message);
    model.on("msg:custom", this.listener);
  }

  ask(ask, details = {}) {
    this.last += 1;
    const token = this.last;
    this.model.send({ ask, token, ...details });
    return new Promise((resolve, reject) => this.waiting.set(token, { resolve, reject }));
  }

  hear(message) {
    if (message.push) return this.onPush[message.push](message.answer);
    const question = this.waiting.get(message.token);
    this.waiting.delete(message.token);
    if ("error" in message) question?.reject(new Error(message.error));
    else question?.resolve(message.answer);
  }

  stop() {
    this.model.off("msg:custom", this.listener);
    this.waiting.clear();
  }
}

function button(text, attributes, onClick) {
  const element = make("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", onClick);
  return element;
}

function option(value, text, isChosen) {
  const element = make("option", { value }, text);
  element.selected = isChosen;
  return element;
}

function labelled(text, field) {
  return make("label", {}, make("span", {}, text), field);
}

/** Call `action` once typing has paused. */
function afterPause(action) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, 200);
  };
}

/** A name that may be broken where its parts end. */
function breakable(name) {
  return name.split(/(?<=[/[=,])/).flatMap((part) => [part, make("wbr")]);
}

function badge(tone, word) {
  return make("span", { class: `vp-badge vp-${tone}` }, word);
}

/** A table in a frame that scrolls; `rows` are objects whose keys are the head. */
function plainTable(caption, rows) {
  const names = Object.keys(rows[0]);
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map((row) =>
    make("tr", {}, ...names.map((name) => make("td", { "data-name": name }, row[name]))),
  );
  const table = make("table", {}, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, ...body));
  const frame = { class: "vp-scroll", role: "group", "aria-label": caption, tabindex: "0" };
  return make("div", frame, table);
}

/** The runs that are drawn, each with its colour, and the list to add others from. */
class RunPicker {
  constructor(explorer) {
    this.explorer = explorer;
    this.chosen = make("span", { class: "vpx-chosen" });
    this.search = make("input", { type: "search", placeholder: "id, commit, branch, machine", "aria-label": "Find a run" });
    this.list = make("ul", { class: "vpx-list" });
    this.count = make("output", { class: "vpx-note" });
    this.more = button("More", { class: "vpx-more" }, () => this.load(this.rows));
    const details = make("details", {}, make("summary", {}, "Choose runs"), this.search, this.count, this.list, this.more);
    details.addEventListener("toggle", () => details.open && this.load(0));
    details.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      details.open = false;
      details.firstChild.focus();
    });
    this.search.addEventListener("input", afterPause(() => this.load(0)));
    this.element = make("div", { class: "vpx-runs" }, this.chosen, details);
    this.rows = 0;
  }

  show() {
    const runs = this.explorer.model.get("runs");
    this.chosen.replaceChildren(
      ...runs.map((run, index) => {
        const remove = button("×", { "aria-label": `Remove run ${run}` }, () => this.toggle(run));
        return make("span", { class: `vpx-run vpx-${KINDS[index]}` }, run, ...(runs.length > 1 ? [remove] : []));
      }),
    );
    for (const box of this.list.querySelectorAll("input")) box.checked = runs.includes(box.value);
  }

  async load(offset) {
    const answer = await this.explorer.ask("runs", { query: this.search.value, offset });
    if (!answer) return;
    const items = answer.rows.map((row) => this.item(row));
    if (offset) this.list.append(...items);
    else this.list.replaceChildren(...items);
    this.rows = offset + answer.rows.length;
    this.count.textContent = `${this.rows.toLocaleString("en")} of ${answer.total.toLocaleString("en")}`;
    this.more.hidden = this.rows >= answer.total;
  }

  item(row) {
    const box = make("input", { type: "checkbox", value: row.id });
    box.checked = this.explorer.model.get("runs").includes(row.id);
    box.addEventListener("change", () => this.toggle(row.id));
    const facts = row.unfinished ? ["unfinished"] : [row.created.slice(0, 16).replace("T", " "), row.branch, row.machine, `${row.cases} cases`];
    return make("li", {}, make("label", {}, box, make("span", {}, row.id), make("small", {}, facts.filter(Boolean).join(" · "))));
  }

  toggle(run) {
    const runs = this.explorer.model.get("runs");
    const next = runs.includes(run) ? runs.filter((other) => other !== run) : [...runs, run].slice(-KINDS.length);
    if (next.length) this.explorer.set({ runs: next, brush: [] });
    this.show();
  }
}

/** The verdict: benchmarks of the first run, or of a comparison, the worst first. */
class VerdictList {
  constructor(explorer) {
    this.explorer = explorer;
    this.source = make("select", { "aria-label": "Verdict of" });
    this.source.addEventListener("change", () => {
      const comparison = this.source.value;
      explorer.set({ comparison, view: comparison ? "pairs" : "samples" });
    });
    this.suite = make("select", { "aria-label": "Suite" });
    this.suite.addEventListener("change", () => this.load());
    this.search = make("input", { type: "search", placeholder: "Find a benchmark", "aria-label": "Find a benchmark" });
    this.search.addEventListener("input", afterPause(() => this.load()));
    this.list = make("ul", { class: "vpx-list", "aria-label": "Benchmarks, the worst first" });
    this.list.addEventListener("keydown", (event) => this.walk(event));
    this.note = make("p", { class: "vpx-note" });
    this.element = make(
      "section", { class: "vpx-verdict", "aria-label": "Verdict" },
      labelled("Verdict of", this.source), labelled("Suite", this.suite), this.search, this.note, this.list,
    );
  }

  async loadSources() {
    const answer = await this.explorer.ask("comparisons");
    const chosen = this.explorer.model.get("comparison");
    this.source.replaceChildren(
      option("", "the first run", !chosen),
      ...(answer?.rows ?? []).map((id) => option(id, `A/B ${id}`, id === chosen)),
    );
  }

  async load() {
    const answer = await this.explorer.ask("benchmarks", { suite: this.suite.value, query: this.search.value });
    if (answer) this.fill(answer);
  }

  /** Benchmarks of other runs; a filter goes on to hold. */
  renew(answer) {
    if (this.search.value || answer.suites.includes(this.suite.value)) this.load();
    else this.fill(answer);
  }

  fill(answer) {
    const comparison = answer.suites ? "" : this.explorer.model.get("comparison");
    this.source.value = comparison;
    this.suite.disabled = this.search.disabled = Boolean(comparison);
    if (answer.suites) {
      const chosen = this.suite.value;
      this.suite.replaceChildren(option("", "all", !chosen), ...answer.suites.map((s) => option(s, s, s === chosen)));
    }
    const cut = answer.total > answer.rows.length ? `; the first ${answer.rows.length} are listed` : "";
    this.note.textContent = comparison
      ? `${answer.new} against ${answer.base}, ${answer.created}, ${answer.machine}`
      : (answer.absent ?? `${answer.total.toLocaleString("en")} metrics, the worst first${cut}`);
    this.list.replaceChildren(...answer.rows.map((row) => make("li", {}, this.item(row))));
    this.show();
  }

  item(row) {
    const pick = () => this.explorer.set({ benchmark: row.benchmark, metric: row.metric, brush: [] });
    const name = row.metric === "time" ? row.benchmark : `${row.benchmark}, ${row.metric}`;
    const element = button("", { tabindex: "-1" }, pick);
    element.append(badge(row.tone, row.word), make("b", {}, ...breakable(name)), make("small", {}, row.why));
    element.dataset.key = JSON.stringify([row.benchmark, row.metric]);
    return element;
  }

  /** Mark what is picked; it is the one that Tab leads to. */
  show() {
    const { model } = this.explorer;
    const key = JSON.stringify([model.get("benchmark"), model.get("metric")]);
    const items = [...this.list.querySelectorAll("button")];
    for (const item of items) {
      const isPicked = item.dataset.key === key;
      item.setAttribute("aria-current", String(isPicked));
      item.tabIndex = isPicked ? 0 : -1;
      // The list alone is scrolled, never the notebook.
      const top = item.offsetTop - this.list.offsetTop;
      const isOut = top < this.list.scrollTop || top > this.list.scrollTop + this.list.clientHeight;
      if (isPicked && isOut) this.list.scrollTop = top;
    }
    if (items.length && !items.some((item) => item.tabIndex === 0)) items[0].tabIndex = 0;
  }

  walk(event) {
    const items = [...this.list.querySelectorAll("button")];
    const at = items.indexOf(event.target);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || !items[next]) return;
    items[next].focus();
    event.preventDefault();
    event.stopPropagation();
  }
}

class Explorer {
  constructor(model, element) {
    this.model = model;
    this.kernel = new Kernel(model);
    this.runs = new RunPicker(this);
    this.verdict = new VerdictList(this);
    this.metric = make("select", { "aria-label": "Metric" });
    this.metric.addEventListener("change", () => this.set({ metric: this.metric.value, brush: [] }));
    this.follow = make("input", { type: "checkbox" });
    this.follow.addEventListener("change", () => this.set({ follow: this.follow.checked }));
    this.title = make("h3");
    this.what = make("p", { class: "vpx-note" });
    this.state = make("p", { class: "vpx-state", role: "status" });
    this.tabs = make("div", { class: "vpx-tabs", role: "tablist", "aria-label": "Pictures" });
    this.picture = make("div", { class: "vpx-picture", role: "tabpanel", tabindex: "-1" });
    this.details = make("div", { class: "vpx-details", "aria-live": "polite" });
    this.addTabs();
    const bar = make(
      "div", { class: "vpx-bar" }, this.runs.element,
      make("label", { class: "vpx-follow" }, this.follow, make("span", {}, "Follow a run that is going on")),
    );
    const head = make("div", { class: "vpx-head" }, this.title, labelled("Metric", this.metric));
    const main = make("section", { class: "vpx-main", "aria-label": "Benchmark" }, head, this.what, this.state, this.tabs, this.picture);
    this.root = make("div", { class: "vp vpx" }, bar, make("div", { class: "vpx-body" }, this.verdict.element, main), this.details);
    // While this lives, the table behind it that a saved notebook shows is hidden.
    element.append(make("style", {}, `#${model.get("_saved")} { display: none; }`), this.root);
    this.listeners = [
      ["runs", () => this.runs.show()],
      ["benchmark", () => this.verdict.show()],
      ["metric", () => this.verdict.show()],
      ["view", () => this.draw()],
      ["brush", () => this.draw()],
      ["follow", () => (this.follow.checked = model.get("follow"))],
    ].map(([name, act]) => [`change:${name}`, act]);
    for (const [event, act] of this.listeners) model.on(event, act);
    this.kernel.onPush = {
      view: (answer) => this.show(answer),
      benchmarks: (answer) => this.verdict.renew(answer),
      comparison: (answer) => this.verdict.fill(answer),
      pairs: (answer) => this.showPairs(answer),
      brush: (answer) => this.showBrush(answer),
      trouble: (text) => (this.state.textContent = text),
    };
    this.resizes = new ResizeObserver(() => this.picture.clientWidth !== this.width && this.draw());
    this.resizes.observe(this.picture);
    this.follow.checked = model.get("follow");
    this.runs.show();
    this.verdict.loadSources().then(() => this.ask("everything"));
  }

  /** Answers; null where the kernel says that it can't, which is then shown. */
  async ask(question, details) {
    try {
      return await this.kernel.ask(question, details);
    } catch (error) {
      this.state.textContent = error.message;
      return null;
    }
  }

  set(values) {
    for (const [name, value] of Object.entries(values)) this.model.set(name, value);
    this.model.save_changes();
  }

  addTabs() {
    for (const [view, text] of VIEWS) {
      const tab = button(text, { role: "tab", "data-view": view }, () => this.set({ view }));
      this.tabs.append(tab);
    }
    this.tabs.addEventListener("keydown", (event) => {
      const at = VIEWS.findIndex(([view]) => view === this.model.get("view"));
      const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: VIEWS.length - 1 }[event.key];
      if (next === undefined || !VIEWS[next]) return;
      this.set({ view: VIEWS[next][0] });
      this.tabs.children[next].focus();
      event.preventDefault();
      event.stopPropagation();
    });
  }

  show(view) {
    this.answer = view;
    this.title.replaceChildren(...breakable(view.benchmark || "No benchmark"));
    this.what.textContent = view.what;
    this.metric.replaceChildren(...view.metrics.map((name) => option(name, name, name === view.metric)));
    this.metric.disabled = view.metrics.length < 2;
    const going = view.series.filter((part) => view.going.includes(part.run));
    const lines = going.map((part) => `Run ${part.run}: ${part.passes} of ${part.planned} processes are done.`);
    lines.push(...view.absent.map((run) => `Run ${run} has no ${view.benchmark}.`));
    this.state.textContent = lines.join(" ");
    this.draw();
  }

  draw() {
    const view = this.model.get("view");
    for (const tab of this.tabs.children) {
      const isOpen = tab.dataset.view === view;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
    }
    show(this.details, ["samples", "distribution"].includes(view));
    if (!this.answer) return;
    if (!this.picture.clientWidth) return; // not in sight yet
    this.width = this.picture.clientWidth;
    const hadFocus = this.picture.querySelector("svg")?.matches(":focus");
    // A drawing measures its texts: it has to be in the page.
    const holder = make("div");
    this.picture.replaceChildren(holder);
    VIEWS.find(([name]) => name === view)[2](this, holder);
    enliven(this.root);
    if (hadFocus) this.picture.querySelector("svg")?.focus();
  }

  showPairs(answer) {
    this.pairs = answer;
    if (this.model.get("view") === "pairs") this.draw();
  }

  /** Tell which passes the brushed samples are of. */
  showBrush(answer) {
    if (!this.model.get("brush").length) return this.details.replaceChildren();
    const clear = button("Clear", {}, () => this.set({ brush: [] }));
    const count = (n, noun, form) => `${n.toLocaleString("en")} ${n === 1 ? noun : form}`;
    const caption = `${count(answer.total, "sample", "samples")} of ${count(answer.passes, "process", "processes")}`;
    const table = answer.rows.length ? [plainTable(caption, answer.rows)] : [make("p", {}, "No sample is brushed.")];
    this.details.replaceChildren(clear, ...table);
    enliven(this.root);
  }

  /** The cell is gone: nobody is shown what is followed. */
  stop() {
    if (this.model.get("follow")) this.set({ follow: false });
    for (const [event, act] of this.listeners) this.model.off(event, act);
    this.resizes.disconnect();
    this.kernel.stop();
    this.root.parentElement?.replaceChildren();
  }
}

export default {
  render({ model, el }) {
    const explorer = new Explorer(model, el);
    return () => explorer.stop();
  },
};
