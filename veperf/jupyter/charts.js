/* The explorer's pictures: samples, processes, distribution, pairs, and the code. */
const KINDS = ["new", "base", "ink", "quiet"];
const HEIGHT = 280;

/** A drawing at the end of `holder`, as wide as that. */
function plotIn(holder, label, { height = HEIGHT, ...axes }) {
  const svg = draw("svg", { class: "vp-strip vp-chart vpx-plot", role: "img", "aria-label": label });
  holder.append(svg);
  return new Plot(svg, { width: Math.max(260, holder.clientWidth), height, ...axes });
}

function extent(values) {
  return [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}

/** An axis of whole numbers. */
function countAxis(low, high) {
  const step = Math.max(1, roundStep(Math.max(1, high - low) / 8));
  const ticks = [];
  for (let n = Math.ceil(low / step); n * step <= high; n += 1) {
    if (Number.isInteger(n * step)) ticks.push([n * step, (n * step).toLocaleString("en")]);
  }
  const room = Math.max(0.5, (high - low) * 0.01);
  return { low: low - room, high: high + room, isLog: false, ticks };
}

/** Let [x, y, text] be asked, from left to right; return their state. */
function markPoints(plot, points, keys) {
  const marks = points
    .map(([x, y, text]) => ({ ...plot.at(x, y), text, link: "" }))
    .sort((a, b) => a.x - b.x);
  return setMarks(plot.svg, marks, keys);
}

/** Let a stretch be brushed, by pointer or by keys: pick(low, high) in units of x; all by Escape. */
function addBrush(plot, points, pick, clear) {
  let anchor = null;
  const keys = (event, state) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && event.shiftKey) {
      anchor ??= Math.max(0, state.at);
      state.go(Math.max(0, state.at) + step);
      showBrush(plot.svg, plot, state.marks[anchor].x, state.marks[state.at].x);
      return true;
    }
    if (event.key === "Enter" && anchor !== null) {
      const ends = [anchor, state.at].sort((a, b) => a - b).map((index) => state.marks[index].x);
      pick(plot.valueAt(ends[0] - 0.5), plot.valueAt(ends[1] + 0.5));
    } else if (event.key === "Escape") clear();
    else if (!step) return false;
    anchor = null;
    hideBrush(plot.svg);
    return event.key === "Enter";
  };
  markPoints(plot, points, keys);
  brush(plot.svg, () => plot, pick);
  plot.svg.setAttribute("aria-keyshortcuts", "ArrowRight ArrowLeft Shift+ArrowRight Shift+ArrowLeft Enter Escape");
}

/** The stretch that is brushed stays in sight. */
function showRange(plot, low, high) {
  const [from, to] = [low, high].map((x) => plot.at(x, plot.y.low).x);
  const rect = { class: "vpx-range", x: from, width: Math.max(1, to - from), y: PLOT.top, height: plot.bottom - PLOT.top };
  plot.svg.prepend(draw("rect", rect));
}

function note(text) {
  return make("p", { class: "vpx-note" }, text);
}

function clockOf(part) {
  return part.clock ? `${part.clock === "cpu" ? "CPU" : "wall"} time an operation` : "value";
}

/** Parts with their colours, those without a value left out. */
function colouredParts(view, key) {
  return view.series.map((part, i) => ({ ...part, kind: KINDS[i] })).filter((part) => part[key].length);
}

const HOW_TO_BRUSH = "To brush: drag, or Shift+→ and Enter; Escape clears.";

