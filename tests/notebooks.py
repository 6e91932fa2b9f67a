"""The parts of the notebooks that are made of something else.

A notebook's parameters come from the options types, and the notebooks of the suites come from one
template, `notebooks/suite.py`. `python -m tests.notebooks` writes them anew, `.ipynb` twins
included; a test holds what is there against it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from veperf.core.option_fields import Options, about, notebook_parameters
from veperf.core.options import CompareOptions, HistoryOptions, KnownMissOptions, RunOptions

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
TEMPLATE = "suite"


@dataclass(frozen=True, kw_only=True)
class ArchiveParameters(Options):
    """Where runs are."""

    archive: Annotated[str, about("The folder or URL of runs; empty: the project's reports/")] = ""


@dataclass(frozen=True, kw_only=True)
class BaselinesParameters(ArchiveParameters):
    """Where runs and baselines are."""

    baselines: Annotated[
        str, about("The folder of targets and baselines; empty: the project's data/baselines/")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class PolicyParameters(KnownMissOptions):
    """Policy by which a run is judged."""

    policy: Annotated[
        dict[str, Any],
        about("The gate's policy, as the table [gate] of veperf.toml; empty: the project's own"),
    ] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ReportParameters(PolicyParameters, BaselinesParameters, RunOptions):
    """Of a notebook that measures, or presents a run."""

    run: Annotated[str, about("A run in the archive to present; empty: measure now")] = ""
    better: Annotated[
        dict[str, str],
        about('Better direction by unit, of another tool\'s run: {"GFLOPS": "higher"}'),
    ] = field(default_factory=dict)
    same_machine: Annotated[
        bool, about("Of another tool's run: it was made on its baseline's machine")
    ] = False
    comparisons: Annotated[
        tuple[str, ...], about("A/B comparisons in the archive that decide with the run")
    ] = ()
    select: Annotated[
        tuple[str, ...],
        about("What to measure: suites, benchmarks, globs; everything when empty"),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class RunParameters(ReportParameters):
    """Of a notebook that is one of several pages."""

    pages: Annotated[
        dict[str, str], about("The file of each suite's page, where such pages lie beside this one")
    ] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SuiteParameters(ReportParameters):
    """Of a notebook about one suite."""

    suite: Annotated[str, about("Whose benchmarks to present, and to measure if select is empty")]


@dataclass(frozen=True, kw_only=True)
class InvestigateParameters(PolicyParameters, BaselinesParameters):
    """Of the notebook about one benchmark."""

    run: Annotated[str, about('"last", an id, or the beginning of one')] = "last"
    benchmark: Annotated[
        str, about('A case such as "transaction/execution"; empty: the worst of the run')
    ] = ""
    metric: Annotated[
        str, about('Of the case, such as "memory_peak"; empty: the one that is worst')
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ComparisonParameters(CompareOptions, ArchiveParameters):
    """Of the notebook about one comparison."""

    ab: Annotated[
        str, about("An A/B comparison in the archive: its id, the beginning of one, or last")
    ] = "last"
    base: Annotated[str, about("Or two runs: the old one's id, or last ...")] = ""
    new: Annotated[str, about("... and the new one's")] = ""
    case: Annotated[
        str, about("The benchmark to look at; empty: the one that most needs attention")
    ] = ""


@dataclass(frozen=True, kw_only=True)
class TrendParameters(HistoryOptions, ArchiveParameters):
    """Of the notebook about all runs."""

    sort: Annotated[str, about("Shift: the largest recent shift first; or name")] = "shift"
    benchmark: Annotated[str, about("The one to look at closely; empty: the first of all")] = ""


@dataclass(frozen=True, kw_only=True)
class MemoryParameters(ArchiveParameters):
    """Of the notebook about memory."""

    benchmark: Annotated[str, about("Or any other; `veperf list` shows them")] = (
        "verification/latency"
    )
    rounds: Annotated[int, about("Of the process at work")] = 60


PARAMETERS: Mapping[str, tuple[type[Options], Mapping[str, Any]]] = {
    "run": (RunParameters, {}),
    "run_regression": (RunParameters, {}),
    "run_memory": (RunParameters, {"memory": True}),
    TEMPLATE: (SuiteParameters, {"suite": "transaction"}),
    "investigate": (InvestigateParameters, {}),
    "regression": (ComparisonParameters, {}),
    "trend": (TrendParameters, {}),
    "memory": (MemoryParameters, {}),
}

_TITLE = """# # Benchmarks of one suite
#
# How fast they are: against published targets, where there are any, and against this machine's
# recorded baseline.
"""
_LOAD = "# ## Under load\n"
_STAGES = "# CPU time of one operation, each stage measured by itself.\n"
# By suite, what its notebook says in place of the template's words.
SUITES: Mapping[str, Mapping[str, str]] = {
    "transaction": {
        _TITLE: """# # Transactions
