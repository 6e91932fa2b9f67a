"""``veperf ci --only-changed``: what is measured beside the comparison."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest import run as comparing
from veperf.abtest.ab_result import ABResult
from veperf.api import runs
from veperf.cli.main import veperf
from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.registry import select_cases
from veperf.core.verdict import ChangeStatus

AGAINST = ("ci", "--against", "HEAD", "--only-changed")
AFFECTED = "transaction/hash_compute"


def gate(
    monkeypatch: pytest.MonkeyPatch, archive: Path, affected: tuple[str, ...], *words: str
) -> tuple[str, tuple[str, ...] | None]:
    """Return what is printed, and what a run is asked to measure, if one is begun."""
    timed = [c.id for c in select_cases() if c.is_timed and c.level is not Level.LOAD]
    comparison = replace(
        ab_run(*(change(case, ChangeStatus.OK) for case in affected)),
        unaffected={case: "it is the same" for case in timed if case not in affected},
    )
    measured: list[tuple[str, ...]] = []

    def run(patterns: tuple[str, ...], **_: object) -> None:
        measured.append(patterns)
        raise UsageError("that is enough")

    monkeypatch.setattr(comparing, "ab", lambda *_, **__: ABResult(comparison, archive))
    monkeypatch.setattr(runs, "run", run)
    output = CliRunner().invoke(veperf, [*AGAINST, *words]).output
    return output, measured[0] if measured else None


def test_what_the_change_can_affect_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """And the loads of that suite, which are not compared; of the others nothing."""
    _, patterns = gate(monkeypatch, tmp_path, (AFFECTED,))

    assert patterns is not None
    loads = {c.id for c in select_cases(["transaction"]) if c.level is Level.LOAD}
    timed = {c.id for c in select_cases() if c.is_timed and c.level is not Level.LOAD}
    assert loads <= {*patterns}
    assert {AFFECTED} == {*patterns} & timed
    assert all(pattern.startswith("transaction/") for pattern in patterns)


def test_without_any_nothing_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """The comparison is the verdict."""
    output, patterns = gate(monkeypatch, tmp_path, ())

    assert patterns is None
    assert "the change can affect no benchmark" in output


def test_where_all_are_affected_nothing_is_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The run is asked for what the command was."""
    cases = tuple(case.id for case in select_cases(["zk_proof"]) if case.is_timed)

    _, patterns = gate(monkeypatch, tmp_path, cases, "zk_proof")

    assert ("zk_proof",) == patterns


@pytest.mark.parametrize("words", [("ci", "--only-changed"), (*AGAINST, "--run", "last")])
def test_it_takes_a_run_and_other_code(words: tuple[str, ...]):
    """Else it would be ignored."""
    result = CliRunner().invoke(veperf, words)

    assert 2 == result.exit_code
    assert "--only-changed is for a new run beside other code" in result.output
