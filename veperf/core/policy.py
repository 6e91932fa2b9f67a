"""Policy of the gate: what each answer does, by a project's file and by options.

The file is ``veperf.toml`` (or ``pyproject.toml``, where the tables begin with ``tool.veperf``)::

    [gate]
    fail_over = "10%"                       # surely slower by more is a failure
    warn_over = "2%"                        # ... a warning
    not_measured = "warn"                   # note, warn, inconclusive or error

    [[gate.rules]]                          # exceptions; the first that fits and says it decides
    match = ["zk_proof/*", "*/throughput"]  # cases, suites or targets; globs
    metric = "time"                         # all when left out; a glob
    fail_over = "20%"
    reason = "proofs vary with the number of rejected points"

    [gate.known_misses."transaction/validation"]
    reason = "the signature check alone takes longer than the limit"
    floor = "transaction/validation_library"

What is said last and closest wins: an option of the command, else the first rule that fits and says
it, else the file as a whole, else the default.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.gate import Effect, KnownMiss
from veperf.core.option_fields import Options, Ratio, option_fields, options_from
from veperf.core.options import Doubtful, PolicyOptions, Unanswered, Undecided
from veperf.core.project import Project, find_project, read_project
from veperf.core.text import format_exact

_MAX_RULES = 1000
MOST_FAIL_OVER = 0.2
"""Largest threshold of a failure where nobody has set one: of times against those of another
time."""

Situation: TypeAlias = Literal[
    "failed", "missing", "not_measured", "inconclusive", "suspect", "changed", "not_comparable"
]
"""Name of the setting that says what an answer does."""
_WORDS: Mapping[Situation, str] = {
    "failed": "failed",
    "missing": "missing",
    "not_measured": "not measured",
    "inconclusive": "inconclusive",
    "suspect": "suspect",
    "changed": "changed",
    "not_comparable": "not comparable",
}
_EFFECTS: Mapping[str, str] = {
    "note": "a note",
    "warn": "a warning",
    "inconclusive": "inconclusive",
    "fail": "a failure",
    "error": "an error",
}
Threshold: TypeAlias = Literal["fail_over", "warn_over"]
FailOver = Annotated[Ratio, Meta(ge=0.001, lt=1)]
WarnOver = Annotated[Ratio, Meta(ge=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class PolicyRule(Options):
    """Exception to the policy, for some cases or targets."""

    match: tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...]
    metric: Annotated[str, Meta(min_length=1, max_length=200)] = "*"
    reason: Annotated[str, Meta(max_length=500)] = ""
    fail_over: FailOver | None = None
    warn_over: WarnOver | None = None
    failed: Unanswered | None = None
    missing: Unanswered | None = None
    not_measured: Unanswered | None = None
    inconclusive: Undecided | None = None
    suspect: Doubtful | None = None
    changed: Doubtful | None = None
    not_comparable: Unanswered | None = None

    @property
    def settings(self) -> list[str]:
        """Names of what it sets."""
        names = vars(self).keys() - {"match", "metric", "reason"}
        return sorted(name for name in names if getattr(self, name) is not None)

    def fits(self, name: str, metric: str) -> bool:
        """Return True for a question about the case or target ``name``.

        It is about its ``metric``, or about the whole of it where that is empty; a rule with a
        metric decides nothing about the whole.
        """
        names = (name, name.partition("[")[0], name.partition("/")[0])
        is_named = any(
            pattern in names or fnmatchcase(name, pattern) or fnmatchcase(names[1], pattern)
            for pattern in self.match
        )
        return is_named and fnmatchcase(metric, self.metric)


@dataclass(frozen=True, kw_only=True)
class GatePolicy(PolicyOptions):
    """Effects of answers, with thresholds and exceptions. Without arguments it is the default."""

    fail_over: FailOver | None = None
    """A slowdown surely beyond this is a failure. None: 5 % side by side and of counts, 20 % of
    times against what was measured at another time."""
    rules: tuple[PolicyRule, ...] = ()
    known_misses: Mapping[str, KnownMiss] = field(default_factory=dict)
    """By the target's id."""
    source: str = ""
    """File that it was read from."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """File or option that a setting comes from, by its name; defaults are not in it."""

    def effect_of(self, situation: Situation, name: str, metric: str = "") -> tuple[Effect, str]:
        """Return what an answer about the case or target ``name`` does, and by which rule."""
        for rule in self._rules(name, metric):
            if (effect := getattr(rule, situation)) is not None:
                words = f"{_WORDS[situation]} is {_EFFECTS[effect]}"
                where = f" in {self.source}" if self.source else ""
                return Effect(effect), f"{words} for {', '.join(rule.match)}{where}: {rule.reason}"
        effect = getattr(self, situation)
        origin = self.origins.get(situation, "")
        words = f"{_WORDS[situation]} is {_EFFECTS[effect]}"
        return Effect(effect), f"{words} ({origin})" if origin else words

    def threshold(
        self, kind: Threshold, name: str, metric: str, default: float
    ) -> tuple[float, str]:
        """Return the threshold for a metric of the case ``name``, and words for it.

        ``default`` is for where neither a rule nor the policy as a whole says any.
        """
        for rule in self._rules(name, metric):
            if (ratio := getattr(rule, kind)) is not None:
                return ratio, f"{format_exact(100 * ratio, '%')} for {', '.join(rule.match)}"
        ratio = getattr(self, kind)
        ratio = default if ratio is None else ratio
        origin = self.origins.get(kind, "")
        return ratio, format_exact(100 * ratio, "%") + (f" ({origin})" if origin else "")

    def with_options(self, settings: Mapping[str, Any], flags: Mapping[str, str]) -> "GatePolicy":
        """Return the policy with ``settings`` by name, which come from ``flags``.

        No rule says otherwise then: what somebody asks of one command comes before the file.

        Raises:
            UsageError: the threshold of a warning is chosen, and more than that of a failure.
        """
        rules = tuple(_without(rule, settings) for rule in self.rules)
        chosen = replace(self, **settings, rules=rules, origins={**self.origins, **flags})
        if "warn_over" in settings:
            _require_room(chosen.warn_over, chosen.fail_over, "")
        return chosen

    def unmatched_rules(self, questions: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Return a note on each rule with a pattern that fits none of ``questions``.

        They are names of cases or targets, each with a metric, or with none for the whole.
        """
        every = dict.fromkeys(questions)
        notes = []
        for number, rule in enumerate(self.rules, 1):
            each = (replace(rule, match=(pattern,)) for pattern in rule.match)
            idle = [r.match[0] for r in each if not any(r.fits(*question) for question in every)]
            if idle:
                what = ", ".join(map(repr, idle))
                what += f"; metric {rule.metric!r}" if rule.metric != "*" else ""
                where = f" of {self.source}" if self.source else ""
                notes.append(f"rule {number} ({what}){where} matched nothing")
        return tuple(notes)

    def least_fail_over(self, default: float) -> float | None:
        """Return the smallest threshold of a failure that any case has, if the policy says any.

        ``default`` is the smallest where it says none.
        """
        exceptions = [rule.fail_over for rule in self.rules if rule.fail_over is not None]
        if not exceptions:
            return self.fail_over
        return min(default if self.fail_over is None else self.fail_over, *exceptions)

    def with_known_misses(self, ids: Collection[str]) -> "GatePolicy":
        """Return the policy with ``ids`` as known misses, too."""
        named = {id: self.known_misses.get(id, KnownMiss("named as a known miss")) for id in ids}
        return replace(self, known_misses={**self.known_misses, **named}) if named else self

    def table(self) -> dict[str, Any]:
        """Return the policy as the table ``[gate]`` of a file, from which it can be made again."""
        settings = {f.name: getattr(self, f.name) for f in option_fields(PolicyOptions)}
        rules = [
            {n: list(v) if n == "match" else v for n, v in vars(rule).items() if v is not None}
            for rule in self.rules
            if rule.settings
        ]
        misses = {id: msgspec.to_builtins(miss) for id, miss in self.known_misses.items()}
        whole = {"fail_over": self.fail_over} if self.fail_over is not None else {}
        return {**settings, **whole, "rules": rules, "known_misses": misses}

    def _rules(self, name: str, metric: str) -> Iterator[PolicyRule]:
        return (rule for rule in self.rules if rule.fits(name, metric))


