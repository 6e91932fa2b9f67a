/* A filter for all cases of a page, by text, status and level. */
const LEAST_FILTERED = 6;

/** Level by case, from what carries it. */
function levels() {
  const known = new Map();
  for (const element of document.querySelectorAll("main [data-level]")) {
    const name = element.matches("th") ? cellText(element) : element.querySelector("h3")?.textContent;
    known.set((name ?? "").trim(), element.dataset.level);
  }
  return known;
}

function levelOf(name, known) {
  return known.get(name) ?? known.get(benchmarkOf(name)) ?? known.get(name.split(" ")[0]);
}

function choice(label, words) {
  const select = make("select", { "aria-label": label }, make("option", { value: "" }, label));
  select.append(...words.map((word) => make("option", { value: word }, word)));
  select.hidden = words.length < 2;
  return select;
}

function addFilter(bar) {
  const known = levels();
  const ofCases = tables.filter((table) => table.isOfCases);
  const cards = [...document.querySelectorAll("main .vp-card")];
  const rows = ofCases.flatMap((table) => table.rows);
  const total = rows.length + cards.length;
  if (total < LEAST_FILTERED) return;
  // Their texts are taken once: a key's answer is due before the next key.
  const facts = new Map();
  for (const table of ofCases) {
    table.rows.forEach((row, index) =>
      facts.set(row, [table.texts[index], statusesOf(row), levelOf(table.names[index], known)]),
    );
  }
  for (const card of cards) facts.set(card, [card.textContent, statusesOf(card), card.dataset.level]);
  const unique = (words) => [...new Set(words.filter(Boolean))].sort(COLLATOR.compare);
  const text = make("input", { type: "search", placeholder: "Filter", "aria-label": "Filter by text" });
  const status = choice("Any status", unique([...facts.values()].flatMap((fact) => fact[1])));
  const level = choice("Any level", unique([...facts.values()].map((fact) => fact[2])));
  const count = make("output", { class: "vp-count" });
  const opened = new Set();

  const apply = () => {
    const isActive = Boolean(text.value.trim() || status.value || level.value);
    const pass = (element) => {
      const [content, statuses, own] = facts.get(element);
      return (
        matches(content, text.value.trim()) &&
        (!status.value || statuses.includes(status.value)) &&
        (!level.value || own === level.value)
      );
    };
    const shown = ofCases.flatMap((table) => table.filter(isActive ? pass : null));
    for (const card of cards) {
      const isShown = !isActive || pass(card);
      show(card, isShown);
      if (isShown) shown.push(card);
    }
    opened.forEach((details) => (details.open = false));
    opened.clear();
    for (const element of isActive ? shown : []) {
      for (const details of closedAround(element)) {
        details.open = true;
        opened.add(details);
      }
    }
    count.textContent = isActive ? `${shown.length} of ${total}` : "";
  };
  for (const field of [text, status, level]) field.addEventListener("input", apply);
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") [text.value, status.value, level.value] = ["", "", ""];
    if (event.key === "Escape") apply();
  });
  bar.append(text, status, level, count);
}
