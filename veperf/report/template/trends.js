/* Trends with all their runs: zoomed by brush and by keys, on either scale, read and copied. */

class LiveTrend {
  constructor(svg) {
    const words = (name, by) => (svg.dataset[name] ?? "").split(by).filter(Boolean);
    for (const name of ["values", "low", "high", "counts", "minutes"]) this[name] = words(name, " ").map(Number);
    this.names = words("names", "|");
    this.changes = words("changes", "|").map((text) => text.match(/^(\d+) (.*)/).slice(1));
    this.levels = words("levels", ";").map((text) => text.split(" ").map(Number));
    this.links = (svg.dataset.links ?? "").split("|").map(beside);
    this.unit = svg.dataset.unit ?? "";
    this.svg = svg;
    this.height = svg.viewBox.baseVal.height + PLOT.top;
    this.end = this.values.length - 1;
    this.view = [0, this.end];
    // Where a range by keys begins, as a place among the marks.
    this.anchor = null;
    svg.classList.add("vp-live");
    svg.before(this.tools());
    svg.after(this.table());
    this.state = setMarks(svg, [], (event) => this.press(event));
    brush(svg, () => this.plot, (low, high) => this.pick(low, high));
    new ResizeObserver(() => this.width !== svg.clientWidth && this.redraw()).observe(svg);
  }

  tools() {
    const button = (text, press) => {
      const element = make("button", { type: "button" }, text);
      element.addEventListener("click", () => press(element));
      return element;
    };
    const toggle = (text, name) => {
      const element = button(text, () => {
        this[name] = !this[name];
        element.setAttribute("aria-pressed", this[name]);
        this.redraw();
      });
      element.setAttribute("aria-pressed", "false");
      return element;
    };
    this.reset = button("All runs", () => this.show(0, this.end));
    this.count = make("output", { class: "vp-count" });
    const parts = [this.reset];
    if (!this.values.some((value) => value <= 0)) parts.push(toggle("Log scale", "isLog"));
    if (this.minutes.at(-1) > this.minutes[0]) parts.push(toggle("By date", "byDate"));
    const hint = make("small", {}, "Zoom: drag, Shift+arrows and Enter, or + and −");
    return make("div", { class: "vp-tools vp-plot" }, ...parts, this.count, hint);
  }