DEFAULT_POLICY = GatePolicy()


def policy_from(table: Mapping[str, object], source: str = "", path: str = "gate.") -> GatePolicy:
    """Return the policy in the table ``[gate]`` of the file ``source``.

    Raises:
        CorruptFileError: a key is unknown, or a value is of the wrong type or out of bounds.
    """
    try:
        return _policy(table, source, path)
    except UsageError as error:
        where = source or "the gate's policy"
        raise CorruptFileError(f"{where}: {error}; see docs/verdicts.md") from error


def _policy(table: Mapping[str, object], source: str, path: str) -> GatePolicy:
    settings = {key: value for key, value in table.items() if key not in {"rules", "known_misses"}}
    options = options_from(_GateTable, settings, path=path)
    rules = _read_rules(table.get("rules", ()), f"{path}rules")
    _require_room(options.warn_over, options.fail_over, path)
    for number, rule in enumerate(rules):
        if rule.warn_over is not None:
            fail_over = options.fail_over if rule.fail_over is None else rule.fail_over
            _require_room(rule.warn_over, fail_over, f"{path}rules[{number}].")
    return GatePolicy(
        **vars(options),
        rules=rules,
        known_misses=_read_misses(table.get("known_misses", {}), f"{path}known_misses"),
        source=source,
        origins=dict.fromkeys(settings, source),
    )


