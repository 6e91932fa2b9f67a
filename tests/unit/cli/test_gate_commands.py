"""Exit codes of every command that decides, on each kind of case, by the one gate."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.ab_result import ABResult
from veperf.cli.main import veperf
from veperf.core.ab_records import ABRun
from veperf.core.errors import VeperfError
from veperf.core.verdict import ChangeStatus

SPREAD = (-2, -1, -1, 0, 0, 0, 1, 1, 2, 0)
LAX = ab_run(change("mine/a", ChangeStatus.SLOWER, ratio=1.1))
ASKED = replace(LAX, config=replace(LAX.config, fail_over_given=True))
MODULE = "github.com/virtengine/virtengine"


def go(path: Path, name: str, ns: float, unit: str = "ns/op", package: str = "m/p") -> Path:
    """A file of ten repetitions around ``ns``."""
    rows = "".join(f"{name} 1000 {ns * (1 + d / 500):.4f} {unit}\n" for d in SPREAD)
    path.write_text(f"pkg: {package}\n{rows}")
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(veperf, [str(word) for word in words])


def exit_code(done: Result) -> int:
    """The exit code, which the outermost command makes of veperf's errors."""
    return done.exception.exit_code if isinstance(done.exception, VeperfError) else done.exit_code


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a policy, where no report is rendered."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "veperf.report.pages.render.publish_run_report", lambda *_, **__: tmp_path / "index.html"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("new", "options", "code", "said"),
    [
        (("BenchmarkA", 100), (), 0, "✓ Pass"),
        (("BenchmarkA", 1000), (), 1, "✗ Fail: 1 slower (BenchmarkA, by 900"),
        (("BenchmarkA", 140), ("--fail-over", "50%"), 0, "1 suspect"),
        (("BenchmarkA", 140), ("--fail-over", "50%", "--strict"), 4, "1 suspect"),
        (("BenchmarkA", 140), ("--fail-over", "50%", "--on-suspect", "fail"), 1, "1 suspect"),
        (("BenchmarkA", 140), ("--fail-over", "50%", "--on-suspect", "note"), 0, "✓ Pass"),
        (("BenchmarkA", 101.8), (), 0, "▲ Pass, with warnings: 1 suspect"),
        (("BenchmarkA", 101.8), ("--warn-over", "3%"), 0, "✓ Pass: 1 noted as suspect against"),
        (("BenchmarkA", 1000), ("--warn-over", "30%"), 2, "warn_over can't be more than"),
        (("BenchmarkA", 100), ("--better", "ns=higher"), 2, "known of ns that lower is better"),
        (("BenchmarkA", 100), ("--policy", "/dev/zero"), 2, "is a pipe, socket or device"),
        (("BenchmarkB", 100), (), 3, "Nothing in common"),
        (("BenchmarkB", 100), ("--on-not-measured", "note"), 3, "Nothing in common"),
        (("BenchmarkA", 100, "score"), (), 3, "Nothing in common"),
    ],
)
def test_compare(
    folder: Path, new: Sequence[object], options: Sequence[str], code: int, said: str
) -> None:
    """By threshold, policy and strictness; nothing in common is never a pass."""
    old = go(folder / "old.txt", "BenchmarkA", 100)
    done = run("compare", old, go(folder / "new.txt", *new), *options)  # type: ignore[arg-type]

    assert code == exit_code(done), done.output
    assert said in f"{done.output}{done.exception}".replace("\u202f", " ")


def test_compare_takes_a_changed_direction_for_a_warning(folder: Path) -> None:
    """Until it is said which is better."""
    old = go(folder / "old.txt", "BenchmarkA", 100, "points")
    new = go(folder / "new.txt", "BenchmarkA", 50, "points")

    assert [0, 4, 1, 0] == [
        run("compare", old, new, *options).exit_code
        for options in (
            (),
            ("--strict",),
            ("--better", "points=higher"),
            ("--better", "points=lower"),
        )
    ]


