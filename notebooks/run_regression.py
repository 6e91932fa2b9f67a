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
# # What has changed
#
# The run against this machine's recorded baseline: is anything slower than it was?

# %% tags=["parameters"]
profile: str = "quick"  # quick, standard or thorough: 6, 12 or 24 fresh processes
run: str = ""  # a run in the archive to present; empty: measure now
archive: str = ""  # the folder or URL of runs; empty: the project's reports/
baselines: str = ""  # the folder of targets and baselines; empty: the project's data/baselines/
select: list = []  # what to measure: suites, benchmarks, globs; everything when empty
known_misses: list = []  # targets that are known to be missed, and so fail nothing
pages: dict = {}  # the file of each suite's page, where such pages lie beside this one

# %%
import veperf

if run:
    result = veperf.load(run, archive=archive)
else:
    result = veperf.run(*select, profile=profile, archive=archive, baselines=baselines)

view = veperf.report_view(result, baselines, known_misses, pages=pages)

# %%
view.identity

# %% [markdown]
# ## Every comparison

# %%
view.regression

# %% [markdown]
# ## What needs attention
#
# A dot is one fresh process, of the baseline above, of this run below.

# %%
view.changed

# %% [markdown]
# ## How to read this report

# %%
view.guide