#
# How fast VirtEngine decodes, verifies, executes and commits transactions: against the published
# targets, and against this machine's recorded baseline.
""",
    },
    "verification": {
        _TITLE: """# # Identity verification
#
# How fast a validator opens a person's encrypted scopes, extracts features, scores them and updates
# the identity record: against the published targets, and against this machine's recorded baseline.
""",
        _LOAD: "# ## Concurrent verifications\n",
        _STAGES: (
            "# CPU time of one verification: decrypt the scopes, extract the features, score them, "
            "update the\n# record. Each stage is measured by itself.\n"
        ),
    },
    "bidding": {
        _TITLE: """# # Provider bidding
#
# How fast a provider daemon answers an order with a signed bid (match, price, sign, submit):
# against the published targets, and against this machine's recorded baseline.
""",
        _LOAD: "# ## Orders under load\n",
        _STAGES: (
            "# CPU time of one bid: match the order, price it, sign the bid, submit it. Each stage "
            "is measured by\n# itself.\n"
        ),
    },
    "zk_proof": {
        _TITLE: """# # Zero-knowledge proofs
#
# How fast identity claims are proved and verified with Groth16 over BN254: against the published
# targets, and against this machine's recorded baseline.
""",
        _STAGES: (
            "# CPU time of making one proof and of verifying one, each stage measured by itself.\n"
        ),
    },
    "market": {
        _TITLE: """# # Market store
#
# How fast a node creates orders and bids, matches them, closes leases and answers queries page by
# page, on a state of 10,000 to 1,000,000 of them. There are no published targets: judged is what
# changed since this machine's recorded baseline.
""",
        _STAGES: (
            "# CPU time of one block: 100 orders, 100 bids, 100 matches, 100 leases closed, the "
            "commit. Each\n# stage is measured by itself.\n"
        ),
    },
    "validator_set": {
        _TITLE: """# # Validator set
#
# How fast a node makes the next height's validators: changes of the set, weighted turns to propose,
# and the hash for the header, with 100 to 1,000,000 validators. There are no published targets:
# judged is what changed since this machine's recorded baseline.
""",
        _STAGES: (
            "# CPU time of the next height's set: copy it, apply ten changes, choose the proposer, "
            "hash it.\n# Each stage is measured by itself.\n"
        ),
    },
    "state_sync": {
        _TITLE: """# # State sync
#
# How fast a node exports its state as a snapshot, and another restores and verifies it, with 1,000
# to 1,000,000 keys, in the Cosmos SDK's format. There are no published targets: judged is what
# changed since this machine's recorded baseline.
""",
        _STAGES: (
            "# CPU time of one export (nodes, messages, chunks, hashes) and of one restore. Each "
            "stage is\n# measured by itself.\n"
        ),
    },
    "inference": {
        _TITLE: """# # Inference
#
# How fast a validator makes features of faces, documents and videos, checks them and scores them.
# There are no published targets: judged is what changed since this machine's recorded baseline.
""",
        _STAGES: (
            "# CPU time of one score: the features of three scopes, their checks, the model, the "
            "hashes. Each\n# stage is measured by itself.\n"
        ),
    },
}
WITHOUT_LOAD = {"zk_proof", "market", "validator_set", "state_sync", "inference"}


def expected() -> dict[str, str]:
    """The text that each `.py` of a notebook should have, by its stem."""
    texts = {
        name: _with_parameters((FOLDER / f"{name}.py").read_text(encoding="utf-8"), *parameters)
        for name, parameters in PARAMETERS.items()
    }
    return texts | {suite: _of_suite(texts[TEMPLATE], suite) for suite in SUITES}


def _of_suite(template: str, suite: str) -> str:
    text = _with_parameters(template, SuiteParameters, {"suite": suite})
    for old, new in SUITES[suite].items():
        assert text.count(old) == 1, f"notebooks/{TEMPLATE}.py lacks {old!r}"
        text = text.replace(old, new)
    if suite in WITHOUT_LOAD:
        before, _, load = text.partition(f"# %% [markdown]\n{_LOAD}")
        text = before + load[load.index("# %% [markdown]") :]
    return text


def _with_parameters(text: str, kind: type[Options], defaults: Mapping[str, Any]) -> str:
    lines = notebook_parameters(kind, defaults)
    cell = f'# %% tags=["parameters"]\n{lines}\n\n# %%'
    changed, count = re.subn(
        r'# %% tags=\["parameters"\]\n.*?\n\n# %%', lambda _: cell, text, count=1, flags=re.DOTALL
    )
    assert count == 1, "the notebook has no cell with parameters"
    return changed


def main() -> None:
    """Write the notebooks whose text differs, and their `.ipynb` twins."""
    from jupytext.cli import jupytext

    for name, text in expected().items():
        path = FOLDER / f"{name}.py"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
        jupytext(["--quiet", "--to", "ipynb", "--update", str(path)])


if __name__ == "__main__":
    main()
