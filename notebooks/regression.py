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
# # One comparison, in depth
#
# Old and new code: what each benchmark's processes say of either side, and what was decided by
# how much evidence. Of an A/B comparison (`veperf ab`), or of two runs of the archive.

# %% tags=["parameters"]
ab: str = "last"  # An A/B comparison in the archive: its id, the beginning of one, or last
base: str = ""  # Or two runs: the old one's id, or last ...
new: str = ""  # ... and the new one's
case: str = ""  # The benchmark to look at; empty: the one that most needs attention
fail_over: float = None  # Surely slower than this is `slower`.  [default: 20%, counts 5%]
margin: float = 0.03  # A benchmark passes where a slowdown of this or more is ruled out.
min_effect: float = 0.01  # Changes up to this are never called slower or faster.
alpha: float = 0.05  # How often equal code may be called slower, and slower code equal: 5% or 0.05.
same_machine: bool = False  # Both were made on one machine under the same conditions.
archive: str = ""  # The folder or URL of runs; empty: the project's reports/

# %%
import veperf

if bool(base) != bool(new):
    raise ValueError("two runs are compared: base and new")
if base:
    rules = veperf.select_options(veperf.CompareOptions, globals())
    comparison = veperf.compare(base, new, archive, options=rules)
else:
    comparison = veperf.load_ab(ab, archive)

# %% [markdown]
# ## The result

# %%
comparison

# %% [markdown]
# ## Both sides
#
# Each dot is one fresh process, by the value that it is judged by. Where the two clouds overlap,
# it takes pairs, or many processes, to tell them apart.

# %%
comparison.figure_samples(case)

# %% [markdown]
# ## Pair by pair
#
# How much worse the new code was than the old code that ran beside it, in order of time. The band
# is the interval of the Hodges-Lehmann estimate; the dashed lines are the smallest change that
# matters, and the margin that a pass must rule out. A comparison of two runs has no pairs: its
# figure is the size of each change instead.

# %%
comparison.figure() if base else comparison.figure_pairs(case)

# %% [markdown]
# ## How it was decided
#
# Above, the estimate at each look; below, each test's p-value as a share of what it may be at most
# there: the first that falls below 1 decides.

# %%
"two runs are compared at one look" if base else comparison.figure_looks(case)

# %% [markdown]
# ## The figures

# %%
comparison.frame()
