"""Headline of the gate: all items in one sentence, problems first."""

import itertools
from collections.abc import Callable, Iterator, Sequence

from veperf.core.gate import Answer, Effect, GateItem, Question
from veperf.core.text import abbreviate_names, plural

_QUIET = (Effect.PASS, Effect.NOTE)
_CHANGES = (Question.CHANGE, Question.COUNT)
_NO_ANSWER = (Answer.FAILED, Answer.NOT_MEASURED)
_NOTED = "noted as"
"""Begins what the policy lets pass."""


NOT_ASKED = "only what was selected is asked for"
"""Rule by which a target that has no answer is none of those that count."""
MAY_GO = "what has no target may go; a target has an answer of its own"
"""Rule by which what a baseline has, and a run has not, is noted whatever the policy."""


def headline_of(items: Sequence[GateItem]) -> str:
    """Return the summary of ``items``: what is wrong with names and sizes, then what passes.

    Targets are counted together: 41 of 43 targets met, 1 known miss, 1 missed.
    """
    targets = _worst_by_target(items)
    names = [item.name for item in items if item.name]
    answers = [*_answers_to(targets, names)]
    problems, calm, changes = [*_problems(items, names)], [*_calm(items)], [*_calm_changes(items)]
    if any(item.effect not in _QUIET and item.known_miss is None for item in targets):
        problems = answers + problems
    else:
        calm = answers + calm
    reasons = dict.fromkeys(i.reason for i in items if not i.name and i.effect not in _QUIET)
    problems = [*reasons, *problems]
    against = _against(items)
    if against and changes:
        changes[-1] += f" {against}"
    elif against and problems:
        problems[-1] += f" {against}"
    clauses = [", ".join(problems), ", ".join([*calm, *changes, *_new(items)])]
    return "; ".join(filter(None, clauses)) or "nothing was judged"


def _worst_by_target(items: Sequence[GateItem]) -> list[GateItem]:
    """Return the first item about each target, which is the worst where several cases answer it."""
    worst: dict[str, GateItem] = {}
    for item in items:
        if item.question is Question.TARGET and item.rule != NOT_ASKED:
            worst.setdefault(item.name, item)
    return list(worst.values())


def _answers_to(targets: Sequence[GateItem], among: Sequence[str]) -> Iterator[str]:
    """Yield the number of targets that are met, then those that aren't by their answers."""
    if not targets:
        return
    met = sum(item.answer is Answer.MET for item in targets)
    yield f"{met:,} of {plural(len(targets), 'target')} met"
    for words, plural_words, fits in _UNMET:
        if names := [_sized(item) for item in targets if fits(item)]:
            noun = plural(len(names), words, plural_words)
            yield f"{noun} ({abbreviate_names(names, among)})"


_UNMET: Sequence[tuple[str, str, Callable[[GateItem], bool]]] = (
    ("known miss", "known misses", lambda i: i.known_miss is not None),
    (
        "missed",
        "missed",
        lambda i: i.answer is Answer.MISSED and i.effect is Effect.FAIL,
    ),
    (
        "narrowly missed",
        "narrowly missed",
        lambda i: i.answer is Answer.MISSED and i.effect is not Effect.FAIL and not i.known_miss,
    ),
    ("not measured", "not measured", lambda i: i.answer is Answer.NOT_MEASURED),
    ("failed", "failed", lambda i: i.answer is Answer.FAILED),
)
"""Answers to targets that aren't met, in words for one and for several."""


