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
# # Benchmarks of one suite
#
# How fast they are: against published targets, where there are any, and against this machine's
# recorded baseline.

# %% tags=["parameters"]
profile: str = "quick"  # quick, standard or thorough: 6, 12 or 24 fresh processes
run: str = ""  # a run in the archive to present; empty: measure now
archive: str = ""  # the folder or URL of runs; empty: the project's reports/
baselines: str = ""  # the folder of targets and baselines; empty: the project's data/baselines/
suite: str = "transaction"  # whose benchmarks to measure and present
known_misses: list = []  # targets that are known to be missed, and so fail nothing

# %%
import veperf

if run:
    result = veperf.load(run, archive=archive)
else:
    result = veperf.run(suite, profile=profile, archive=archive, baselines=baselines)

view = veperf.report_view(result, baselines, known_misses, suite=suite)

# %%
view.headline

# %%
view.identity

# %% [markdown]
# ## Findings

# %%
view.findings

# %% [markdown]
# ### How much room is left

# %%
view.margins

# %% [markdown]
# ## Under load
#
# Open loop: when each request arrives is fixed beforehand, and its latency counts from then on,
# so that whatever is late shows.

# %%
view.load

# %% [markdown]
# ## Stage by stage
#
# CPU time of one operation, each stage measured by itself.

# %%
view.stages

# %% [markdown]
# ## Benchmark by benchmark
#
# Each dot is one fresh process. The bar is the interval of their median, the dashed line the
# target's limit where it is near. The line below shows earlier runs on this machine, in a band of
# 5 % around their median.

# %%
view.benchmarks

# %% [markdown]
# ## Scaling
#
# How costs grow with the size of the work. Both axes are logarithmic: a straight line is a power
# law, and its slope the exponent.

# %%
view.scaling

# %% [markdown]
# ## How to read this report

# %%
view.guide

# %% [markdown]
# ## How this was measured

# %%
view.method

# %% [markdown]
# ## Raw figures

# %%
view.files

# %%
view.raw