  /** Every value as a table, made when it is first asked for. */
  table() {
    const name = `Every value of ${this.end + 1} runs`;
    const details = make("details", {}, make("summary", {}, name));
    const unit = this.unit && `, ${this.unit}`;
    const row = (texts) => make("tr", {}, ...texts.map((text, i) => make(i ? "td" : "th", i ? {} : { scope: "row" }, text)));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      const rows = this.names.map((run, i) => {
        const numbers = [this.values[i], this.low[i], this.high[i], this.counts[i]];
        const texts = numbers.map((value) => (Number.isFinite(value) ? value : "–"));
        return row([this.links[i] ? make("a", { href: this.links[i] }, run) : run, ...texts]);
      });
      const heads = ["Run", `Value${unit}`, `Low${unit}`, `High${unit}`, "Processes"];
      const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
      const table = make("table", {}, make("caption", {}, name),
        make("thead", {}, head), make("tbody", {}, ...rows.reverse()));
      const label = { role: "group", "aria-label": name, tabindex: "0" };
      details.append(make("div", { class: "vp-wide vp-tall", ...label }, table));
      new LiveTable(table);
    });
    return details;
  }

  describe(i) {
    const [low, high] = [this.low[i], this.high[i]];
    const [factor, unit] = scaleOf(high, this.unit);
    const ends = `${formatNumber(low * factor)} to ${formatNumber(high * factor)}\u202f${unit}`;
    const value = formatQuantity(this.values[i], this.unit);
    return `${this.names[i]}: ${value}${low < high ? ` (${ends})` : ""}, processes: ${this.counts[i]}`;
  }

  show(first, last) {
    const run = this.view[0] + this.state.at;
    const width = Math.min(this.end, Math.max(2, last - first));
    const from = Math.min(Math.max(0, first), this.end - width);
    this.view = [from, from + width];
    this.anchor = null;
    this.redraw();
    if (this.state.at >= 0) this.state.at = Math.min(width, Math.max(0, run - from));
  }

  shown() {
    const [first, last] = this.view;
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }

  pick(low, high) {
    const inside = this.shown().filter((i) => this.place(i) >= low && this.place(i) <= high);
    if (inside.length) this.show(inside[0], inside.at(-1));
  }

  /** Keys of its own; return whether it took this one. */
  press({ key, shiftKey }) {
    const { state, anchor } = this;
    const [first, last] = this.view;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    const at = Math.max(0, state.at);
    if (step && shiftKey) {
      this.anchor ??= at;
      state.go(at + step);
      showBrush(this.svg, this.plot, state.marks[this.anchor].x, state.marks[state.at].x);
      return true;
    }
    if (key === "Shift") return false;
    this.anchor = null;
    hideBrush(this.svg);
    if (key === "Enter" && anchor !== null) this.show(first + Math.min(anchor, at), first + Math.max(anchor, at));
    else if (/^[-+=]$/.test(key)) {
      const half = Math.ceil((last - first) * (key === "-" ? 1 : 0.25));
      this.show(first + at - half, first + at + half);
    } else {
      if (key === "Escape" && anchor === null) this.show(0, this.end);
      return false;
    }
    state.go(state.at);
    return true;
  }

  /** The place of an index, or of the middle between two, in minutes or in runs. */
  place(index) {
    if (!this.byDate) return index;
    const at = Math.min(this.end, Math.max(0, index));
    return (this.minutes[Math.floor(at)] + this.minutes[Math.ceil(at)]) / 2;
  }

  xAxis() {
    const [first, last] = this.view;
    const [low, high] = [this.place(first), this.place(last)];
    const room = this.byDate ? Math.max(1, (high - low) / 100) : 0.5;
    const most = Math.max(2, Math.min(last - first + 1, Math.floor(this.width / 150)));
    const day = (index) => this.names[index].split(", ")[0];
    const isOneDay = day(first) === day(last); // then commits, and hours, tell them apart
    const ticks = Array.from({ length: most }, (_, n) => {
      const value = low + (n / (most - 1)) * (high - low);
      if (!this.byDate) return [Math.round(value), this.names[Math.round(value)].split(", ").at(isOneDay ? -1 : 0)];
      const time = new Date((this.svg.dataset.start * 1 + value) * 6e4).toISOString();
      return [value, isOneDay ? time.slice(11, 16) : time.slice(0, 10)];
    });
    return { low: low - room, high: high + room, ticks };
  }

  redraw() {
    const { svg, values } = this;
    this.width = svg.clientWidth;
    if (!this.width || this.end < 0) return;
    hideTip(svg);
    const shown = this.shown();
    const x = this.xAxis();
    const levels = this.levels
      .map(([from, to, value]) => [Math.max(from, this.view[0] - 0.5), Math.min(to, this.view[1] + 0.5), value])
      .filter(([from, to]) => from < to);
    const known = [...shown.map((i) => values[i]), ...levels.map((level) => level[2])].filter(Number.isFinite);
    const ends = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    const plot = new Plot(svg, {
      width: Math.max(260, this.width), height: this.height, x,
      y: (this.isLog ? logAxis : linearAxis)(...ends, this.unit),
      yTitle: [svg.dataset.metric, this.isLog && "logarithmic"].filter(Boolean).join(", "),
    });
    for (const [index, name] of this.changes) {
      if (index > this.view[0] && index <= this.view[1]) plot.vertical(this.place(index - 0.5), name);
    }
    const dots = shown.filter((i) => Number.isFinite(values[i]));
    const intervals = dots.filter((i) => this.low[i] < this.high[i]);
    plot.ranges(intervals.map((i) => [this.place(i), this.low[i], this.high[i]]), "new");
    plot.dots(dots.map((i) => [this.place(i), values[i]]), "new");
    for (const [from, to, value] of levels) {
      plot.line([from, to].map((end) => [this.place(end), value]), "base");
    }
    this.plot = plot;
    this.reset.disabled = shown.length > this.end;
    this.count.textContent = this.reset.disabled ? "" : `${shown.length} of ${this.end + 1} runs`;
    setMarks(svg, shown.map((i) => {
      return { ...plot.at(this.place(i), values[i] || 0), text: this.describe(i), link: this.links[i] };
    }));
  }
}

function enliveTrends(root) {
  for (const svg of root.querySelectorAll("svg[data-values]:not(.vp-live)")) new LiveTrend(svg);
}
