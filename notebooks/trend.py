# ---
# jupyter:
#   jupytext:
#     cell_metadata_filter: tags,-all
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
# # Trends
#
# Every benchmark over the runs in the archive, with its change points. Each dot is a run (or the
# median of a group of runs), the lines are the levels. The commits to blame lie between the last
# run before a change point and the first run after it.

# %% tags=["parameters"]
sort: str = "shift"  # Shift: the largest recent shift first; or name
benchmark: str = ""  # The one to look at closely; empty: the first of all
metric: str = ""  # Metric of the benchmark.  [default: time, or the first]
machine: str = ""  # Runs of this machine class.  [default: that of the last run]
last: int = None  # Only the last N of the benchmark's runs.
since: str = ""  # Only runs begun then or later: 2026-11-30, or an age such as 30d.
branch: str = ""  # Only runs of this branch.
commit: str = ""  # Only runs of the commit that begins like this.
limit: int = None  # Only the last N runs.
archive: str = ""  # The folder or URL of runs; empty: the project's reports/

# %%
import veperf

options = veperf.select_options(veperf.HistoryOptions, globals())
trends = veperf.trends(options=options, archive=archive).sorted(sort)

# %% [markdown]
# ## All benchmarks

# %%
trends

# %% [markdown]
# ## Latest change of each

# %%
trends.frame()

# %% [markdown]
# ## A single benchmark

# %%
case = benchmark or next((trend.case for trend in trends.trends), "")
history = veperf.history(case, options=options, archive=archive) if case else None
history

# %%
history.figure() if history else None
