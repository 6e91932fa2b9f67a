/* Texts as they stand in cells: what they are sorted by, and how they are copied. */
const SCALES = {
  ns: 1e-9, "µs": 1e-6, us: 1e-6, ms: 1e-3, s: 1,
  B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40, PiB: 2 ** 50, EiB: 2 ** 60,
  "%": 0.01, "×": 1,
};
// A number that begins a word, and its unit; no part of a date, a version or a name.
const QUANTITY =
  /(?:^|[\s<>≤≥≈(])([+−-]?)(\d[\d,]*(?:\.\d+)?(?:e[+−-]?\d+)?|∞)(?:\s?(ns|µs|us|ms|s|B|[KMGTPE]iB|%|×)(?![\w])|(?![\w:.,%-]))/i;
const COLLATOR = new Intl.Collator("en", { numeric: true });
const NO_VALUE = new Set(["", "–"]);

/** The first number of `text` in the base of its unit (seconds, bytes, shares); else null. */
function quantity(text) {
  const match = QUANTITY.exec(text);
  if (!match) return null;
  const [, sign, digits, unit] = match;
  const size = digits === "∞" ? Infinity : Number(digits.replaceAll(",", "").replace("−", "-"));
  const value = size * (unit ? (SCALES[unit] ?? 1) : 1);
  return sign && sign !== "+" ? -value : value;
}

/** How the texts of a column compare: as quantities if all are, else by words and numbers. */
function comparison(texts) {
  const filled = texts.filter((text) => !NO_VALUE.has(text));
  if (filled.length && filled.every((text) => quantity(text) !== null)) {
    return (a, b) => quantity(a) - quantity(b);
  }
  return COLLATOR.compare;
}

/** The order of `texts` as indices; those without a value are last in both directions. */
function sortedIndices(texts, descending) {
  const compare = comparison(texts);
  return texts
    .map((_, index) => index)
    .sort((a, b) => {
      const [noA, noB] = [NO_VALUE.has(texts[a]), NO_VALUE.has(texts[b])];
      if (noA || noB) return noA - noB;
      return descending ? compare(texts[b], texts[a]) : compare(texts[a], texts[b]);
    });
}

/** The benchmark of a case's name: what stands before its parameters. */
function benchmarkOf(name) {
  return name.split("[")[0].trim();
}

/** Runs of at least `least` neighbours of one benchmark, as [first, end] indices. */
function neighbours(names, least) {
  const groups = [];
  for (let first = 0, end; first < names.length; first = end) {
    end = first + 1;
    while (end < names.length && benchmarkOf(names[end]) === benchmarkOf(names[first])) end += 1;
    if (end - first >= least) groups.push([first, end]);
  }
  return groups;
}

/** Whether every word of `query` is in `text`, in upper or lower case. */
function matches(text, query) {
  const lower = text.toLowerCase();
  return query.toLowerCase().split(/\s+/).every((word) => lower.includes(word));
}

/** `rows` as CSV (RFC 4180); what a spreadsheet would take for a formula becomes text. */
function asCsv(rows) {
  const field = (text) => {
    // A signed number is none, unless it goes on as one: "-1+cmd|' /C calc'!A0".
    const isFormula = /^(?:[=@\t\r]|[+-](?![\d∞])|[+-].*[=(|!@])/s.test(text);
    const plain = isFormula ? `'${text}` : text;
    return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
  };
  return rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");
}

/** `rows`, the head first, as a Markdown table; markup in texts is escaped. */
function asMarkdown(rows) {
  const cell = (text) => text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>|~]/g, "\\$&");
  const line = (row) => `| ${row.map(cell).join(" | ")} |\n`;
  const [head, ...body] = rows;
  return line(head) + `|${" --- |".repeat(head.length)}\n` + body.map(line).join("");
}

if (typeof module === "object") {
  module.exports = {
    asCsv, asMarkdown, benchmarkOf, matches, neighbours, quantity, sortedIndices,
  };
}
