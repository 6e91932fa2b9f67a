"""Exit codes of commands that show or hand on results: `sweep`, `report`, `export`; and where a
decision of `ci` goes."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.support.ab_runs import ab_run, change
from tests.support.archives import archive_of, dated_run
from tests.support.fleets import at, fleet, lacking
from tests.support.runs import CRASH, timed_run
from veperf.abtest.ab_result import ABResult
from veperf.abtest.fleet_result import FleetResult
from veperf.api.reports import report_view
from veperf.api.runs import load
from veperf.archive.comparisons import save_ab
from veperf.cli.main import main, veperf
from veperf.cluster.sweep_result import SweepResult
from veperf.core.errors import VeperfError
from veperf.core.gate import Outcome
from veperf.core.verdict import ChangeStatus

OK = at("small", change("demo/a", ChangeStatus.OK))
SLOWER = at("large", change("demo/a", ChangeStatus.SLOWER, ratio=1.1))
UNSURE = at("arm", change("demo/a", ChangeStatus.INCONCLUSIVE))
ROW = ("0", "demo", "main", "small", 0, "host", "20260101-box", "")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without a policy, whose archive has two runs and whose reports are not rendered."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "broken.toml").write_text("[gate]\nfail_over = 5\n")
    (tmp_path / "lax.toml").write_text("[gate]\nfail_over = '20%'\n")
    archive_of(tmp_path / "reports", [dated_run(0), dated_run(1)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "reports"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return tmp_path


@pytest.fixture
def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each report that would be rendered is made of."""
    made = []

    def publish(run: object, *_: object, **settings: object) -> Path:
        made.append({"run": run, **settings})
        return folder / "index.html"

    monkeypatch.setattr("veperf.report.pages.render.publish_run_report", publish)
    return made


def run(*words: str) -> Result:
    return CliRunner().invoke(veperf, words)