@dataclass(frozen=True, kw_only=True)
class _GateTable(PolicyOptions):
    """The plain settings of the table ``[gate]``."""

    fail_over: FailOver | None = None


def _without(rule: PolicyRule, settings: Collection[str]) -> PolicyRule:
    unset: dict[str, Any] = dict.fromkeys(name for name in rule.settings if name in settings)
    return replace(rule, **unset)


def _require_room(warn_over: float, fail_over: float | None, path: str) -> None:
    """Refuse a warning that could never be given, as all beyond its threshold fails."""
    fail_over = MOST_FAIL_OVER if fail_over is None else fail_over
    if warn_over > fail_over:
        warn, fail = (format_exact(100 * ratio, "%") for ratio in (warn_over, fail_over))
        raise UsageError(
            f"{path}warn_over can't be more than fail_over: {warn} is more than {fail}"
        )


def _read_rules(tables: object, path: str) -> tuple[PolicyRule, ...]:
    if not isinstance(tables, list | tuple):
        raise UsageError(f"{path} must be tables [[{path}]], not {_short(tables)}")
    if len(tables) > _MAX_RULES:
        raise UsageError(f"{path} are {len(tables)}, and at most {_MAX_RULES} can be")
    rules = []
    for number, table in enumerate(tables):
        where = f"{path}[{number}]"
        if not isinstance(table, Mapping):
            raise UsageError(f"{where} must be a table, not {_short(table)}")
        match = table.get("match")
        names = {"match": (match,)} if isinstance(match, str) else {}
        rule = options_from(PolicyRule, {**table, **names}, path=f"{where}.")
        if not all(map(str.strip, rule.match or ("",))) or not rule.settings:
            raise UsageError(f"{where} needs `match`, and a setting such as fail_over")
        _refuse_blank(rule.reason, where)
        if not rule.reason and (effects := _WORDS.keys() & rule.settings):
            raise UsageError(f"{where} sets {min(effects)}, and needs a `reason`")
        rules.append(rule)
    return tuple(rules)


def _read_misses(table: object, path: str) -> dict[str, KnownMiss]:
    if not isinstance(table, Mapping):
        raise UsageError(
            f'{path} must be tables [{path}."ID"], each with a reason, not {_short(table)}'
        )
    misses = {}
    for id, facts in table.items():
        where = f'{path}."{id}"'
        if not isinstance(facts, Mapping):
            raise UsageError(f"{where} must be a table with a reason, not {_short(facts)}")
        if unknown := facts.keys() - {"reason", "floor"}:
            raise UsageError(f"{where}.{min(unknown)} is no option: there are reason and floor")
        for key, text in facts.items():
            if not isinstance(text, str):
                raise UsageError(f"{where}.{key} must be text, not {_short(text)}")
        if not facts.get("reason"):
            raise UsageError(f"{where} needs a `reason`")
        _refuse_blank(facts["reason"], where)
        misses[str(id)] = KnownMiss(**facts)
    return misses


def _refuse_blank(reason: str, where: str) -> None:
    if reason and not any(map(str.isalnum, reason)):
        raise UsageError(f"{where}.reason says nothing: {_short(reason)}")


def resolve_policy(policy: "GatePolicy | Mapping[str, object] | str | Path | None") -> GatePolicy:
    """Return the policy that ``policy`` is, or is the table or the file of; else the project's.

    Raises:
        CorruptFileError, UsageError: as ``policy_from`` and ``read_policy``.
    """
    if isinstance(policy, GatePolicy):
        return policy
    if not policy:
        return find_policy()
    if isinstance(policy, Mapping):
        return policy_from(policy)
    return read_policy(Path(policy))


def find_policy(start: Path | None = None) -> GatePolicy:
    """Read the policy of the project that ``start``, or the current folder, is in.

    The default where the project has no file.

    Raises:
        CorruptFileError: the file is broken, as ``policy_from``.
        UsageError: it can't be read.
    """
    return _policy_of(find_project(start))


def read_policy(path: Path) -> GatePolicy:
    """Read the policy in the file ``path``: in its table ``[gate]``, or ``[tool.veperf.gate]``.

    Raises:
        CorruptFileError: it is no TOML file, or as ``policy_from``.
        UsageError: it can't be read.
    """
    return _policy_of(read_project(path))


def _policy_of(project: Project) -> GatePolicy:
    if project.file is None:
        return DEFAULT_POLICY
    policy = policy_from(project.gate, str(project.file), f"{project.prefix}gate.")
    name = project.file.name
    return replace(policy, source=name, origins=dict.fromkeys(policy.origins, name))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
