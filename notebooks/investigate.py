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
# One benchmark of one run, from its verdict down to processes, samples and the machine. Without
# parameters it looks at the worst of the last run; set `benchmark` to look at another, and run all
# cells again.

# %% tags=["parameters"]
run: str = "last"  # "last", an id, or the beginning of one
benchmark: str = ""  # a case such as "transaction/execution"; empty: the worst of the run
metric: str = ""  # of the case, such as "memory_peak"; empty: the one that is worst
archive: str = ""  # the folder or URL of runs; empty: the project's reports/
baselines: str = ""  # the folder of targets and baselines; empty: the project's data/baselines/
known_misses: list = []  # targets that are known to be missed, and so are not the worst

# %%
import veperf

found = veperf.investigate(
    benchmark,
    run,
    metric=metric,
    archive=archive,
    baselines=baselines,
    known_misses=known_misses,
)

# %% [markdown]
# ## What is worth a look in this run
#
# What failed comes first, then what got slower or misses its target, then what differs most
# between processes.

# %%
found.ranking

# %% [markdown]
# ## The verdict

# %%
found.headline

# %% [markdown]
# ## Process by process
#
# Each process contributes one value, a mean of its lowest samples: the judgement is on these.
# *Off CPU* is the share of the samples' wall time in which the process had no CPU, *stolen* what
# the hypervisor gave to other machines; the *yardstick* is a fixed piece of work that is part of no
# benchmark.

# %%
found.processes

# %%
found.events

# %% [markdown]
# Does the value go with anything that is known of the machine? The two processes farthest from the
# median have their numbers. With few processes some likeness is chance.

# %%
found.figure_machine()

# %% [markdown]
# ## Sample by sample
#
# In the order in which they were taken. Where wall time lies far above CPU time, somebody else had
# the CPU; where the first samples of each process are the highest, something warms up.

# %%
found.figure_samples()

# %%
found.samples()

# %% [markdown]
# ## The machine

# %%
found.machine

# %% [markdown]
# ## The code
#
# Where the CPU time of the code as it is *now* goes: the benchmark runs once more for a second or
# two, in a fresh process, and its stack is looked at every few milliseconds. `.frame()` and
# `.lines()` give the same as DataFrames.

# %%

try:
    display(veperf.cpu.profile(found.focus.case.id, modules=found.run.config.modules))
except veperf.core.errors.UsageError as why:  # a load, or a benchmark that is not from here
    print(f"No flamegraph: {why}")
