/* Two runs side by side: their reader chooses which, and the medians of all are in the page. */

/** A ratio as a signed change, as the other tables have it; a dash without both values. */
function changeText(before, after) {
  const [old, now] = [quantity(before), quantity(after)];
  if (!(old > 0) || now === null) return "–";
  const size = Math.abs(now / old - 1) * 100;
  const digits = size < 99.95 ? size.toFixed(1) : size.toFixed(0);
  const sign = digits === "0.0" ? "±" : now > old ? "+" : "−";
  return `${sign}${digits}\u202f%`;
}

function enliveComparison() {
  const place = document.querySelector("main .vp-compare");
  const medians = [...(place?.querySelectorAll(".vp-medians li") ?? [])].map((item) =>
    item.textContent.split("|"),
  );
  const runs = [...(place?.querySelectorAll(".vp-runs tbody tr") ?? [])];
  if (runs.length < 2 || runs.length !== medians.length) return;
  const ids = medians.map(([id]) => id);
  const command = place.querySelector("p code");
  const result = place.querySelector(".vp-runs ~ .vp-scroll table");
  const cases = [...result.tBodies[0].rows];
  const chosen = [1, 0]; // before and after: the rows are the newest first
  const radios = ["Before", "After"].map((name, side) => {
    runs[0].closest("table").tHead.rows[0].append(make("th", { scope: "col" }, name));
    return runs.map((row, index) => {
      const label = `${name}: run ${ids[index]}`;
      const radio = make("input", { type: "radio", name: `vp-${name}`, "aria-label": label });
      row.append(make("td", { "data-name": name }, radio));
      radio.addEventListener("change", () => {
        chosen[side] = index;
        update();
        history.replaceState(null, "", `#${encodeURIComponent(ids[chosen[0]])}..${encodeURIComponent(ids[chosen[1]])}`);
      });
      return radio;
    });
  });
  const update = () => {
    chosen.forEach((index, side) => (radios[side][index].checked = true));
    const [before, after] = chosen.map((index) => medians[index]);
    command.textContent = `veperf compare ${before[0]} ${after[0]}`;
    result.caption.textContent = `${before[0]} and ${after[0]}`;
    cases.forEach((row, index) => {
      const texts = [before[index + 1] || "–", after[index + 1] || "–"];
      [...texts, changeText(...texts)].forEach((text, at) => (row.cells[at + 1].textContent = text));
    });
  };
  /** What the address names: two runs, or one, which is held against the one before it. */
  const follow = () => {
    const [first, second] = location.hash.slice(1).split("..").map((part) => {
      try {
        return ids.indexOf(decodeURIComponent(part).replace(/^run-/, ""));
      } catch {
        return -1; // half an escape
      }
    });
    if (first < 0) return;
    if (second === undefined) chosen.splice(0, 2, Math.min(first + 1, ids.length - 1), first);
    else if (second >= 0) chosen.splice(0, 2, first, second);
    update();
  };
  const shownBefore = ids.indexOf(command.textContent.split(" ")[2]);
  if (shownBefore > 0) chosen[0] = shownBefore;
  update();
  follow();
  addEventListener("hashchange", follow);
}
