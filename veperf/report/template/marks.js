/* Marks of charts: each can be asked, by pointer and by keys, and leads where it has a page. */
const NEAR = 14;
const STATES = new WeakMap();
const TIPS = new WeakMap();

/** `link` if it leads to a page beside this one, as those of texts from elsewhere may not. */
function beside(link) {
  return link && new URL(link, location.href).protocol === location.protocol ? link : "";
}

/** The marks of a path that was written with an entry of `data-marks` for each of its points. */
function writtenMarks(path) {
  const texts = path.dataset.marks?.split("|") ?? [];
  const links = path.dataset.links?.split("|") ?? [];
  const points = [...path.getAttribute("d").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)];
  return points.map(([, x, y], i) => {
    return { x: Number(x), y: Number(y), text: texts[i] ?? "", link: beside(links[i]), path };
  });
}

/** Values of a strip's processes or a sparkline's runs: numbers in the unit of their picture. */
function valueMarks(path, nameOf) {
  const { unit } = path.ownerSVGElement.dataset;
  const marks = writtenMarks(path);
  return marks.map((mark, i) => ({ ...mark, text: `${nameOf(i, marks.length)}: ${mark.text}\u202f${unit}` }));
}

/** The dots of a strip: process and value, and behind them the median with its interval. */
function stripMarks(svg) {
  return [...svg.querySelectorAll("path.vp-dots")].flatMap((path) => {
    const group = path.parentElement;
    const name = group.previousElementSibling?.textContent ?? "";
    const marks = valueMarks(path, (i, n) => `${name}, process ${i + 1} of ${n}`);
    const { median } = group.dataset;
    return marks.map((mark) => ({ ...mark, text: mark.text + (median ? `; median ${median}` : "") }));
  });
}

function sparkMarks(svg) {
  return valueMarks(svg.querySelector(".vp-past"), (i, n) => {
    const earlier = n - 1 - i;
    return earlier ? `${earlier} run${earlier > 1 ? "s" : ""} earlier` : "this run";
  });
}

function marksOf(svg) {
  if (svg.matches(".vp-forest")) return typeof forestMarks === "function" ? forestMarks(svg) : [];
  if (svg.matches(".vp-spark")) return sparkMarks(svg);
  if (svg.dataset.unit) return stripMarks(svg);
  const marks = [...svg.querySelectorAll("path[data-marks]")].flatMap(writtenMarks);
  return marks.sort((a, b) => a.x - b.x);
}

/** What tells the marks of all charts that stand in the same page or cell as `svg`. */
function tipOf(svg) {
  const root = svg.closest(".vp-page") ?? svg.closest(".vp") ?? document.body;
  if (TIPS.has(root)) return TIPS.get(root);
  const box = make("div", { class: "vp-tip", role: "status" });
  const ring = draw("circle", { class: "vp-ring", r: 6 });
  let shown = null;
  const place = () => {
    if (!shown) return;
    const at = new DOMPoint(shown.mark.x, shown.mark.y).matrixTransform(shown.svg.getScreenCTM());
    const left = Math.min(at.x + 12, document.documentElement.clientWidth - box.offsetWidth - 4);
    const above = at.y - box.offsetHeight - 10;
    box.style.left = `${Math.max(4, left)}px`;
    box.style.top = `${above > 4 ? above : at.y + 14}px`;
  };
  const tip = {
    tell(on, mark) {
      shown = { svg: on, mark };
      if (box.textContent !== mark.text) box.textContent = mark.text;
      box.classList.add("vp-on");
      ring.setAttribute("cx", mark.x);
      ring.setAttribute("cy", mark.y);
      if (on.matches(".vp-strip, .vp-spark")) on.append(ring);
      place();
    },
    hide() {
      shown = null;
      box.classList.remove("vp-on");
      ring.remove();
    },
  };
  root.append(box);
  addEventListener("scroll", place, { capture: true, passive: true });
  TIPS.set(root, tip);
  return tip;
}

