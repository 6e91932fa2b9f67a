/* Drawing of charts that change while they are looked at: axes, dots, lines, a brush. */
const FAMILIES = [["ns", "µs", "ms", "s"], ["B", "KiB", "MiB", "GiB", "TiB"]];
const PLOT = { right: 18, top: 34, bottom: 24, line: 12, gap: 8, brush: 6 };

/** Factor and unit by which `value`, which is in `unit`, reads well. */
function scaleOf(value, unit) {
  const family = FAMILIES.find((units) => units.includes(unit));
  if (!family || !Number.isFinite(value)) return [1, unit];
  const base = Math.abs(value) * SCALES[unit];
  const best = family.findLast((name) => SCALES[name] <= base * (1 + 1e-12)) ?? family[0];
  return [SCALES[unit] / SCALES[best], best];
}

/** `value` to so many significant digits: 0.00123, 31.2, 5,120. */
function formatNumber(value, digits = 3) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (!size) return "0";
  const options = { minimumSignificantDigits: digits, maximumSignificantDigits: digits };
  const isFar = size < 1e-4 || size >= 1e10;
  const text = isFar ? value.toExponential(digits - 1) : value.toLocaleString("en", options);
  return text.replaceAll("-", "−");
}

/** `value` with its unit: 31,200 ns is 31.2 µs. */
function formatQuantity(value, unit, digits = 3) {
  const [factor, name] = scaleOf(value, unit);
  return formatNumber(value * factor, digits) + (name && "\u202f") + name;
}

/** The next step of 1, 2, 2.5 or 5 times a power of ten. */
function roundStep(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * [1, 2, 2.5, 5, 10].find((m) => power * m >= step * 0.999);
}

/** An axis around low and high that need not include zero: noise must not fill the picture. */
function linearAxis(low, high, unit, most = 5) {
  const size = Math.max(Math.abs(low), Math.abs(high), 1e-12);
  const room = Math.max(0.08 * (high - low), 0.01 * size);
  const axis = { low: low - room, high: high + room, isLog: false, ticks: [] };
  const step = roundStep((axis.high - axis.low) / most);
  const digits = Math.min(9, Math.max(2, Math.ceil(Math.log10(size / step)) + 1));
  for (let n = Math.ceil(axis.low / step); n * step <= axis.high; n += 1) {
    axis.ticks.push([n * step, n ? formatQuantity(n * step, unit, digits) : "0"]);
  }
  return axis;
}

/** A logarithmic axis around low and high, which are above zero. */
function logAxis(low, high, unit) {
  if (high / low < 4) {
    const { ticks, ...ends } = linearAxis(low, high, unit);
    return { ...ends, isLog: true, ticks };
  }
  const axis = { low: low / 1.1, high: high * 1.1, isLog: true, ticks: [] };
  const decades = Math.log10(high / low);
  const by = 10 ** Math.ceil(decades / 6);
  for (let power = 10 ** Math.floor(Math.log10(low)); power <= axis.high; power *= by) {
    for (const step of decades > 3 ? [1] : [1, 2, 5]) {
      const at = step * power;
      if (at >= axis.low && at <= axis.high) axis.ticks.push([at, formatQuantity(at, unit, 2)]);
    }
  }
  return axis;
}

/** A drawing in `svg`, in CSS pixels; what lies beyond an axis is drawn at its end, as an arrow. */
class Plot {
  constructor(svg, { width, height, x, y, xTitle = "", yTitle = "" }) {
    Object.assign(this, { svg, width, height, x, y, free: 0 });
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const labels = y.ticks.map(([, name]) => this.text(0, 0, name, "end"));
    this.left = Math.max(40, ...labels.map((label) => this.long(label) + PLOT.gap));
    this.right = width - PLOT.right;
    this.bottom = height - PLOT.bottom - (xTitle ? PLOT.line : 0);
    let frame = `M${this.left} ${PLOT.top}V${this.bottom}H${this.right}`;
    let free = Infinity;
    y.ticks.forEach(([value], i) => {
      const at = this.at(x.low, value).y;
      frame += `M${this.left - 3} ${at}h3`;
      labels[i].setAttribute("x", this.left - 6);
      labels[i].setAttribute("y", at + 4);
      if (free - at < PLOT.line) labels[i].remove();
      else free = at;
    });
    for (const [value, name] of x.ticks) {
      const at = this.at(value, y.low).x;
      frame += `M${at} ${this.bottom}v3`;
      this.name(at, this.bottom + 16, name);
    }
    this.path("vp-axis", frame);
    this.text(0, 11, yTitle);
    this.text(this.right, height - 3, xTitle, "end");
    this.free = 0;
  }

