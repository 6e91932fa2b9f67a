"""Benchmarks that are gone from one run and may stand under another name in the next."""

from collections.abc import Collection, Iterator, Mapping
from difflib import SequenceMatcher
from typing import TypeAlias

from veperf.core.case import Case
from veperf.core.run import Run

_ALIKE = 0.6
_MOST_PAIRS = 2_500
"""Names are compared where there are at most so many pairs of gone and new ones."""
_Kind: TypeAlias = tuple[frozenset[tuple[str, int | float | str]], frozenset[str]]
_Signature: TypeAlias = frozenset[_Kind]


def renamed_benchmarks(base: Run, new: Run) -> Iterator[str]:
    """Yield a hint for each benchmark of ``base`` alone that may be one of ``new`` alone.

    They have the same sets of parameters and the same metrics; of several such pairs those with the
    most similar names are taken.
    """
    gone, added = _alone(base, new), _alone(new, base)
    for before, after in _pairs(gone, added).items():
        what = "same parameters" if any(params for params, _ in gone[before]) else "same metrics"
        names = _displayed(before, base), _displayed(after, new)
        yield f"gone: {names[0]}; new: {names[1]}; {what}: perhaps renamed"


def _displayed(benchmark: str, run: Run) -> str:
    """Return the id of the only case of a benchmark, or its own where it has several."""
    cases = [case.id for case in run.cases if case.benchmark == benchmark]
    return cases[0] if len(cases) == 1 else f"{benchmark} ({len(cases)} cases)"


def _alone(run: Run, other: Run) -> dict[str, _Signature]:
    """Return the benchmarks of which ``run`` alone has cases, with the kinds of these."""
    shared = {case.id for case in other.cases}
    kept = {case.benchmark for case in run.cases if case.id in shared}
    kinds_of: dict[str, set[_Kind]] = {}
    for case in run.cases:
        if case.benchmark not in kept:
            kinds_of.setdefault(case.benchmark, set()).add(_kind(case))
    return {benchmark: frozenset(kinds) for benchmark, kinds in kinds_of.items()}


def _kind(case: Case) -> _Kind:
    # The number of processors of Go is part of a name by the machine, not by whoever named it.
    params = frozenset(item for item in case.params.items() if item[0] != "gomaxprocs")
    return params, frozenset(metric.name for metric in case.metrics)


def _pairs(gone: Mapping[str, _Signature], added: Mapping[str, _Signature]) -> dict[str, str]:
    """Return which of the ``added`` each of ``gone`` may be now, each at most once."""
    pairs: dict[str, str] = {}
    for signature in dict.fromkeys(gone.values()):
        before = [name for name, other in gone.items() if other == signature]
        after = [name for name, other in added.items() if other == signature]
        if len(before) == len(after) == 1:
            pairs[before[0]] = after[0]
        elif len(before) * len(after) <= _MOST_PAIRS:
            pairs |= _most_alike(before, after)
    return pairs


def _most_alike(before: Collection[str], after: Collection[str]) -> dict[str, str]:
    scored = sorted(
        ((SequenceMatcher(None, a, b).ratio(), a, b) for a in before for b in after),
        key=lambda scored: -scored[0],
    )
    pairs: dict[str, str] = {}
    for score, a, b in scored:
        if score >= _ALIKE and a not in pairs and b not in pairs.values():
            pairs[a] = b
    return pairs
