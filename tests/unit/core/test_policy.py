"""The policy of the gate, read from files that people write; the first rule that fits decides."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.gate import Effect, KnownMiss
from veperf.core.policy import (
    DEFAULT_POLICY,
    GatePolicy,
    find_policy,
    policy_from,
    read_policy,
    resolve_policy,
)

WHOLE = """
[gate]
fail_over = "10%"
warn_over = 0.02
not_measured = "warn"
strict = true

[[gate.rules]]
match = ["zk_proof/*", "bidding"]
metric = "time"
fail_over = "30%"

[[gate.rules]]
match = "*/throughput"
not_measured = "note"
reason = "quick does not search"

[gate.known_misses."transaction/validation"]
reason = "the signature check alone takes longer"
floor = "transaction/validation_library"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_a_whole_file(project: Path) -> None:
    """Ratios are text or numbers, `match` one glob or several, known misses have reasons."""
    (project / "veperf.toml").write_text(WHOLE)

    policy = find_policy(project / "a" / "b")

    assert (0.1, 0.02, "warn", True) == (
        policy.fail_over, policy.warn_over, policy.not_measured, policy.strict,
    )  # fmt: skip
    assert "veperf.toml" == policy.source
    expected = KnownMiss("the signature check alone takes longer", "transaction/validation_library")
    assert {"transaction/validation": expected} == policy.known_misses
    assert policy == resolve_policy(project / "veperf.toml")


def test_rules_decide_before_the_whole() -> None:
    """By case, benchmark, suite or target, and by metric; the words name the rule."""
    table = {
        "fail_over": "10%",
        "rules": [
            {"match": "zk_proof/age*", "metric": "time", "fail_over": "30%"},
            {"match": "zk_proof", "fail_over": "20%", "suspect": "note", "reason": "noisy"},
        ],
    }
    policy = policy_from(table, "veperf.toml")

    def over(case: str, metric: str = "time") -> float:
        return policy.threshold("fail_over", case, metric, 0.05)[0]

    assert [0.3, 0.2, 0.2, 0.1] == [
        over("zk_proof/age_proof[bits=8]"),
        over("zk_proof/age_proof", "memory_peak"),
        over("zk_proof/nonce"),
        over("transaction/sign"),
    ]
    assert (Effect.NOTE, "suspect is a note for zk_proof in veperf.toml: noisy") == (
        policy.effect_of("suspect", "zk_proof/nonce")
    )
    assert (Effect.WARN, "suspect is a warning") == policy.effect_of("suspect", "bidding/signing")
    assert 0.1 == policy.least_fail_over(0.05)
    assert None is DEFAULT_POLICY.least_fail_over(0.05)


def test_options_win_and_are_named() -> None:
    """What the command line says comes before the file, and the rule says so."""
    policy = policy_from({"suspect": "note", "missing": "warn"}, "veperf.toml")

    chosen = policy.with_options({"suspect": "fail"}, {"suspect": "--on-suspect"})

    assert (Effect.FAIL, "suspect is a failure (--on-suspect)") == chosen.effect_of(
        "suspect", "a/b"
    )
    assert (Effect.WARN, "missing is a warning (veperf.toml)") == chosen.effect_of("missing", "a/b")


@pytest.mark.parametrize("name", ["zk_proof/age", "zk_proof/nonce", "transaction/sign"])
def test_options_win_over_rules(name: str) -> None:
    """Whatever a rule says of the case; what no option says is as the rule says."""
    rule = {"match": "zk_proof", "fail_over": "30%", "suspect": "note", "reason": "noisy"}
    policy = policy_from({"fail_over": "10%", "rules": [rule]}, "veperf.toml")

    chosen = policy.with_options({"fail_over": 0.05}, {"fail_over": "--fail-over"})

    expected = (0.05, "5\u202f% (--fail-over)")
    assert expected == chosen.threshold("fail_over", name, "time", 0.2)
    assert 0.05 == chosen.least_fail_over(0.2)
    assert policy.effect_of("suspect", name) == chosen.effect_of("suspect", name)
    again = policy_from(chosen.table())
    assert 0.05 == again.threshold("fail_over", name, "time", 0.2)[0]