def test_compare_fails_a_failed_command(folder: Path) -> None:
    """Values beside a failure count for nothing; a policy may take that for less."""
    for name, code in (("old", 0), ("new", 127)):
        results = [
            {"command": c, "times": [1.0 + i / 99 for i in range(9)], "exit_codes": [e] * 9}
            for c, e in (("build", code), ("test", 0))
        ]
        (folder / f"{name}.json").write_text(json.dumps({"results": results}))
    pair = folder / "old.json", folder / "new.json"

    assert 3 == run("compare", *pair).exit_code
    assert 0 == run("compare", *pair, "--on-failed", "warn").exit_code
    (folder / "veperf.toml").write_text('[gate]\nfailed = "warn"\n')
    assert 0 == run("compare", *pair).exit_code
    assert 3 == run("compare", *pair, "--on-failed", "error").exit_code


def test_explain_prints_every_question_with_its_rule(folder: Path) -> None:
    """Answer, effect, threshold and reason, in any command that decides."""
    old = go(folder / "old.txt", "BenchmarkA", 100)
    done = run("compare", old, go(folder / "new.txt", "BenchmarkA", 1000), "--explain")

    assert "✗ fails: change m-p/BenchmarkA: slower" in done.output
    assert "rule: a failure where surely over 20\u202f% slower" in done.output
    assert "why: 900\u202f% slower" in done.output


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ("", 1),
        ("[gate]\nfail_over = '99%'\n", 0),
        ("[[gate.rules]]\nmatch = '*/BenchmarkA'\nfail_over = '99%'\n", 0),
        ("[[gate.rules]]\nmatch = '*/BenchmarkB'\nfail_over = '99%'\n", 1),
        ("[gate]\nfail_over = 5\n", 2),
        ("[gate]\nmissing = 'pass'\n", 2),
        ("[gate]\nknown_misses = ['no/target']\n", 2),
    ],
)
def test_the_policy_of_a_file(folder: Path, rules: str, code: int) -> None:
    """Thresholds by glob; a broken file ends every command with 2."""
    (folder / "policy.toml").write_text(rules)
    old, new = go(folder / "o.txt", "BenchmarkA", 100), go(folder / "n.txt", "BenchmarkA", 160)

    done = run("compare", old, new, "--policy", folder / "policy.toml")

    assert code == exit_code(done), done.output


def test_an_option_wins_over_a_rule(folder: Path) -> None:
    """Also where it says the default; and a rule that is about nothing here is named."""
    (folder / "veperf.toml").write_text(
        "[[gate.rules]]\nmatch = '*/BenchmarkA'\nfail_over = '99%'\n"
        "[[gate.rules]]\nmatch = 'zk_*'\nfail_over = '99%'\n"
    )
    old, new = go(folder / "o.txt", "BenchmarkA", 100), go(folder / "n.txt", "BenchmarkA", 160)

    by_rule = run("compare", old, new)
    by_option = run("compare", old, new, "--fail-over", "20%")

    assert [0, 1] == [by_rule.exit_code, by_option.exit_code]
    assert "Rule 2 ('zk_*') of veperf.toml matched nothing" in by_rule.output
    assert "Rule 1" not in by_rule.output


def test_a_noted_failure_is_in_the_headline(folder: Path) -> None:
    """By name: whoever reads a pass must see what was let pass."""
    rule = "[[gate.rules]]\nmatch = '*/BenchmarkB'\nfailed = 'note'\nreason = 'known'\n"
    (folder / "veperf.toml").write_text(rule)
    old, new = go(folder / "o.txt", "BenchmarkA", 100), go(folder / "n.txt", "BenchmarkA", 100)
    new.write_text(new.read_text() + "BenchmarkB 1 5 ns/op\n--- FAIL: BenchmarkB\nFAIL\n")

    done = run("compare", old, new)

    assert 0 == done.exit_code, done.output
    assert "✓ Pass: 1 noted as failed (BenchmarkB)" in done.output
    (folder / "veperf.toml").write_text(rule + "metric = 'time'\n")
    assert 3 == run("compare", old, new).exit_code


