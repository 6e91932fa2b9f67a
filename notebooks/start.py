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
# Shift+Enter, or run them all: they only read, and every one works before there is any run, too.

# %%
import seaborn as sns

import veperf

NONE_YET = "No run yet: type veperf.run('transaction') in a cell, or `make report` in a terminal."

# %% [markdown]
# ## What can be measured
#
# Every line is a case: a benchmark with one set of parameters. `veperf.run("transaction")` measures
# a suite in fresh processes, `veperf.run("transaction/execution")` a benchmark.

# %%
veperf.benchmarks()

# %% [markdown]
# ## Runs that were made
#
# A run is kept in the archive, the project's `reports/`, under an id that begins with its date.

# %%
runs = veperf.runs()
runs.tail(10) if len(runs) else NONE_YET

# %% [markdown]
# ## The last one
#
# `veperf.load()` takes `"last"`, an id, or the beginning of one.

# %%
last = veperf.load("last") if len(runs) else None
last or NONE_YET

# %%
last.summary().head(10) if last else NONE_YET

# %% [markdown]
# ## Is it fast enough, and is it slower than it was?
#
# Against the published targets, and against what `veperf baseline record` recorded on a machine
# like this one. `.targets()` and `.changes()` give the same as DataFrames.

# %%
last.verdict() if last else NONE_YET

# %% [markdown]
# ## Two runs side by side

# %%
veperf.compare(*runs["id"].iloc[-2:]) if len(runs) > 1 else "That takes two runs."

# %% [markdown]
# ## A closer look
#
# The parts of a report show themselves: `headline`, `findings`, `benchmarks`, `scaling` ...

# %%
veperf.present(last).benchmarks if last else NONE_YET

# %% [markdown]
# ## Every sample
#
# One row a sample, times in nanoseconds of one operation: for seaborn, for pandas, for SQL.

# %%
if last:
    samples = last.samples()
    first = samples[samples["case"] == samples["case"].iloc[0]]
    axes = sns.ecdfplot(first, x="wall_ns", hue="process", palette="viridis")
    axes.set_title(first["case"].iloc[0])

# %%
question = """
    SELECT "case", count(DISTINCT run) AS runs,
           median(cpu_ns) AS cpu_ns, quantile_cont(wall_ns, 0.99) AS p99_ns
    FROM samples GROUP BY "case" ORDER BY cpu_ns
"""
veperf.query(question) if len(runs) else NONE_YET
