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
# # Inference
#
# How fast a validator makes features of faces, documents and videos, checks them and scores them.
# There are no published targets: judged is what changed since this machine's recorded baseline.

# %% tags=["parameters"]
suite: str = "inference"  # Whose benchmarks to present, and to measure if select is empty
run: str = ""  # A run in the archive to present; empty: measure now
better: dict = {}  # Better direction by unit, of another tool's run: {"GFLOPS": "higher"}
same_machine: bool = False  # Of another tool's run: it was made on its baseline's machine
comparisons: list = []  # A/B comparisons in the archive that decide with the run
select: list = []  # What to measure: suites, benchmarks, globs; everything when empty
policy: dict = {}  # The gate's policy, as the table [gate] of veperf.toml; empty: the project's own
known_misses: list = []  # A target known to be missed: shown as missed, but no failure.
baselines: str = ""  # The folder of targets and baselines; empty: the project's data/baselines/
archive: str = ""  # The folder or URL of runs; empty: the project's reports/
profile: str = "quick"  # How much to measure: 6, 12 or 24 fresh processes.
processes: int = None  # Number of fresh processes of everything.  [default: the profile's]
min_time_s: float = None  # Least time measured of a case in a process.  [default: the profile's]
short: bool = False  # A quick look that answers no target: 2 processes, no loads, no memory.
memory: bool = False  # Measure memory, too, in 3 more processes.
time_budget_s: float = None  # Measure what fits into this time, targets first; the rest is named.
timeout_s: float = 60.0  # Time limit for one case in one process, including its set-up.
modules: list = []  # A Python module with benchmarks of your own.
levels: list = []  # Only benchmarks of this level.
expression: str = ""  # Only benchmarks that fit, as with pytest: 'hash or nonce and not load'.
seed: int = None  # Seed of the order of measuring.  [default: drawn]

# %%
import veperf

if run:
    result = veperf.load(run, archive, better=better, same_machine=same_machine)
else:
    options = veperf.select_options(veperf.RunOptions, globals())
    result = veperf.run(select or suite, options=options, archive=archive, baselines=baselines)

view = veperf.report_view(
    result, baselines, known_misses, policy, comparisons=comparisons, suite=suite
)

# %%
view.headline

# %%
view.identity

# %% [markdown]
# ## Findings

# %%
view.findings

# %% [markdown]
# ## Stage by stage
#
# CPU time of one score: the features of three scopes, their checks, the model, the hashes. Each
# stage is measured by itself.

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
# ## Glossary

# %%
view.glossary

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