def exit_code(done: Result) -> int:
    """The exit code, which the outermost command makes of veperf's errors."""
    return done.exception.exit_code if isinstance(done.exception, VeperfError) else done.exit_code


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("outcome", "options", "code"),
    [
        (fleet(OK), [], 0),
        (fleet(OK, SLOWER), [], 1),
        (fleet(OK, SLOWER), ["--policy", "lax.toml"], 0),
        (fleet(OK, lacking("gpu")), [], 3),
        (fleet(OK, lacking("gpu")), ["--on-not-measured", "warn"], 0),
        (fleet(UNSURE), [], 0),
        (fleet(UNSURE), ["--strict", "--explain"], 4),
        (fleet(SLOWER), ["--policy", "broken.toml"], 2),
        (fleet(SLOWER), ["--resume", "last"], 2),
        (fleet(SLOWER), ["--summary", "none/summary.md"], 3),
        (SweepResult("nightly", (ROW,)), [], 0),
        (SweepResult("nightly", (ROW, (*ROW[:-2], "", "it crashed"))), [], 3),
    ],
    ids=range(12),
)
def test_sweep(
    outcome: SweepResult | FleetResult,
    options: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worst place decides, by the policy; a task without a result never passes."""
    monkeypatch.setattr("veperf.api.sweep.load_sweep", lambda *_: outcome)

    done = run("sweep", "--show", "last", *options)

    assert code == exit_code(done), done.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["report"], 0),  # it shows, and doesn't gate: nothing is judged here
        (["report", "20260101"], 0),
        (["report", "20270101"], 2),
        (["report", "--policy", "none.toml"], 2),
        (["report", "--policy", "broken.toml"], 2),
        (["report", "--known-miss", "no/such"], 2),
        (["report", "--baselines", "none"], 2),
        (["export", "--format", "go"], 0),
        (["export", "--format", "junit"], 0),
        (["export", "--format", "odd"], 2),
        (["export", "20270101", "--format", "go"], 2),
        (["export", "--format", "junit", "--known-miss", "no/such"], 2),
        (["export", "--format", "junit", "--policy", "broken.toml"], 2),
        (["export", "--format", "go", "-o", "go.txt"], 0),
        (["export", "--format", "go", "-o", "none/go.txt"], 3),
        (["export", "--format", "go", "-o", "."], 2),
        (["sweep"], 2),
        (["sweep", "--show"], 2),
        (["sweep", "none.toml", "--local"], 2),
    ],
)
def test_report_and_export(
    words: list[str], code: int, folder: Path, published: list[dict[str, Any]]
) -> None:
    """What is wrong is refused before a report is rendered or a file or folder made."""
    done = run(*words)

    assert code == exit_code(done), done.output
    assert (words[0] == "report" and code == 0) == bool(published)
    assert (words[-1] == "go.txt") == (folder / "go.txt").exists()
    assert not (folder / "none").exists()


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "--show", "last"],
        ["report"],
        ["export", "--format", "csv"],
        ["export", "--format", "parquet"],
        ["compare", "20260101", "last"],
        ["ci", "--run", "last"],
    ],
    ids="-".join,
)
def test_a_pipe_that_nobody_reads(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ends every command with 141, slower or not, and says nothing."""
    monkeypatch.setattr("veperf.api.sweep.load_sweep", lambda *_: fleet(SLOWER))
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        for name in ("stdout", "__stdout__"):
            monkeypatch.setattr(sys, name, pipe)
        monkeypatch.setattr(sys, "argv", ["veperf", *words])
        with pytest.raises(SystemExit) as ended:
            main()

    assert (141, "") == (ended.value.code, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("status", "options", "code"),
    [
        (ChangeStatus.SLOWER, [], 1),
        (ChangeStatus.SLOWER, ["--fail-over", "20%"], 0),
        (ChangeStatus.INCONCLUSIVE, ["--strict"], 4),
    ],
)
def test_the_report_has_the_decision_of_the_gate(
    status: ChangeStatus,
    options: list[str],
    code: int,
    folder: Path,
    published: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was compared side by side decides on its pages, too, with the options of the gate."""
    ab = ab_run(change("demo/a", status, ratio=1.1))
    kept = save_ab(folder / "reports", ab)
    monkeypatch.setattr("veperf.abtest.run.ab", lambda *_, **__: ABResult(ab, Path(kept)))

    done = run("ci", "--run", "last", "--against", "main", *options)

    (report,) = published
    view = report_view(
        load("last"), policy=report["policy"].table(), comparisons=list(report["comparisons"])
    )
    assert code == exit_code(done) == view.verdict.decision.exit_code, done.output
    assert view.verdict.decision.headline in done.output.replace("\n", " ")
    assert view.verdict.decision.outcome is view.of_suite("demo").verdict.decision.outcome
    assert "Side by side" in view.alerts.html


def test_the_report_has_the_directions_and_conditions_of_the_gate(
    folder: Path, published: list[dict[str, Any]]
) -> None:
    """As somebody said them of another tool's run, which is kept as it was read."""
    (folder / "new.txt").write_text("pkg: m/p\n" + "BenchmarkA 1 7 points\n" * 6)
    assert 0 == run("import", "new.txt").exit_code

    run("ci", "--run", "last", "--better", "points=lower", "--same-machine")

    (report,) = published
    assert {"points": "lower"} == report["better"]
    assert report["run"].same_machine
    assert ["unknown"] == [m.better for c in load("last").run.cases for m in c.metrics]
    directed = load("last", better=report["better"], same_machine=True).run
    assert report["run"] == directed


def test_suspects_that_were_confirmed_are_in_the_report(
    folder: Path, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is written before they are compared, and again with what that decided."""
    ab = ab_run(change("demo/a", ChangeStatus.SLOWER, ratio=1.1))
    confirm: Callable[..., list[ABResult]] = lambda *_: [ABResult(ab, folder)]  # noqa: E731
    monkeypatch.setattr("veperf.cli.ci._confirm_suspects", confirm)

    assert 1 == exit_code(run("ci", "--run", "last"))
    before, after = (report["comparisons"] for report in published)
    assert {} == before
    assert Outcome.FAIL is after[ab.id].outcome


def test_a_limit_that_todays_protocol_misses_is_told_with_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not in the report alone: "met" would stand there by itself."""
    measured = timed_run(
        {"zk_proof/commitment": [400.0] * 6, "zk_proof/commitment_pedersen": [36_000.0] * 6},
        targets={"zk_proof/commitment": "zk_proof/commitment"},
    )
    archive_of(folder / "reports", [measured])
    monkeypatch.setattr("veperf.api.runs.run", lambda *_, **__: load(measured.id))
    done = run("run")

    assert 0 == done.exit_code, done.output
    assert "1 of 9 met" in done.output
    assert "zk_proof/commitment is missed: 36.0" in done.output


def test_what_failed_is_told_with_the_run_though_nothing_has_a_target(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table alone, with its dashes, would pass for an answer."""
    measured = timed_run({"demo/a": [400.0] * 3, "demo/b": [CRASH] * 3})
    archive_of(folder / "reports", [measured])
    monkeypatch.setattr("veperf.api.runs.run", lambda *_, **__: load(measured.id))

    assert "✗ Could not measure: 1 failed (b)" in run("run").output


@pytest.mark.usefixtures("folder")
def test_the_id_of_a_run_goes_to_the_next_command(
    folder: Path, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    """`make report` judges the run that it made, though another one has been completed since."""
    monkeypatch.setattr("veperf.api.runs.run", lambda *_, **__: load(dated_run(0).id))
    done = run("run", "--id-file", "id")
    assert 0 == done.exit_code, done.output

    report = run("report", (folder / "id").read_text().strip())

    assert 0 == report.exit_code, report.output
    assert [dated_run(0).id] == [item["run"].id for item in published]
    assert 3 == exit_code(run("run", "--id-file", "none/id"))
