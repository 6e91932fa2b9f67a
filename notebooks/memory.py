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
# # Memory
#
# What one operation allocates and holds, and on which lines; what a process at work holds, against
# the published limits; and whether it leaks. Everything is measured in processes of its own.

# %% tags=["parameters"]
benchmark: str = "verification/latency"  # Or any other; `veperf list` shows them
rounds: int = 60  # Of the process at work
archive: str = ""  # The folder or URL of runs; empty: the project's reports/

# %%
import veperf
from veperf.core import paths

graphs = paths.flamegraphs_folder(archive)
graphs.mkdir(parents=True, exist_ok=True)
profile = veperf.memory.profile(
    benchmark, flamegraph=graphs / f"{benchmark.replace('/', '-')}.html", timeout_s=120
)

# %% [markdown]
# ## One operation
#
# Bytes and allocations are exact counts, which other work on the machine does not change. The curve
# is what a few calls hold, from their first allocation to their last; the flamegraph shows who
# held what at its highest point.

# %%
profile

# %% [markdown]
# ## The lines that allocate
#
# Figures of one call. `kept_bytes` is what calls leave behind, early and late ones, when garbage is
# collected.

# %%
profile.frame().head(12)

# %% [markdown]
# ## A process at work
#
# Blocks, the benchmark above and bids, round by round, in a process that has loaded every suite:
# how much of each limit it used at most.

# %%
work = veperf.memory.profile_rounds(
    "transaction/block_processing[transactions=100]", benchmark, "bidding/latency", rounds=rounds
)
veperf.memory.Gauges(work.stats)

# %% [markdown]
# ## Does it leak?
#
# Resident memory after each round, when garbage is collected. A leak is suspected where the troughs
# keep rising: a trend by Mann-Kendall (p < 0.01), a Theil-Sen line that grows by 1 % at least, and
# no shape of growth that has ended fits better: steps, curves that level off, slow waves.

# %%
work.leak

# %% [markdown]
# ## Your own code
#
# `%%veperf_memory` profiles a cell, `%%veperf_time` times one, and a `MemoryProfiler` watches this
# kernel while you work.

# %%
# %load_ext veperf

# %%
# %%veperf_memory
rows = [{"id": i, "name": f"item {i}"} for i in range(1_000)]

# %%
# %%veperf_time
sorted(range(1_000), key=lambda i: -i)

# %%
with veperf.memory.MemoryProfiler(interval=0.02) as profiler:
    blocks = [bytearray(1_000_000) for _ in range(50)]
    del blocks

profiler
