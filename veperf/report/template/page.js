/* The page: contents that stay in sight, links that lead to rows. */
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
  if (!target.checkVisibility()) {
    // A filter hides it.
    document.querySelector(".vp-tool input")?.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
  }
  target.scrollIntoView({ block: target.matches("tr") ? "center" : "start" });
}

function start() {
  if (typeof enliveComparison === "function") enliveComparison();
  enliven(document.querySelector("main"));
  const bar = make("div", { class: "vp-tool", role: "search", "aria-label": "This page" });
  addContents(bar);
  if (typeof addFilter === "function") addFilter(bar);
  if (bar.childElementCount && !document.querySelector("meta[http-equiv=refresh]")) {
    document.querySelector("main").prepend(bar);
  }
  for (const pre of document.querySelectorAll("main pre")) pre.tabIndex = 0; // it may scroll
  addEventListener("hashchange", goToHash);
  goToHash();
}

start();