  share(axis, value) {
    const on = axis.isLog ? (v) => Math.log(Math.max(v, Number.MIN_VALUE)) : Number;
    return Math.min(1, Math.max(0, (on(value) - on(axis.low)) / (on(axis.high) - on(axis.low))));
  }

  /** The place of a point in the picture. */
  at(x, y) {
    const place = (low, high, share) => Number((low + share * (high - low)).toFixed(1));
    return {
      x: place(this.left, this.right, this.share(this.x, x)),
      y: place(this.bottom, PLOT.top, this.share(this.y, y)),
    };
  }

  /** The value of a linear x axis at a place in the picture. */
  valueAt(x) {
    const share = Math.min(1, Math.max(0, (x - this.left) / (this.right - this.left)));
    return this.x.low + share * (this.x.high - this.x.low);
  }

  long(label) {
    return label.getComputedTextLength();
  }

  text(x, y, name, anchor = "start") {
    const label = draw("text", { x, y, "text-anchor": anchor });
    label.textContent = name;
    this.svg.append(label);
    return label;
  }

  /** A name around `x` where it has room beside the one before. */
  name(x, y, name) {
    const label = this.text(x, y, name, "middle");
    const half = this.long(label) / 2;
    const middle = Math.min(Math.max(x, half), this.width - half);
    label.setAttribute("x", middle);
    if (middle - half < this.free) label.remove();
    else this.free = middle + half + PLOT.gap;
  }

  path(names, d) {
    if (d) this.svg.append(draw("path", { class: names, d }));
  }

  dots(points, kind) {
    const places = points.map(([x, y]) => this.at(x, y));
    this.path(`vp-dots vp-${kind}`, places.map(({ x, y }) => `M${x} ${y}h0`).join(""));
  }

  line(points, kind) {
    const places = points.map(([x, y]) => this.at(x, y));
    this.path(`vp-line vp-${kind}`, places.map(({ x, y }, i) => `${i ? "L" : "M"}${x} ${y}`).join(""));
  }

  /** Upright intervals: [[x, low, high]]. */
  ranges(intervals, kind) {
    const { low: least, high: most } = this.y;
    const ends = intervals.map(([x, low, high]) => [this.at(x, low), this.at(x, high), low < least, high > most]);
    this.path(`vp-range vp-${kind}`, ends.map(([from, to]) => `M${from.x} ${from.y}V${to.y}`).join(""));
    const arrows = ends.map(([from, to, isBelow, isAbove]) =>
      (isBelow ? `M${from.x} ${from.y}m-3-3l3 3l3-3` : "") + (isAbove ? `M${to.x} ${to.y}m-3 3l3-3l3 3` : ""));
    this.path(`vp-arrow vp-${kind}`, arrows.join(""));
  }

  /** A dashed line over the whole height, and its name on top where there is room for it. */
  vertical(x, name) {
    const at = this.at(x, this.y.low).x;
    this.path("vp-limit vp-quiet", `M${at} ${PLOT.top}V${this.bottom}`);
    this.name(at, PLOT.top - 6, name);
  }
}

/**
 * Let a stretch of the x axis be picked by pointer: pick(low, high) is called in its units. A finger
 * that goes up or down scrolls the page, which cancels.
 */
function brush(svg, plotOf, pick) {
  let from = null;
  const place = (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return Math.min(plotOf().right, Math.max(plotOf().left, at.x));
  };
  svg.addEventListener("pointerdown", (event) => {
    if (!event.button && event.isPrimary) from = place(event);
  });
  svg.addEventListener("pointermove", (event) => {
    if (from === null || Math.abs(place(event) - from) < PLOT.brush) return;
    svg.setPointerCapture(event.pointerId);
    showBrush(svg, plotOf(), from, place(event));
  });
  const stop = (event) => {
    const [low, high] = [from, place(event)].sort((a, b) => a - b);
    const isPicked = from !== null && event.type === "pointerup" && high - low >= PLOT.brush;
    from = null;
    hideBrush(svg);
    if (isPicked) pick(plotOf().valueAt(low), plotOf().valueAt(high));
  };
  svg.addEventListener("pointerup", stop);
  svg.addEventListener("pointercancel", stop);
}

function showBrush(svg, plot, from, to) {
  hideBrush(svg);
  const [x, width] = [Math.min(from, to), Math.abs(to - from)];
  svg.append(draw("rect", { class: "vp-brush", x, width, y: PLOT.top, height: plot.bottom - PLOT.top }));
}

function hideBrush(svg) {
  svg.querySelector(".vp-brush")?.remove();
}
