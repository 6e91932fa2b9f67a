/* Numbers and axes of the charts that the script draws; `node --test` runs it. */
const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const { test } = require("node:test");
const path = require("node:path");
const { runInNewContext } = require("node:vm");

const folder = path.join(__dirname, "../../../veperf/report/template");
const source = ["quantities.js", "plot.js"].map((name) => readFileSync(path.join(folder, name), "utf8"));
const names = "{ formatNumber, formatQuantity, linearAxis, logAxis, roundStep }";
const plot = runInNewContext(`${source.join("")};(${names})`, { Intl });

test("quantities read as those of the page", () => {
  const cases = [
    [264.3, "ns", "264\u202fns"], [31200, "ns", "31.2\u202fµs"], [1e9, "ns", "1.00\u202fs"],
    [2560, "B", "2.50\u202fKiB"], [5120, "tx/s", "5,120\u202ftx/s"], [0, "ns", "0\u202fns"],
    [-3, "ms", "−3.00\u202fms"], [0.00123, "", "0.00123"], [NaN, "ns", "–\u202fns"],
  ];
  for (const [value, unit, expected] of cases) assert.equal(plot.formatQuantity(value, unit), expected);
});

for (const name of ["linearAxis", "logAxis"]) {
  test(`${name}: every value is inside, and so are a few ticks in order`, () => {
    for (let power = -9; power <= 12; power += 1) {
      for (const factor of [1, 1.0001, 1.5, 3.9, 4, 20, 1e3, 1e6]) {
        const [low, high] = [10 ** power, factor * 10 ** power];
        const axis = plot[name](low, high, "ns");
        const ticks = axis.ticks.map(([value]) => value);
        assert.ok(axis.low < low && axis.high > high, `${low} to ${high}`);
        assert.ok(ticks.length >= 2 && ticks.length <= 12, `${low} to ${high}: ${ticks}`);
        assert.ok(ticks.every((tick, i) => tick >= axis.low && tick <= axis.high && !(tick <= ticks[i - 1])));
        const labels = axis.ticks.map(([, text]) => text);
        assert.equal(new Set(labels).size, labels.length, labels.join(" "));
      }
    }
  });
}