def test_a_rule_with_a_metric_says_nothing_about_the_whole() -> None:
    """A benchmark that failed or is gone did so with all its metrics."""
    rule = {"match": "a", "missing": "note", "failed": "note", "reason": "known"}
    of_time, of_all = (policy_from({"rules": [{**rule, **m}]}) for m in ({"metric": "time"}, {}))

    for situation in ("missing", "failed"):
        effects = [
            policy.effect_of(situation, "a/b", metric)[0]
            for policy in (of_time, of_all)
            for metric in ("", "time", "allocs")
        ]
        assert [Effect.ERROR, Effect.NOTE, Effect.ERROR, *[Effect.NOTE] * 3] == effects


def test_rules_that_match_nothing_are_named() -> None:
    """With their number and the pattern, or the metric, that fits no question."""
    rules = [
        {"match": "zk_proof/*", "fail_over": 0.1},
        {"match": ["zk_proof/age", "zk_*x"], "fail_over": 0.1},
        {"match": "zk_proof", "metric": "tme", "fail_over": 0.1},
    ]
    policy = policy_from({"rules": rules}, "veperf.toml")

    assert (
        "rule 2 ('zk_*x') of veperf.toml matched nothing",
        "rule 3 ('zk_proof'; metric 'tme') of veperf.toml matched nothing",
    ) == policy.unmatched_rules([("zk_proof/age", ""), ("zk_proof/age", "time")])


def test_a_warning_that_can_not_be_given_is_refused() -> None:
    """As all beyond its threshold fails, be that said or the default."""
    for options in ({"warn_over": 0.3}, {"warn_over": 0.1, "fail_over": 0.05}):
        with pytest.raises(UsageError, match="warn_over can't be more than fail_over"):
            DEFAULT_POLICY.with_options(options, dict.fromkeys(options, "--x"))
    stricter = GatePolicy(warn_over=0.1).with_options({"fail_over": 0.05}, {})
    assert 0.05 == stricter.fail_over


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[gate", "no TOML file"),
        ("\x00", "no TOML file"),
        ("a = 1", "a is unknown; there are modules, select, archive, baselines, commit_url, gate"),
        ("gate = 1", "gate must be a table"),
        ("[gate]\nfail_over = 5", "write 5% or 0.05"),
        ("[gate]\nfail_over = nan", "gate.fail_over must be at least 0.1%"),
        ("[gate]\nfail_over = true", "gate.fail_over"),
        ("[gate]\nfail_over = '2%'\nwarn_over = '3%'", "can't be more than"),
        ("[gate]\nwarn_over = '21%'", "21\u202f% is more than 20\u202f%"),
        (
            "[[gate.rules]]\nmatch = 'a'\nfail_over = '2%'\nwarn_over = '3%'",
            r"rules\[0\].warn_over",
        ),
        ("[gate]\nfail_over='2%'\n[[gate.rules]]\nmatch='a'\nwarn_over='3%'", "can't be more than"),
        ("[[gate.rules]]\nmatch = 'a'\nmissing = 'note'\nreason = ' '", "reason says nothing"),
        ("[[gate.rules]]\nmatch = 'a'\nmissing = 'note'\nreason = '\u200b'", "says nothing"),
        ("[gate.known_misses.a]\nreason = '  '", "reason says nothing"),
        ("[[gate.rules]]\nmatch = ' '\nfail_over = 0.1", "needs `match`"),
        ("[gate]\nmissing = 'fail'", "must be note, warn, inconclusive or error, not 'fail'"),
        ("[gate]\nsuspect = 'error'", "must be note, warn, inconclusive or fail, not 'error'"),
        ("[gate]\nsuspekt = 'note'", "did you mean suspect?"),
        ("[gate]\nstrict = 'yes'", "gate.strict"),
        ("[gate]\nrules = 1", "must be tables"),
        ("[gate]\nrules = [1]", r"gate.rules\[0\] must be a table"),
        ("[[gate.rules]]\nmatch = 1\nfail_over = 0.1", r"gate.rules\[0\].match"),
        ("[[gate.rules]]\nmatch = []\nfail_over = 0.1", "needs `match`"),
        ("[[gate.rules]]\nmatch = 'a'", "and a setting"),
        ("[[gate.rules]]\nmatch = 'a'\nmissing = 'note'", "needs a `reason`"),
        ("[[gate.rules]]\nmatch = 'a'\nfail_ovr = 0.1", "did you mean fail_over?"),
        ("[gate]\nknown_misses = 1", "must be tables"),
        ("[gate.known_misses.a]", "needs a `reason`"),
        ("[gate]\nknown_misses.a = 1", "must be a table with a reason"),
        ("[gate]\nknown_misses.a.reason = 1", "must be text"),
        ("[gate]\nknown_misses.a.why = ''", "why is no option"),
    ],
)
def test_a_broken_file_is_named_with_the_key(project: Path, text: str, said: str) -> None:
    """With what may stand there, in one line."""
    (project / "veperf.toml").write_text(text)

    with pytest.raises(CorruptFileError, match=said) as caught:
        find_policy(project)
    assert "veperf.toml" in str(caught.value)
    assert 2 == caught.value.exit_code