def _problems(items: Sequence[GateItem], among: Sequence[str]) -> Iterator[str]:
    """Yield a clause for each kind of problem beside the targets' answers, the worst first."""
    answered = {i.case for i in items if i.question is Question.TARGET and i.answer in _NO_ANSWER}
    named = [
        item
        for item in items
        if item.name
        and item.effect not in _QUIET
        and (item.question is not Question.TARGET or item.answer is Answer.MET)
        and not (
            item.question in (Question.PRESENCE, Question.LOAD)
            and item.answer in _NO_ANSWER
            and item.case in answered
        )
    ]
    for words, fits in _KINDS:
        group = [item for item in named if fits(item)]
        if names := list(dict.fromkeys(map(_sized, group))):
            yield f"{_counted(len(names), words)} ({abbreviate_names(names, among)})"
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
        "not measured",
        lambda i: (
            i.answer is Answer.NOT_MEASURED and i.question is not Question.LOAD and not i.guardrail
        ),
    ),
    ("slower", lambda i: i.answer is Answer.SLOWER and not i.guardrail),
    ("target near a miss", lambda i: i.answer is Answer.MET and i.question is Question.TARGET),
    ("guardrail worse", lambda i: i.guardrail and i.answer is not Answer.NOT_MEASURED),
    ("without all guardrails", lambda i: i.guardrail and i.answer is Answer.NOT_MEASURED),
    ("suspect", lambda i: i.answer is Answer.SUSPECT),
    ("changed, for better or worse", lambda i: i.answer is Answer.CHANGED),
    ("inconclusive", lambda i: i.answer is Answer.INCONCLUSIVE),
    ("not comparable", lambda i: i.answer is Answer.NOT_COMPARABLE),
)


def _sized(item: GateItem) -> str:
    name = item.case if item.guardrail else item.name
    return f"{name}, {item.size}" if item.size else name


def _calm(items: Sequence[GateItem]) -> Iterator[str]:
    """Yield a clause for each kind of result that is no problem, or is not to be one."""
    quiet = [i for i in items if i.effect in _QUIET and i.question is not Question.TARGET]
    for words, fits in _CALM_KINDS:
        if names := list(dict.fromkeys(item.name for item in quiet if fits(item))):
            yield f"{len(names):,} {words} ({abbreviate_names(names)})"


_CALM_KINDS: Sequence[tuple[str, Callable[[GateItem], bool]]] = (
    (f"{_NOTED} failed", lambda i: i.answer is Answer.FAILED),
    (f"{_NOTED} missing", lambda i: i.answer is Answer.MISSING and i.rule != MAY_GO),
    (f"{_NOTED} not measured", lambda i: i.answer is Answer.NOT_MEASURED),
    ("gone", lambda i: i.answer is Answer.MISSING and i.rule == MAY_GO),
)


def _calm_changes(items: Sequence[GateItem]) -> Iterator[str]:
    clauses: dict[str, int] = {}
    for item in items:
        if item.question not in _CHANGES:
            continue
        if words := _calm_words(item):
            clauses[words] = clauses.get(words, 0) + 1
    yield from (f"{number:,} {words}" for words, number in clauses.items())


def _new(items: Sequence[GateItem]) -> Iterator[str]:
    """Yield a clause about what there is nothing to compare with.

    A benchmark of which nothing is compared counts once, whatever its metrics, as one that is gone.
    """
    changes = [item for item in items if item.question in _CHANGES]
    is_new = [item.answer is Answer.NEW for item in changes]
    places = [(item.place, item.case) for item in changes]
    compared = {place for place, alone in zip(places, is_new, strict=True) if not alone}
    names = (
        (*place, item.metric if place in compared else "")
        for place, item in zip(places, changes, strict=True)
    )
    new = len(set(itertools.compress(names, is_new)))
    is_gone = any(item.answer is Answer.MISSING and item.source for item in items)
    if new and all(is_new) and not is_gone:
        yield "no baseline to compare with"
    elif new:
        yield f"{new:,} new"
    if unlisted := sum(i.answer is Answer.NEW and i.question not in _CHANGES for i in items):
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
        case (
            Answer.SLOWER
            | Answer.SUSPECT
            | Answer.CHANGED
            | Answer.INCONCLUSIVE
            | Answer.NOT_COMPARABLE
        ) if item.effect is Effect.NOTE and not item.guardrail:
            return f"{_NOTED} {item.answer}"
    return ""
