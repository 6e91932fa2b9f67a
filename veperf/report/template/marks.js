/* Marks of charts: each can be asked, by pointer and by arrow keys, and leads where it has a page. */
const NEAR = 14;

/** Points of a path of dots: each dot is a stroke of no length. */
function dotsOf(path) {
  const pairs = path.getAttribute("d").matchAll(/M(-?[\d.]+) (-?[\d.]+)h0/g);
  return [...pairs].map((match) => ({ x: Number(match[1]), y: Number(match[2]) }));
}

/** What a place on a linear axis is worth, to a place's tenth; null where there are no two ticks. */
function axisReader(svg) {
  const texts = [...svg.querySelectorAll("text[text-anchor]")];
  const ticks = texts
    .filter((text) => text.getAttribute("text-anchor") === "middle")
    .map((text) => [Number(text.getAttribute("x")), quantity(text.textContent)])
    .filter(([, value]) => value !== null);
  if (ticks.length < 2) return null;
  const [[x0, v0], [x1, v1]] = [ticks[0], ticks.at(-1)];
  const unit = [...svg.querySelectorAll("text:not([text-anchor])")].at(0)?.textContent ?? "";
  const step = Math.abs((v1 - v0) / (x1 - x0)) / 10;
  const digits = Math.max(0, Math.min(6, Math.floor(-Math.log10(step))));
  return (x) => `${(v0 + ((x - x0) * (v1 - v0)) / (x1 - x0)).toFixed(digits)}\u202f${unit}`;
}

/** `link` if it leads to a page beside this one, as those of texts from elsewhere may not. */
function beside(link) {
  return link && new URL(link, location.href).protocol === location.protocol ? link : "";
}

/** The marks of a chart with what they say; of trends it stands beside the path. */
function marksOf(svg) {
  const marks = [];
  for (const path of svg.querySelectorAll("path.vp-dots")) {
    const dots = dotsOf(path);
    const texts = path.dataset.marks?.split("|");
    const links = path.dataset.links?.split("|") ?? [];
    if (texts) {
      dots.forEach((dot, i) => marks.push({ ...dot, text: texts[i] ?? "", link: beside(links[i] ?? "") }));
    } else if (!svg.classList.contains("vp-chart")) {
      const read = axisReader(svg);
      const label = path.parentElement.previousElementSibling?.textContent ?? "";
      const group = path.parentElement;
      const bar = group.querySelector(".vp-bar")?.getAttribute("d").match(/M([\d.]+) [\d.]+H([\d.]+)/);
      const middle = group.querySelector(".vp-middle")?.getAttribute("d").match(/M([\d.]+)/);
      const median = read && middle ? `; median ${read(Number(middle[1]))}` : "";
      const interval = read && bar ? `, ${read(Number(bar[1]))} to ${read(Number(bar[2]))}` : "";
      dots.forEach((dot, i) => {
        const value = read ? `: ${read(dot.x)}` : "";
        const text = `${label}, process ${i + 1} of ${dots.length}${value}${median}${median && interval}`;
        marks.push({ ...dot, text, link: "" });
      });
    }
  }
  return marks;
}

function enliveMarks() {
  const tip = make("div", { class: "vp-tip", role: "status" });
  const ring = draw("circle", { class: "vp-ring", r: 6 });
  document.body.append(tip);
  const hide = () => {
    tip.classList.remove("vp-on");
    ring.remove();
  };
  const tell = (svg, mark) => {
    const at = new DOMPoint(mark.x, mark.y).matrixTransform(svg.getScreenCTM());
    if (tip.textContent !== mark.text) tip.textContent = mark.text;
    tip.classList.add("vp-on");
    const left = Math.min(at.x + 12, document.documentElement.clientWidth - tip.offsetWidth - 4);
    const above = at.y - tip.offsetHeight - 10;
    tip.style.left = `${Math.max(4, left) + scrollX}px`;
    tip.style.top = `${(above > 4 ? above : at.y + 14) + scrollY}px`;
    ring.setAttribute("cx", mark.x);
    ring.setAttribute("cy", mark.y);
    svg.append(ring);
  };
  for (const svg of document.querySelectorAll("main svg.vp-strip")) {
    const marks = marksOf(svg);
    if (!marks.length) continue;
    let at = -1;
    svg.setAttribute("tabindex", "0");
    svg.setAttribute("aria-keyshortcuts", "ArrowRight ArrowLeft");
    svg.addEventListener("focus", () => {
      at = Math.max(at, 0);
      if (svg.matches(":focus-visible")) tell(svg, marks[at]);
    });
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const last = marks.length - 1;
      const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: last }[event.key];
      if (event.key === "Enter" && marks[at]?.link) location.assign(marks[at].link);
      if (event.key === "Escape") hide();
      if (next === undefined) return;
      at = Math.min(last, Math.max(0, next));
      tell(svg, marks[at]);
      event.preventDefault();
    });
    const nearest = (event) => {
      const scale = svg.getScreenCTM();
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(scale.inverse());
      const away = marks.map((mark) => Math.hypot(mark.x - place.x, mark.y - place.y) * scale.a);
      const index = away.indexOf(Math.min(...away));
      return away[index] <= NEAR ? index : -1;
    };
    svg.addEventListener("pointermove", (event) => {
      const index = nearest(event);
      svg.classList.toggle("vp-goes", Boolean(marks[index]?.link));
      if (index < 0) return hide();
      at = index;
      tell(svg, marks[index]);
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("click", (event) => {
      const mark = marks[nearest(event)];
      if (mark?.link) location.assign(mark.link);
    });
  }
}
