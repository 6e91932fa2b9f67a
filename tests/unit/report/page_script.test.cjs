/* The texts that the script of a page reads and writes; `node --test` runs it. */
const assert = require("node:assert/strict");
const { test } = require("node:test");
const path = require("node:path");

const texts = require(path.join(__dirname, "../../../veperf/report/template/quantities.js"));

test("a quantity is the first number of a text in the base of its unit", () => {
  const cases = [
    ["264 ns", 264e-9], ["1.5\u202fµs", 1.5e-6], ["p99 12 ms", 12e-3], ["at most 5 µs", 5e-6],
    ["−8.4 %", -0.084], ["+91.2 % slower", 0.912], ["19,500", 19500], ["2.5 KiB", 2560],
    ["∞", Infinity], ["3.2e-5", 3.2e-5], ["< 0.001", 0.001], ["10 → 12", 10], ["4×", 4],
  ];
  for (const [text, expected] of cases) {
    const actual = texts.quantity(text);
    assert.ok(Math.abs(actual - expected) <= 1e-12 || actual === expected, `${text}: ${actual}`);
  }
});

test("dates, versions, names and hashes are no quantities", () => {
  for (const text of ["2026-10-02", "05:00", "3.11.7", "sha256", "step_2", "[size=10]", "–", ""]) {
    assert.equal(texts.quantity(text), null, text);
  }
});

test("quantities of different units sort by size, others by words, and nothing is last", () => {
  const order = (cells, descending) => texts.sortedIndices(cells, descending).map((i) => cells[i]);
  assert.deepEqual(order(["2 ms", "–", "900 ns", "3 µs"], false), ["900 ns", "3 µs", "2 ms", "–"]);
  assert.deepEqual(order(["2 ms", "–", "900 ns", "3 µs"], true), ["2 ms", "3 µs", "900 ns", "–"]);
  assert.deepEqual(order(["a/b10", "a/b9", "a/b1"], false), ["a/b1", "a/b9", "a/b10"]);
});

test("sorting keeps every row, and rows that are equal in their order", () => {
  const cells = Array.from({ length: 200 }, (_, i) => `${(i * 7919) % 13} ms`);
  const order = texts.sortedIndices(cells, false);
  assert.deepEqual([...order].sort((a, b) => a - b), cells.map((_, i) => i));
  for (let i = 1; i < order.length; i += 1) {
    const [a, b] = [order[i - 1], order[i]];
    assert.ok(parseInt(cells[a]) < parseInt(cells[b]) || (cells[a] === cells[b] && a < b));
  }
});

test("neighbours of one benchmark are grouped, from a number of them on", () => {
  const names = ["a/x", "a/x[n=1]", "a/x[n=2]", "a/y", "a/x[n=3]"];
  assert.deepEqual(texts.neighbours(names, 3), [[0, 3]]);
  assert.deepEqual(texts.neighbours(names, 4), []);
  assert.deepEqual(texts.neighbours([], 1), []);
});

test("a filter finds all of its words, in any order and case", () => {
  assert.ok(texts.matches("transaction/Hash[size=10] 264 ns", "size=10 hash"));
  assert.ok(!texts.matches("transaction/hash", "hash sign"));
  assert.ok(texts.matches("anything", ""));
});

test("CSV is read back as it was; a formula is text, and a signed number is a number", () => {
  const csv = texts.asCsv([["name", "v"], ['a "b",\nc', "−3 %"], ["=HYPERLINK(1)", "+91 %"], ["@x", "-y"]]);
  assert.equal(csv, 'name,v\r\n"a ""b"",\nc",−3 %\r\n\'=HYPERLINK(1),+91 %\r\n\'@x,\'-y\r\n');
});

test("what begins like a number and goes on as a formula is text in CSV", () => {
  const copied = (text) => texts.asCsv([[text]]).trimEnd();
  for (const text of ["-1+cmd|' /C calc'!A0", "+2*SUM(A1)", "-@x", "+A1", "-1=2", "\t=1"]) {
    assert.match(copied(text), /^"?'/, text);
  }
  for (const text of ["-1.5", "+91 %", "+95.6 % to +104 %", "-1e-9", "+∞ %", "a=b"]) {
    assert.equal(copied(text), text);
  }
});

test("Markdown is one line a row, and holds no markup of the texts", () => {
  const lines = texts.asMarkdown([["a|b", "c"], ["<img src=x>\n`d`", "[e](f)"]]).split("\n");
  assert.equal(lines.length, 4);
  assert.equal(lines[0], "| a\\|b | c |");
  assert.equal(lines[1], "| --- | --- |");
  assert.equal(lines[2], "| \\<img src=x\\> \\`d\\` | \\[e\\](f) |");
});
