"""Benchmarks that are gone from one run and may stand under another name in the next."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeAlias

from veperf.core.baseline import Baseline
from veperf.core.case import Case
from veperf.core.run import Run
from veperf.core.text import join_words, plural

_ALIKE = 0.6
_MOST_PAIRS = 2_500
"""Names are compared where there are at most so many pairs of gone and new ones."""
_Kind: TypeAlias = tuple[frozenset[tuple[str, str]], frozenset[str]]
_Signature: TypeAlias = frozenset[_Kind]
# Parameters in an id, which is all that a baseline has: f[n=1,k=v], and Go's f/n=1/k=v-8.
_PARAMETER = re.compile(r"[/\[,]([^/\[\],=]+)=([^/\[\],]*)")
_PROCESSORS = re.compile(r"-[0-9]{1,18}$", re.ASCII)
_PARAMETERS = re.compile(r"\[.*|/[^/\[\],=]+=[^/\[\],]*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Named:
    """A case by name, and what stays the same when that changes."""

    id: str
    benchmark: str
    kind: _Kind


def renamed_benchmarks(base: Run, new: Run) -> Iterator[str]:
    """Yield a hint for each benchmark of ``base`` alone that may be one of ``new`` alone.

    They have the same sets of parameters and the same metrics; of several such pairs those with the
    most similar names are taken.
    """
    if not {case.id for case in base.cases} <= {case.id for case in new.cases}:
        yield from _hints([*map(_of_case, base.cases)], [*map(_of_case, new.cases)])


def renamed_since(used: Iterable[Baseline], run: Run) -> Iterator[str]:
    """Yield a hint for each benchmark that only the baselines have and may be one of ``run`` alone.

    A baseline has no parameters but those in the names of its cases.
    """
    recorded: dict[str, set[str]] = {}
    for baseline in used:
        for series in baseline.series:
            recorded.setdefault(series.case, set()).add(series.metric)
    measured = {case.id: {metric.name for metric in case.metrics} for case in run.cases}
    before = [_of_id(case, metrics) for case, metrics in recorded.items()]
    yield from _hints(before, [_of_id(case, metrics) for case, metrics in measured.items()])


def _of_case(case: Case) -> _Named:
    # The number of processors of Go is part of a name by the machine, not by whoever named it.
    params = {(key, str(value)) for key, value in case.params.items() if key != "gomaxprocs"}
    metrics = frozenset(metric.name for metric in case.metrics)
    return _Named(case.id, case.benchmark, (frozenset(params), metrics))


def _of_id(id: str, metrics: Collection[str]) -> _Named:
    bare = _PROCESSORS.sub("", id)
    params = frozenset(_PARAMETER.findall(bare))
    return _Named(id, _PARAMETERS.sub("", bare), (params, frozenset(metrics)))


def _hints(before: Collection[_Named], after: Collection[_Named]) -> Iterator[str]:
    gone, added = _alone(before, after), _alone(after, before)
    old_ids, new_ids = _ids(before), _ids(after)
    same = [name for name in gone if name in added and _bare(old_ids[name]) == _bare(new_ids[name])]
    if same:
        old, new = (_processors(ids[name] for name in same) for ids in (old_ids, new_ids))
        yield (
            f"the number of processors differs ({old}, now {new}) and is part of the names of "
            f"{plural(len(same), 'benchmark')}: `veperf compare --ignore /gomaxprocs` compares them"
        )
    for name in same:
        del gone[name], added[name]
    for old, new in _pairs(gone, added).items():
        what = "same parameters" if any(params for params, _ in gone[old]) else "same metrics"
        names = _displayed(old, old_ids[old]), _displayed(new, new_ids[new])
        yield f"gone: {names[0]}; new: {names[1]}; {what}: perhaps renamed"


def _ids(cases: Iterable[_Named]) -> dict[str, list[str]]:
    """Return the ids of each benchmark's cases."""
    ids: dict[str, list[str]] = {}
    for case in cases:
        ids.setdefault(case.benchmark, []).append(case.id)
    return ids


def _bare(ids: Iterable[str]) -> set[str]:
    """Return ids without numbers of processors."""
    return {_PROCESSORS.sub("", id) for id in ids}


def _processors(every: Iterable[Iterable[str]]) -> str:
    """Return the numbers of processors in ids; Go leaves out that of a single one."""
    ends = (_PROCESSORS.search(id) for ids in every for id in ids)
    numbers = {int(end[0][1:]) if end else 1 for end in ends}
    return join_words(map(str, sorted(numbers)))


def _displayed(benchmark: str, ids: Sequence[str]) -> str:
    """Return the id of the only case of a benchmark, or its own name where it has several."""
    return ids[0] if len(ids) == 1 else f"{benchmark} ({len(ids)} cases)"


def _alone(cases: Iterable[_Named], others: Iterable[_Named]) -> dict[str, _Signature]:
    """Return the benchmarks of which ``others`` have no case, with the kinds of their cases."""
    shared = {case.id for case in others}
    cases = list(cases)
    kept = {case.benchmark for case in cases if case.id in shared}
    kinds_of: dict[str, set[_Kind]] = {}
    for case in cases:
        if case.benchmark not in kept:
            kinds_of.setdefault(case.benchmark, set()).add(case.kind)
    return {benchmark: frozenset(kinds) for benchmark, kinds in kinds_of.items()}


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
