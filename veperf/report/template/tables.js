/* Tables: sorting, links to rows, copies. */
const TONES = ["fail", "warn", "quiet", "pass"];
const tables = [];

/** A new element; strings become text nodes, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A new SVG element. */
function draw(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function show(element, isShown) {
  element.classList.toggle("vp-off", !isShown);
}

/** The text of a cell without its note, its picture and what this script adds. */
function cellText(cell) {
  const parts = [...cell.childNodes].filter(
    (node) => !(node instanceof Element && node.matches("small, svg, br, .vp-link, .vp-fold")),
  );
  return parts.map((node) => node.textContent).join("").trim();
}

function copiedText(cell) {
  const note = cell.querySelector(":scope > small")?.textContent.trim();
  return [cellText(cell), note].filter(Boolean).join("; ");
}

/** The words of the statuses in an element: of its badges, or of its symbol. */
function statusesOf(element) {
  const marks = [...element.querySelectorAll(".vp-badge, td [role=img][aria-label]")];
  return marks.map((mark) => mark.getAttribute("aria-label") ?? mark.textContent.trim());
}

function toneOf(element) {
  return TONES.findIndex((tone) => element.querySelector(`.vp-badge.vp-${tone}`));
}

class LiveTable {
  constructor(table) {
    this.table = table;
    this.frame = table.closest(".vp-scroll, .vp-wide");
    this.body = table.tBodies[0];
    this.rows = [...this.body.rows];
    this.isFiltered = false;
    this.sorted = null;
    this.folds = [];
    this.wasSorted = false;
    this.passes = new Map();
    this.names = this.rows.map((row) => this.header(row) && cellText(this.header(row)));
    this.texts = this.rows.map((row) => row.textContent);
    this.isOfCases = this.names.every(Boolean);
    if (this.isOfCases) this.linkRows();
    if (this.frame && this.rows.length > 1) {
      this.addSorting();
      this.addTools();
      if (this.isOfCases && typeof foldCases === "function") foldCases(this);
    }
  }

  header(row) {
    return row.querySelector("th[scope=row]");
  }

  linkRows() {
    const caption = this.table.caption?.textContent ?? "";
    this.rows.forEach((row, index) => {
      const base = `row:${caption}/${this.names[index]}`.replace(/\s+/g, "_");
      let id = base;
      for (let copy = 2; document.getElementById(id); copy += 1) id = `${base}~${copy}`;
      row.id = id;
      const label = `Link to this row: ${this.names[index]}`;
      const href = `#${encodeURIComponent(id)}`;
      const link = make("a", { class: "vp-link", href, tabindex: "-1", "aria-label": label }, "#");
      // A note is a block of its own: behind it the link would stand alone on a line.
      const note = this.header(row).querySelector(":scope > small");
      if (note) note.before(" ", link);
      else this.header(row).append(" ", link);
      link.addEventListener("keydown", (event) => {
        if (/^Arrow(Left|Right)$/.test(event.key)) tellRow(row, event);
        else this.walk(event, row);
      });
      link.addEventListener("focus", () => link.matches(":focus-visible") && tellRow(row));
      link.addEventListener("blur", () => hideTip(link));
    });
    this.frame?.setAttribute("aria-keyshortcuts", "ArrowDown");
    this.frame?.addEventListener("keydown", (event) => {
      if (event.target === this.frame) this.walk(event, null);
    });
  }

  /** Rows are walked by arrow keys, so that Tab goes from table to table. */
  walk(event, row) {
    const all = [...this.body.rows].filter((r) => r.checkVisibility() && r.querySelector(".vp-link"));
    const at = row ? all.indexOf(row) : -1;
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" && row) this.frame.focus();
    else if (next === undefined || (!row && event.key !== "ArrowDown") || !all.length) return;
    else if (next < 0) this.frame.focus();
    else all[Math.min(next, all.length - 1)].querySelector(".vp-link").focus();
    event.preventDefault();
  }

  addSorting() {
    [...(this.table.tHead?.rows[0]?.cells ?? [])].forEach((head, column) => {
      const isFilled = this.rows.some((row) => cellText(row.cells[column]) || toneOf(row.cells[column]) >= 0);
      if (!isFilled || !head.textContent.trim()) return;
      const button = make("button", { type: "button", class: "vp-sort" }, ...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => this.sortBy(head, column));
    });
  }

  /** Upwards, then downwards, then as it was. */
  sortBy(head, column) {
    const next = { null: "ascending", ascending: "descending", descending: null };
    const direction = next[head.getAttribute("aria-sort")];
    for (const other of this.table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    if (direction) head.setAttribute("aria-sort", direction);
    this.sorted = direction && this.sortedRows(column, direction === "descending");
    this.refresh();
  }

  sortedRows(column, descending) {
    const cells = this.rows.map((row) => row.cells[column]);
    const hasStatus = cells.some((cell) => toneOf(cell) >= 0);
    const texts = cells.map((cell) => {
      const tone = toneOf(cell);
      return hasStatus && tone >= 0 ? `${tone} of ${cell.textContent}` : cellText(cell);
    });
    return sortedIndices(texts, descending).map((index) => this.rows[index]);
  }

  addTools() {
    const name = this.table.caption?.textContent || "table";
    const button = (format, write) => {
      const label = `Copy ${format}: ${name}`;
      const element = make("button", { type: "button", "aria-label": label }, `Copy ${format}`);
      element.addEventListener("click", async () => {
        const isCopied = await copyText(write(this.shownTexts()));
        element.textContent = isCopied ? "Copied" : "Not copied";
        setTimeout(() => (element.textContent = `Copy ${format}`), 1500);
      });
      return element;
    };
    this.tools = make("div", { class: "vp-tools" }, button("CSV", asCsv), button("Markdown", asMarkdown));
    this.frame.before(this.tools);
  }

  /** The texts of head and rows that pass the filter, in their order; folded rows are among them. */
  shownTexts() {
    const rows = (this.sorted ?? this.rows).filter((row) => this.passes.get(row) ?? true);
    return [...this.table.tHead.rows, ...rows].map((row) => [...row.cells].map(copiedText));
  }

  /** Show the rows that pass(row); null shows all. Return those that do. */
  filter(pass) {
    this.isFiltered = pass !== null;
    for (const row of this.rows) this.passes.set(row, !pass || pass(row));
    this.refresh();
    return this.rows.filter((row) => this.passes.get(row));
  }

  unfold(row) {
    const fold = this.folds.find((f) => f.folded.includes(row));
    if (fold && !fold.isOpen) fold.button.click();
  }

  refresh() {
    const isFlat = this.isFiltered || this.sorted !== null;
    if (this.sorted || this.wasSorted) this.body.append(...(this.sorted ?? this.rows));
    this.wasSorted = this.sorted !== null;
    for (const row of this.rows) show(row, this.passes.get(row) ?? true);
    for (const fold of this.folds) {
      for (const part of fold.parts) show(part, !isFlat);
      if (!isFlat) fold.folded.forEach((row) => show(row, fold.isOpen));
    }
    const isEmpty = this.isFiltered && !this.rows.some((row) => this.passes.get(row));
    show(this.frame ?? this.table, !isEmpty);
    if (this.tools) show(this.tools, !isEmpty);
  }
}

/** Put `text` on the clipboard; return whether that was allowed. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "vp-copied", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    return isCopied;
  }
}

function enliveTables(root) {
  for (const table of root.querySelectorAll("table")) {
    if (tables.some((known) => known.table === table)) continue;
    if (table.tHead?.rows.length === 1 && table.tBodies[0]?.rows.length) {
      tables.push(new LiveTable(table));
    }
  }
}
