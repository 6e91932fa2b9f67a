"""Headline of the gate: all items in one sentence, problems first."""

from collections.abc import Callable, Iterator, Sequence

from veperf.core.gate import JUDGED, Answer, Effect, GateItem, Question
from veperf.core.text import abbreviate_names, plural

_QUIET = (Effect.PASS, Effect.NOTE)
_CHANGES = (Question.CHANGE, Question.COUNT)


def headline_of(items: Sequence[GateItem]) -> str:
    """Return the summary of ``items``: what is wrong with names and sizes, then what passes."""
    problems, calm, changes = [*_problems(items)], [*_calm(items)], [*_calm_changes(items)]
    against = _against(items)
    if against and changes:
        changes[-1] += f" {against}"
    elif against and problems:
        problems[-1] += f" {against}"
    clauses = [", ".join(problems), ", ".join([*calm, *changes, *_new(items)])]
    return "; ".join(filter(None, clauses)) or "nothing was judged"


def _problems(items: Sequence[GateItem]) -> Iterator[str]:
    """Yield a clause for each kind of problem, the worst first."""
    loud = [item for item in items if item.effect not in _QUIET]
    yield from dict.fromkeys(item.reason for item in loud if not item.name)
    named = [item for item in loud if item.name and item.known_miss is None]
    for words, fits in _KINDS:
        group = [item for item in named if fits(item)]
        if names := list(dict.fromkeys(map(_sized, group))):
            yield f"{_counted(len(names), words)} ({abbreviate_names(names)})"
    for event in dict.fromkeys(item.cut_short for item in items if item.cut_short):
        yield f"{event} before all were decided"


def _counted(number: int, words: str) -> str:
    """Return ``2 targets missed`` of ``target missed``, and ``2 slower`` of ``slower``."""
    noun, _, rest = words.partition(" ")
    if noun in ("target", "guardrail", "load"):
        return f"{plural(number, noun)} {rest}"
    return f"{number:,} {words}"


_KINDS: Sequence[tuple[str, Callable[[GateItem], bool]]] = (
    ("failed", lambda i: i.answer is Answer.FAILED),
    ("missing", lambda i: i.answer is Answer.MISSING),
    (
        "load void",
        lambda i: i.answer is Answer.NOT_MEASURED and i.question is Question.LOAD,
    ),
    (
        "target not measured",
        lambda i: i.answer is Answer.NOT_MEASURED and i.question is Question.TARGET,
    ),
    (
        "not measured",
        lambda i: (
            i.answer is Answer.NOT_MEASURED and i.question not in (Question.LOAD, Question.TARGET)
        ),
    ),
    ("target missed", lambda i: i.answer is Answer.MISSED and i.effect is Effect.FAIL),
    ("slower", lambda i: i.answer is Answer.SLOWER and not i.guardrail),
    ("target near a miss", lambda i: _is_target(i) and i.effect is Effect.WARN),
    ("guardrail worse", lambda i: i.guardrail),
    ("suspect", lambda i: i.answer is Answer.SUSPECT),
    ("changed, for better or worse", lambda i: i.answer is Answer.CHANGED),
    ("inconclusive", lambda i: i.answer is Answer.INCONCLUSIVE),
    ("not comparable", lambda i: i.answer is Answer.NOT_COMPARABLE),
)


def _is_target(item: GateItem) -> bool:
    return item.question is Question.TARGET and item.answer in (Answer.MET, Answer.MISSED)


def _sized(item: GateItem) -> str:
    name = item.case if item.guardrail else item.name
    return f"{name}, {item.size}" if item.size else name


def _calm(items: Sequence[GateItem]) -> Iterator[str]:
    """Yield a clause for each kind of result that is no problem."""
    targets = [i for i in items if i.question is Question.TARGET]
    asked_for = [i for i in targets if i.answer in JUDGED or i.effect is not Effect.NOTE]
    if any(i.answer in JUDGED for i in targets):
        met = sum(i.answer is Answer.MET for i in targets)
        yield f"{met} of {plural(len(asked_for), 'target')} met"
    if known := [_sized(i) for i in targets if i.known_miss is not None]:
        noun = plural(len(known), "known miss", "known misses")
        yield f"{noun} ({abbreviate_names(known)})"
    quiet = [i for i in items if i.effect in _QUIET]
    for words, answer in (("gone", Answer.MISSING), ("not measured", Answer.NOT_MEASURED)):
        if number := sum(i.answer is answer for i in quiet):
            yield f"{number:,} {words}"


def _calm_changes(items: Sequence[GateItem]) -> Iterator[str]:
    clauses: dict[str, int] = {}
    for item in items:
        if item.question not in _CHANGES:
            continue
        if words := _calm_words(item):
            clauses[words] = clauses.get(words, 0) + 1
    yield from (f"{number:,} {words}" for words, number in clauses.items())


def _new(items: Sequence[GateItem]) -> Iterator[str]:
    """Yield a clause about what there is nothing to compare with."""
    changes = [item for item in items if item.question in _CHANGES]
    new = sum(item.answer is Answer.NEW for item in changes)
    is_gone = any(item.answer is Answer.MISSING and item.source for item in items)
    if new and new == len(changes) and not is_gone:
        yield "no baseline to compare with"
    elif new:
        yield f"{new:,} new"
    if unlisted := sum(i.answer is Answer.NEW and i not in changes for i in items):
        yield f"{unlisted:,} shown, not judged"


def _against(items: Sequence[GateItem]) -> str:
    """Return the common source of all comparisons; empty where there are several."""
    sources = {item.source for item in items if item.source and item.question in _CHANGES}
    return f"against {sources.pop()}" if len(sources) == 1 else ""


def _calm_words(item: GateItem) -> str:
    match item.answer:
        case Answer.WITHIN:
            return item.size
        case Answer.FASTER if not item.guardrail:
            return "faster"
        case Answer.SLOWER | Answer.SUSPECT if item.effect is Effect.NOTE and not item.guardrail:
            return f"{item.answer} by less than counts"
        case Answer.CHANGED | Answer.INCONCLUSIVE | Answer.NOT_COMPARABLE if (
            item.effect is Effect.NOTE
        ):
            return str(item.answer)
    return ""
