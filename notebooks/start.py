# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: -all
#     formats: ipynb,py:percent
#     notebook_metadata_filter: kernelspec,jupytext,-jupytext.text_representation.jupytext_version
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # veperf
#
# Is VirtEngine fast enough, did a change make it slower, and why. Work through the cells with
# Shift+Enter, or run them all: that takes about a minute, and measures a little where there is
# nothing to show yet.

# %%
import veperf

SMALL = ["transaction/hash_compute", "transaction/validation", "bidding/price_calc"]

# %% [markdown]
# ## What can be measured
#
# Every line is a case: a benchmark with one set of parameters. `veperf.run("transaction")` measures
# a suite in fresh processes, `veperf.run("transaction/execution")` a benchmark.

# %%
veperf.benchmarks()

# %% [markdown]
# ## The last run
#
# A run is kept in the archive, the project's `reports/`, under an id that begins with its date.
# `veperf.load()` takes `"last"`, an id, or the beginning of one.

# %%
if veperf.runs().empty:
    veperf.run(*SMALL)

last = veperf.load("last")
last

# %% [markdown]
# Is it fast enough, by the published targets? Is it slower than what `veperf baseline record`
# recorded on a machine like this one? `.targets()` and `.changes()` give the same as DataFrames.

# %%
verdict = last.verdict()
verdict

# %%
verdict.figure()

# %% [markdown]
# What the verdict says the worst of; [investigate](investigate.ipynb) drills down from there to
# processes, samples and the machine.

# %%
veperf.investigate(run=last)

# %% [markdown]
# The same to touch: pick runs, a benchmark and a metric; brush samples to see their process, their
# machine and the time; go on to the pairs of an A/B comparison and to the code; follow a run that
# is going on. What is picked is in Python, too: `explorer.selected` has the brushed samples.

# %%
explorer = veperf.explore()
explorer

# %% [markdown]
# The parts of a report show themselves, too: `headline`, `findings`, `stages`, `scaling` ...

# %%
veperf.report_view(last).benchmarks

# %% [markdown]
# ## Two runs side by side
#
# A screen, not a gate: between two runs the machine may have changed more than the code.

# %%
if len(veperf.runs()) == 1:
    veperf.run(*SMALL)

comparison = veperf.compare(*veperf.runs()["id"].iloc[-2:])
comparison

# %%
comparison.figure()

# %% [markdown]
# ## Did my change make it slower?
#
# The gate: the last commit and the working tree run side by side, pair of processes by pair, until
# it is decided. Give it more time and more benchmarks when it counts:
# `veperf.ab("main", "transaction", time_budget_s=600)`.

# %%
try:
    change = veperf.ab("HEAD", "transaction/hash_compute", time_budget_s=15)
except veperf.core.errors.UsageError as reason:  # this is no git checkout
    change = reason
change

# %% [markdown]
# ## What does it cost in memory?
#
# In a process of its own: bytes and allocations of one operation, and the lines that they go to.

# %%
veperf.memory.profile("transaction/validation")

# %%
# %load_ext veperf

# %%
# %%veperf_memory
sorted(str(n) for n in range(1_000))

# %% [markdown]
# All commands of the command line are there as well, and Tab completes benchmarks and runs.

# %%
# %veperf list 'transaction/state*'

# %% [markdown]
# ## Where does its CPU time go?

# %%
veperf.cpu.profile("transaction/validation", seconds=1)

# %% [markdown]
# ## How did it go over time?
#
# Every run in the archive is a point. After a dozen of them a step that stays is found, with the
# commits to blame; [trend](trend.ipynb) looks at all benchmarks.

# %%
trend = veperf.history(last.summary().index[0])
trend

# %%
trend.figure()

# %% [markdown]
# ## Everything else is data
#
# Samples are DataFrames, and the archive answers SQL. Times are nanoseconds of one operation.

# %%
last.samples().groupby("case")[["wall_ns", "cpu_ns"]].median()

# %%
veperf.query("""
    SELECT "case", count(DISTINCT run) AS runs,
           median(cpu_ns) AS cpu_ns, quantile_cont(wall_ns, 0.99) AS p99_ns
    FROM samples GROUP BY "case" ORDER BY cpu_ns
""")