/** Every sample in the order of measuring; a line where a process begins, of the first run. */
function drawSamples(explorer, holder) {
  const view = explorer.answer;
  const parts = colouredParts(view, "values");
  if (!parts.length) return holder.append(note(`There is no value of ${view.metric || "it"} yet.`));
  const { unit } = parts[0];
  const last = Math.max(...parts.map((part) => part.samples - 1));
  const y = linearAxis(...extent(parts.flatMap((part) => part.values)), unit);
  const plot = plotIn(holder, `Samples of ${view.benchmark}`, {
    x: countAxis(0, last), y, xTitle: "sample, in order of measuring", yTitle: clockOf(parts[0]),
  });
  const { owners, order } = parts[0];
  owners.forEach((owner, i) => i && owner !== owners[i - 1] && plot.vertical(order[i] - 0.5, ""));
  for (const part of parts) plot.dots(part.values.map((value, i) => [part.order[i], value]), part.kind);
  const points = parts.flatMap((part) =>
    part.values.map((value, i) => {
      const name = parts.length > 1 ? `${part.run}: ` : "";
      const text = `${name}${formatQuantity(value, unit)}, sample ${part.order[i]}, process ${part.owners[i]}`;
      return [part.order[i], value, text];
    }),
  );
  const pick = (low, high) => explorer.set({ brush: [Math.ceil(low), Math.floor(high), y.low, y.high] });
  addBrush(plot, points, pick, () => explorer.set({ brush: [] }));
  const [first, end] = explorer.model.get("brush");
  if (end !== undefined && end - first < last) showRange(plot, first - 0.5, end + 0.5);
  const thinned = parts
    .filter((part) => part.values.length < part.samples)
    .map((part) => `${part.values.length.toLocaleString("en")} of ${part.samples.toLocaleString("en")} samples are drawn.`);
  holder.append(note(["A line stands between processes.", HOW_TO_BRUSH, ...thinned].join(" ")));
}

/** The value of each process; the state of the machine is in the tip. */
function drawProcesses(explorer, holder) {
  const view = explorer.answer;
  const parts = colouredParts(view, "processes");
  const known = parts.flatMap((part) => part.processes.filter((p) => p.value !== null));
  if (!known.length) return holder.append(note("No process has a value yet."));
  const plot = plotIn(holder, `Processes of ${view.benchmark}`, {
    x: countAxis(...extent(known.map((process) => process.index))),
    y: linearAxis(...extent(known.map((process) => process.value)), parts[0].unit),
    xTitle: "process, in order of measuring", yTitle: "process value",
  });
  const points = [];
  for (const part of parts) {
    const measured = part.processes.filter((p) => p.value !== null);
    plot.dots(measured.map((p) => [p.index, p.value]), part.kind);
    for (const p of measured) points.push([p.index, p.value, parts.length > 1 ? `${part.run}, ${p.words}` : p.words]);
  }
  markPoints(plot, points);
  const failed = parts.flatMap((part) => part.processes.filter((p) => p.value === null));
  holder.append(...failed.map((process) => note(process.words)));
}

/** The empirical distribution function: the share of samples up to each value. */
function drawDistribution(explorer, holder) {
  const view = explorer.answer;
  const parts = colouredParts(view, "quantiles");
  if (!parts.length) return holder.append(note("There is no value yet."));
  const { unit } = parts[0];
  const shares = [0, 25, 50, 75, 100].map((percent) => [percent / 100, `${percent} %`]);
  const plot = plotIn(holder, `Distribution of ${view.benchmark}`, {
    x: linearAxis(...extent(parts.flatMap((part) => part.quantiles)), unit),
    y: { low: -0.02, high: 1.02, isLog: false, ticks: shares },
    xTitle: clockOf(parts[0]), yTitle: "share of samples up to it",
  });
  const points = [];
  for (const part of parts) {
    const steps = Math.max(1, part.quantiles.length - 1);
    plot.line(part.quantiles.map((value, i) => [value, i / steps]), part.kind);
    for (const percent of [0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100]) {
      const value = part.quantiles[Math.round((percent / 100) * steps)];
      const name = parts.length > 1 ? `${part.run}: ` : "";
      points.push([value, percent / 100, `${name}${percent} % up to ${formatQuantity(value, unit)}`]);
    }
  }
  const last = Math.max(...parts.map((part) => part.samples - 1));
  const pick = (low, high) => explorer.set({ brush: [0, last, low, high] });
  addBrush(plot, points, pick, () => explorer.set({ brush: [] }));
  const edges = explorer.model.get("brush");
  if (edges.length === 4 && edges[1] - edges[0] >= last) showRange(plot, edges[2], edges[3]);
  holder.append(note(`Values are brushed here. ${HOW_TO_BRUSH}`));
}