def test_pyproject_and_the_root_of_the_repository(project: Path) -> None:
    """[tool.veperf.gate] does as well; other tools' tables and what is above are not looked at."""
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (project.parent / "veperf.toml").write_text("[gate]\nstrict = true\n")
    try:
        assert DEFAULT_POLICY == find_policy(project / "a")
    finally:
        (project.parent / "veperf.toml").unlink()

    (project / "pyproject.toml").write_text("[tool.veperf.gate]\nstrict = true\n")
    assert find_policy(project / "a").strict
    (project / "pyproject.toml").write_text("[tool.veperf]\ngates = 1\n")
    with pytest.raises(CorruptFileError, match=r"tool\.veperf\.gates is unknown"):
        find_policy(project / "a")


def test_files_that_can_not_be_read(project: Path) -> None:
    """There is none, or it is a folder, a FIFO or a device, or too long to be a policy."""
    os.mkfifo(project / "fifo.toml")
    for path, said in (
        (project / "none.toml", "there is no file"),
        (project / "a" / "veperf.toml" / "x.toml", "there is no file"),
        (project, "is a folder"),
        (project / "fifo.toml", "is a pipe, socket or device"),
        (Path("/dev/zero"), "is a pipe, socket or device"),
        (project / ("x" * 300), "can't read"),
        (Path("a\0b"), "no name of a file"),
    ):
        with pytest.raises(UsageError, match=said):
            read_policy(path)
    (project / "veperf.toml").symlink_to(project / "nowhere")
    with pytest.raises(UsageError, match="there is no file"):
        find_policy(project / "a")
    (project / "long.toml").write_bytes(b"#" * (1 << 20) + b"\n#")
    with pytest.raises(CorruptFileError, match="over 1048576 bytes"):
        read_policy(project / "long.toml")


def test_a_policy_survives_its_table(project: Path) -> None:
    """As notebooks get it: made of plain lists, texts and numbers."""
    (project / "veperf.toml").write_text(WHOLE)
    policy = find_policy(project)

    again = policy_from(policy.table())

    assert policy.table() == again.table()
    assert (policy.rules, policy.known_misses) == (again.rules, again.known_misses)
    assert GatePolicy().table() == resolve_policy(GatePolicy().table()).table()


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["gate", "rules", "match", "reason", "known_misses", "missing", "a"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["rules", "known_misses", "fail_over", "x"]), PLAIN))
def test_whatever_stands_there_is_read_or_refused(table: dict[str, object]) -> None:
    """With an error of veperf's, and nothing else."""
    with contextlib.suppress(CorruptFileError):
        assert "veperf.toml" == policy_from(table, "veperf.toml").source
