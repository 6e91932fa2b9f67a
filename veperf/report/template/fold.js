/* Tables of cases: folding, small multiples, what the forest plots in their cells say. */
const LEAST_FOLDED = 4;

/** Cases of one benchmark become one row; those that need attention stay in sight. */
function foldCases(table) {
  for (const [first, end] of neighbours(table.names, LEAST_FOLDED)) {
    const group = table.rows.slice(first, end);
    const folded = group.slice(1).filter((row) => ![0, 1].includes(toneOf(row)));
    const hasParameters = table.names.slice(first, end).some((name) => name.includes("["));
    if (folded.length < LEAST_FOLDED - 1 || !hasParameters) continue; // runs of one minute are alike, too
    const label = `${folded.length} more cases`;
    const name = `${label} of ${benchmarkOf(table.names[first])}`;
    const button = make("button", { type: "button", "aria-expanded": "false", "aria-label": name }, label);
    const part = make("span", { class: "vp-fold" }, button);
    table.header(group[0]).append(part);
    const fold = { button, parts: [part, ...addMultiple(table, group)], folded, isOpen: false };
    button.addEventListener("click", () => {
      fold.isOpen = !fold.isOpen;
      button.setAttribute("aria-expanded", String(fold.isOpen));
      table.refresh();
    });
    table.folds.push(fold);
  }
  table.refresh();
}

/** The text of a cell without its status, in which there may be a number. */
function valueText(cell) {
  const status = cell.querySelector(":scope > .vp-badge")?.textContent ?? "";
  return cellText(cell).replace(status, "").trim();
}

/** A small multiple: a column for each case, as high as its value, the first on the left. */
function addMultiple(table, group) {
  const column = [...group[0].cells].findIndex(
    (cell) => cell !== table.header(group[0]) && quantity(valueText(cell)) !== null,
  );
  const texts = column < 0 ? [] : group.map((row) => valueText(row.cells[column]));
  const values = texts.map((text) => Math.max(0, quantity(text) ?? 0));
  const most = Math.max(0, ...values);
  if (!(most > 0 && most < Infinity)) return [];
  const svg = draw("svg", { class: "vp-multiple", viewBox: "0 0 120 18", "aria-hidden": "true" });
  const wide = 120 / values.length;
  const bars = values.map((value, i) => `M${(i + 0.5) * wide} 18v${-Math.max(1, (17 * value) / most)}`);
  svg.append(draw("path", { d: bars.join(""), "stroke-width": Math.min(8, wide * 0.7) }));
  const order = sortedIndices(texts, false);
  const ends = `all: ${texts[order[0]]} to ${texts[order.at(-1)]}`;
  const part = make("span", { class: "vp-fold" }, svg, make("small", {}, ends));
  group[0].cells[column].append(part);
  const first = table.rows.indexOf(group[0]);
  setMarks(svg, texts.map((text, i) => {
    return { x: (i + 0.5) * wide, y: 9, text: `${table.names[first + i]}: ${text}`, link: "" };
  }));
  return [part];
}

/** A forest plot's change and interval, with the values and pairs in the cells beside it. */
function forestMarks(svg) {
  const row = svg.closest("tr");
  const head = row?.querySelector("th");
  const beside = [...(row?.cells ?? [])].filter((cell) => /^(Before|Now|Base|New|Pairs)$/.test(cell.dataset.name));
  const facts = beside.map((cell) => `${cell.dataset.name.toLowerCase()} ${cellText(cell)}`);
  const text = [head && cellText(head), svg.dataset.marks, ...facts].filter(Boolean).join("; ");
  return [{ x: 60, y: 8, link: "", text }];
}
