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
# # Memory of a run
#
# What one operation of each benchmark holds at most, and what it allocates. These are counts: how
# busy the machine is does not change them.

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
    result = veperf.run(*select, profile=profile, archive=archive, baselines=baselines, memory=True)

view = veperf.report_view(result, baselines, known_misses, pages=pages)

# %%
view.memory

# %% [markdown]
# ## Raw figures

# %%
view.files
