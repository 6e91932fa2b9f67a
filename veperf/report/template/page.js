/* The page: a filter for all that is on it, contents that stay in sight, links that lead to rows. */
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

function closedAround(element) {
  const closed = [];
  for (let at = element.parentElement; at; at = at.parentElement) {
    if (at instanceof HTMLDetailsElement && !at.open) closed.push(at);
  }
  return closed;
}

function addContents(bar) {
  const headings = [...document.querySelectorAll("main h2, main h3")].filter(
    (heading) => !heading.closest(".vp-card, summary"),
  );
  if (headings.length < 3) return;
  const list = make("ul");
  const links = headings.map((heading, index) => {
    if (!heading.id) heading.id = `section-${index + 1}`;
    const name = heading.firstChild?.textContent.trim() || heading.textContent.trim();
    const link = make("a", { href: `#${encodeURIComponent(heading.id)}` }, name);
    list.append(make("li", { class: `vp-${heading.localName}` }, link));
    return link;
  });
  const contents = make("nav", { "aria-label": "Contents" }, list);
  const details = make("details", { class: "vp-toc" }, make("summary", {}, "Contents"), contents);
  const mark = () => {
    const last = headings.findLastIndex((heading) => heading.getBoundingClientRect().top < 90);
    links.forEach((link, index) => {
      if (index === last) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    });
  };
  details.addEventListener("toggle", mark);
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    details.open = false;
    details.firstChild.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("a") || !details.contains(event.target)) details.open = false;
  });
  bar.append(details);
}

/** Open what hides the element that the address names, and mark it. */
function goToHash() {
  let id;
  try {
    id = decodeURIComponent(location.hash.slice(1));
  } catch {
    return; // half an escape: no id
  }
  const target = id && (document.getElementById(id) ?? document.getElementById(location.hash.slice(1)));
  document.querySelector(".vp-here")?.classList.remove("vp-here");
  if (!target) return;
  if (target instanceof HTMLTableRowElement) {
    tables.find((table) => table.rows.includes(target))?.unfold(target);
    target.classList.add("vp-here");
  }
  closedAround(target).forEach((details) => (details.open = true));
  target.scrollIntoView({ block: target.matches("tr") ? "center" : "start" });
}

function start() {
  enliveTables();
  const bar = make("div", { class: "vp-tool", role: "search", "aria-label": "This page" });
  addContents(bar);
  addFilter(bar);
  if (bar.childElementCount && !document.querySelector("meta[http-equiv=refresh]")) {
    document.querySelector("main").prepend(bar);
  }
  enliveMarks();
  for (const pre of document.querySelectorAll("main pre")) pre.tabIndex = 0; // it may scroll
  addEventListener("hashchange", goToHash);
  goToHash();
}

start();