def test_a_benchmark_that_is_gone_is_named_once(folder: Path) -> None:
    """Not as the case and as the Go benchmark that the list has; by name, too, if it may go."""
    package = f"{MODULE}/pkg/provider_daemon"
    rest = go(folder / "new.txt", "BenchmarkPriceCalculation", 10, package=package)
    gone = go(folder / "gone.txt", "BenchmarkRateLimiter-8", 10, package=package)
    base = folder / "old.txt"
    base.write_text(rest.read_text() + gone.read_text())
    error, note = run("compare", base, rest), run("compare", base, rest, "--on-missing", "note")

    assert 3 == error.exit_code
    assert 1 == error.output.partition("\n✗")[2].count("RateLimiter")
    assert "noted as missing" in note.output


def gate_file(folder: Path, text: str, *options: str) -> Result:
    """Import a Go file and gate the run."""
    (folder / "bench.txt").write_text(text)
    archive = ("--archive", folder / "archive")
    assert 0 == run("import", folder / "bench.txt", *archive).exit_code
    return run("ci", "--run", "last", *archive, *options)


def listed(*names: str, ns: int = 500) -> str:
    rows = "".join(f"{name}-8 1000 {ns} ns/op\n" * 6 for name in names)
    return f"pkg: {MODULE}/tests/benchmark\n{rows}"


def test_ci_judges_listed_functions_and_shows_the_others(folder: Path) -> None:
    """Of VirtEngine's own packages; those with a target that are gone have no answer."""
    options = ("--on-missing", "note")
    good = gate_file(
        folder, listed("BenchmarkTransactionHashComputation", "BenchmarkBrandNew"), *options
    )
    slow = gate_file(folder, listed("BenchmarkTransactionHashComputation", ns=9000), *options)
    gone = gate_file(folder, listed("BenchmarkTransactionHashComputation"))
    only_new = gate_file(folder, listed("BenchmarkBrandNew"), *options)
    unknown = gate_file(folder, f"pkg: {MODULE}/x/new\n" + "BenchmarkA 1 2 ns/op\n" * 6)
    broken = gate_file(
        folder,
        listed("BenchmarkTransactionHashComputation")
        + "--- FAIL: BenchmarkTransactionHashComputation\nFAIL\n",
        *options,
    )

    codes = [done.exit_code for done in (good, slow, gone, only_new, unknown, broken)]
    assert [0, 1, 3, 3, 3, 3] == codes, [good.output, slow.output]
    assert "1 of 1 target met" in good.output
    assert "1 shown, not judged" in good.output


@pytest.mark.parametrize(
    ("comparison", "options", "code"),
    [
        (ab_run(change("mine/a", ChangeStatus.OK)), (), 0),
        (ab_run(change("mine/a", ChangeStatus.SLOWER, ratio=1.1)), (), 1),
        (ab_run(change("mine/a", ChangeStatus.SLOWER, ratio=1.04)), (), 0),
        (ab_run(change("mine/a", ChangeStatus.SLOWER, ratio=1.1)), ("--fail-over", "20%"), 0),
        (LAX, ("--policy", "lax.toml"), 0),
        (LAX, ("--policy", "lax.toml", "--fail-over", "5%"), 1),
        (ASKED, ("--policy", "lax.toml"), 1),
        (ab_run(change("mine/a", ChangeStatus.INCONCLUSIVE)), (), 0),
        (ab_run(change("mine/a", ChangeStatus.INCONCLUSIVE)), ("--strict",), 4),
        (ab_run(change("mine/a", ChangeStatus.INCONCLUSIVE), stopped="time"), (), 4),
        (ab_run(change("mine/a", ChangeStatus.ERROR)), (), 3),
        (ab_run(change("mine/a", ChangeStatus.ONE_SIDED)), (), 3),
        (ab_run(), (), 3),
    ],
)
def test_ab(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    comparison: ABRun,
    options: Sequence[str],
    code: int,
) -> None:
    """A comparison that was made ends as the table says, in JUnit as well.

    What was asked for, though it is the default, wins over the file.
    """
    (folder / "lax.toml").write_text("[gate]\nfail_over = '50%'\n")
    monkeypatch.setattr("veperf.abtest.run.ab", lambda *_, **__: ABResult(comparison, folder))

    done = run("ab", "main", *options, "--export", "junit", folder / "junit.xml", "--explain")

    assert code == done.exit_code, done.output
    xml = (folder / "junit.xml").read_text()
    assert (code == 1) == ("<failure" in xml)
    assert (code == 3) == ("<error" in xml)
