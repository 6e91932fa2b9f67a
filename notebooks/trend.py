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
# How every benchmark went over the runs in the archive, and where its level moved and stayed. Each
# dot is a run (or the median of a stretch of runs), the lines are the levels. The commits to blame
# lie between the last run before a change and the first run after it.

# %% tags=["parameters"]
archive: str = ""  # the folder or URL of runs; empty: the project's reports/
machine: str = ""  # runs of this machine class; empty: that of the last run
last: int = 0  # only the last so many runs; 0: all
sort: str = "shift"  # shift: the largest recent shift first; or name
benchmark: str = ""  # the one to look at closely; empty: the first of all

# %%
import veperf

found = veperf.trends(machine=machine, last=last or None, archive=archive).sorted(sort)

# %% [markdown]
# ## All benchmarks

# %%
found

# %% [markdown]
# ## Latest change of each

# %%
found.frame()

# %% [markdown]
# ## One benchmark closely

# %%
closely = benchmark or next((one.case for one in found.trends), "")
one = (
    veperf.history(closely, machine=machine, last=last or None, archive=archive)
    if closely
    else None
)
one

# %%
one.figure() if one else None