/** The mark that an event points at: its own where it fills a place, else the nearest. */
function markAt(svg, marks, event) {
  const scale = svg.getScreenCTM();
  const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(scale.inverse());
  const isFilled = event.target.matches(".vp-area, .vp-stage, .vp-meter, .vp-multiple, .vp-multiple *, .vp-forest, .vp-forest *");
  const away = marks.map((mark) => {
    if (isFilled) return mark.path && mark.path !== event.target ? Infinity : Math.abs(mark.x - place.x) / 1e3;
    return Math.hypot(mark.x - place.x, mark.y - place.y) * scale.a;
  });
  const index = away.indexOf(Math.min(...away));
  return away[index] <= NEAR ? index : -1;
}

/**
 * Let `marks` of a chart be asked: [{ x, y, text, link }] in the units of its picture, in the order
 * in which keys walk them. Called again, it replaces them. `keys(event, state)` comes first, and
 * returns whether it took a key.
 */
function setMarks(svg, marks, keys = () => false) {
  if (STATES.has(svg)) {
    const state = STATES.get(svg);
    state.marks = marks;
    state.at = Math.min(state.at, marks.length - 1);
    return state;
  }
  const tip = tipOf(svg);
  const state = { marks, at: -1 };
  STATES.set(svg, state);
  state.go = (index) => {
    state.at = Math.min(state.marks.length - 1, Math.max(0, index));
    if (state.marks.length) tip.tell(svg, state.marks[state.at]);
  };
  state.press = (event) => {
    if (keys(event, state)) return event.preventDefault();
    const last = state.marks.length - 1;
    const next = { ArrowRight: state.at + 1, ArrowLeft: state.at - 1, Home: 0, End: last }[event.key];
    if (event.key === "Enter" && state.marks[state.at]?.link) location.assign(state.marks[state.at].link);
    if (event.key === "Escape") tip.hide();
    if (next === undefined) return;
    state.go(next);
    event.preventDefault();
  };
  // In tables the rows are walked, and with them their pictures: each is no stop of its own.
  if (!svg.closest("td")) {
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-keyshortcuts", "ArrowRight ArrowLeft");
    svg.addEventListener("focus", () => svg.matches(":focus-visible") && state.go(Math.max(state.at, 0)));
    svg.addEventListener("blur", tip.hide);
    svg.addEventListener("keydown", state.press);
  }
  svg.addEventListener("pointermove", (event) => {
    const index = markAt(svg, state.marks, event);
    svg.classList.toggle("vp-goes", Boolean(state.marks[index]?.link));
    if (index < 0) tip.hide();
    else state.go(index);
  });
  svg.addEventListener("pointerleave", tip.hide);
  svg.addEventListener("click", (event) => {
    const index = markAt(svg, state.marks, event);
    if (index < 0) return;
    // A finger asks first, and goes there when it comes again.
    const isAsked = event.pointerType !== "touch" || state.touched === index;
    state.touched = index;
    state.go(index);
    if (isAsked && state.marks[index].link) location.assign(state.marks[index].link);
  });
  return state;
}

/** The last picture of a table's row answers where the row is walked to; `key` walks its marks. */
function tellRow(row, key) {
  const states = [...row.querySelectorAll("svg")].map((svg) => STATES.get(svg)).filter(Boolean);
  const state = states.at(-1);
  if (!state) return;
  if (key) state.press(key);
  else state.go(state.marks.length - 1);
}

function hideTip(element) {
  tipOf(element).hide();
}

function enliveMarks(root) {
  for (const svg of root.querySelectorAll("svg.vp-strip, svg.vp-spark, svg.vp-forest")) {
    const marks = STATES.has(svg) ? [] : marksOf(svg);
    if (marks.length) setMarks(svg, marks);
  }
}

/** All that the script adds to tables and charts in `root`; what has it already is skipped. */
function enliven(root) {
  enliveTables(root);
  if (typeof enliveTrends === "function") enliveTrends(root);
  enliveMarks(root);
}
