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
# # Investigate
#
# A benchmark of a run, from its verdict down to processes, samples and the machine. Without
# parameters it shows the worst of the last run; set `benchmark` to see another, and run all cells
# again.

# %% tags=["parameters"]
run: str = "last"  # "last", an id, or the beginning of one
benchmark: str = ""  # A case such as "transaction/execution"; empty: the worst of the run
metric: str = ""  # Of the case, such as "memory_peak"; empty: the one that is worst
policy: dict = {}  # The gate's policy, as the table [gate] of veperf.toml; empty: the project's own
known_misses: list = []  # A target known to be missed: shown as missed, but no failure.
baselines: str = ""  # The folder of targets and baselines; empty: the project's data/baselines/
archive: str = ""  # The folder or URL of runs; empty: the project's reports/

# %%
import veperf

investigation = veperf.investigate(
    benchmark,
    run,
    metric=metric,
    archive=archive,
    baselines=baselines,
    known_misses=known_misses,
    policy=policy,
)

# %% [markdown]
# ## Worth a look in this run
#
# Failures come first, then slower benchmarks and missed targets, then those whose processes differ
# most.

# %%
investigation.ranking

# %% [markdown]
# ## The verdict

# %%
investigation.headline

# %% [markdown]
# ## Process by process
#
# Each process contributes one process value, a mean of its lowest samples; these are judged.
# *Off CPU* is the share of the samples' wall time in which the process had no CPU, *stolen* what
# the hypervisor gave to other machines; the *calibration run* is fixed work that belongs to no
# suite.

# %%
investigation.processes

# %%
investigation.events

# %% [markdown]
# The process values over what is known of the machine. The two processes farthest from the median
# are numbered. With few processes some correlation is chance.

# %%
investigation.figure_machine()

# %% [markdown]
# ## Sample by sample
#
# In the order in which they were taken. Where wall time is far above CPU time, other processes had
# the CPU; where the first samples of each process are the highest, something warms up.

# %%
investigation.figure_samples()

# %%
investigation.samples()

# %% [markdown]
# The same to touch, in JupyterLab: brush samples, and `explorer.selected` has them.

# %%
explorer = veperf.explore(
    investigation.run,
    benchmark=investigation.focus.case.id,
    metric=investigation.focus.metric,
    archive=archive,
    baselines=baselines,
    known_misses=known_misses,
    policy=policy,
)
explorer

# %% [markdown]
# ## The machine

# %%
investigation.machine

# %% [markdown]
# ## The code
#
# The CPU profile of the code as it is *now*: the benchmark runs once more for a second or two, in a
# fresh process, and its stack is sampled every few milliseconds. `.frame()` and
# `.lines()` give the same as DataFrames.

# %%

try:
    display(
        veperf.cpu.profile(investigation.focus.case.id, modules=investigation.run.config.modules)
    )
except veperf.core.errors.UsageError as reason:  # a load, or a benchmark that is not from here
    print(f"No flamegraph: {reason}")