/** The change in each pair of a comparison; the pair that is picked shows its samples. */
function drawPairs(explorer, holder) {
  const view = explorer.pairs;
  if (!explorer.model.get("comparison") || !view) {
    return holder.append(note("Choose an A/B comparison under “Verdict of” to see its pairs."));
  }
  if (!view.pairs.length) return holder.append(note(view.absent ?? "The benchmark has no pair."));
  const ratios = view.pairs.map((pair) => (view.flipped ? pair.base / pair.new : pair.new / pair.base));
  const changes = ratios.map((ratio) => 100 * (ratio - 1));
  const interval = [view.low, view.high].filter((end) => end !== null).map((end) => 100 * (end - 1));
  const margin = 100 * view.margin;
  holder.append(make("p", {}, view.reason));
  const plot = plotIn(holder, `Pairs of ${view.benchmark}`, {
    x: countAxis(1, changes.length), y: linearAxis(...extent([...changes, ...interval, 0, margin]), "%"),
    xTitle: "pair, in order of measuring", yTitle: "worse than base",
  });
  const across = (value, kind) => plot.line([[plot.x.low, value], [plot.x.high, value]], kind);
  across(0, "quiet");
  across(margin, "base");
  interval.forEach((end) => across(end, "ink"));
  plot.dots(changes.map((change, i) => [i + 1, change]), "new");
  const samples = make("div");
  const choice = make("select", { "aria-label": "Pair" });
  choice.append(...view.pairs.map((_, i) => option(String(i), `pair ${i + 1}`, !i)));
  const pick = (index) => {
    choice.value = String(index);
    samples.replaceChildren();
    drawPairSamples(view, index, samples);
  };
  const points = changes.map((change, i) => [i + 1, change, pairText(view, i, change)]);
  const state = markPoints(plot, points, (event, { at }) => {
    if (event.key !== "Enter" || at < 0) return false;
    pick(at);
    return true;
  });
  plot.svg.addEventListener("click", () => state.at >= 0 && pick(state.at));
  choice.addEventListener("change", () => pick(Number(choice.value)));
  const code = button("To the code", {}, () => explorer.set({ view: "code" }));
  const lines = "Lines: no change (grey), the margin (brown), the interval of the change (black or white).";
  holder.append(note(`${lines} Click a pair, or press Enter, to see its samples.`));
  holder.append(labelled("Samples of", choice), samples, code);
  pick(0);
}

function pairText(view, index, change) {
  const pair = view.pairs[index];
  const sides = `${formatQuantity(pair.base, view.unit)} before, ${formatQuantity(pair.new, view.unit)} after`;
  const text = `pair ${index + 1}: ${change > 0 ? "+" : ""}${change.toFixed(2)} %`;
  return [text, sides, pair.words].filter(Boolean).join(", ");
}

/** Samples of both sides of a pair, a row of dots each. */
function drawPairSamples(view, index, holder) {
  const pair = view.pairs[index];
  const sides = [["before", pair.base_samples, "base", 1], ["after", pair.new_samples, "new", 0]];
  const values = sides.flatMap(([, samples]) => samples);
  if (!values.length) return holder.append(note("The comparison has kept no samples of this pair."));
  const y = { low: -0.5, high: 1.5, isLog: false, ticks: [[0, "after"], [1, "before"]] };
  const plot = plotIn(holder, `Samples of pair ${index + 1}`, {
    height: 140, x: linearAxis(...extent(values), view.unit), y, xTitle: "value an operation",
  });
  const points = sides.flatMap(([name, samples, kind, at]) => {
    plot.dots(samples.map((value) => [value, at]), kind);
    return samples.map((value) => [value, at, `${name}: ${formatQuantity(value, view.unit)}`]);
  });
  markPoints(plot, points);
}

/** The flamegraph of the code as it is now, when it is asked for, and the call that makes one. */
function drawCode(explorer, holder) {
  const benchmark = explorer.model.get("benchmark");
  const call = `veperf.cpu.profile(${JSON.stringify(benchmark)})`;
  const result = make("div", { class: "vpx-flame" });
  const sample = button("Sample it for a second", { class: "vpx-sample" }, async () => {
    sample.disabled = true;
    result.textContent = "Sampling…";
    const answer = await explorer.ask("profile", { benchmark });
    sample.disabled = false;
    result.textContent = "";
    if (!answer) return;
    result.innerHTML = answer.html; // made by veperf, which has escaped every name in it
    enliven(explorer.root);
  });
  const hot = explorer.answer.hot_lines.map((line) => make("li", {}, line));
  if (hot.length) holder.append(make("p", {}, "Kept by the run, of calls that missed their limit:"), make("ul", {}, ...hot));
  const what = "The CPU time of the code as it is now, by function: the benchmark runs once more, in a fresh process.";
  holder.append(note(what), make("p", {}, sample, " or in a cell: ", make("code", {}, call)), result);
}
