"""`veperf ab` allows for the between-version noise that the archive has of this machine class."""

import contextlib
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest import run as ab_module
from veperf.abtest.comparison import pair_rule
from veperf.abtest.comparison_report import (
    comparison_facts,
    comparison_html,
    comparison_markdown,
    comparison_text,
)
from veperf.abtest.run import ab, ab_commands
from veperf.archive.storage.local import LocalStorage
from veperf.archive.version_noise import save_version_noise
from veperf.core.ab_records import ABConfig, ABRun
from veperf.core.case import TIME, Metric
from veperf.core.errors import CorruptFileError
from veperf.core.gate import GateDecision, Outcome
from veperf.core.verdict import ChangeStatus
from veperf.core.version_noise import KindNoise, VersionNoise
from veperf.measure.machine import describe_machine


def record(low: float) -> VersionNoise:
    overall = KindNoise("", 0.004, low, 0.009, 0.95, 12)
    return VersionNoise("2026-11-30T12:00:00+00:00", describe_machine(), overall, ())


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[ABConfig]:
    """Settings of the comparisons that were to be made; none is."""
    configs: list[ABConfig] = []

    def compare(old: object, new: object, config: ABConfig, *others: object) -> ABRun:
        configs.append(config)
        return ab_run(change("mine/work", ChangeStatus.OK))

    def compare_commands(
        commands: object, value: object, printed: object, config: ABConfig, *others: object
    ) -> ABRun:
        return compare(None, None, config)

    monkeypatch.setattr(ab_module, "compare_sides", compare)
    monkeypatch.setattr(ab_module, "compare_commands", compare_commands)
    monkeypatch.setattr(
        ab_module, "prepare_sides", lambda base, head: contextlib.nullcontext((None, None))
    )
    return configs


def test_noise_that_is_surely_there_is_in_the_settings(
    tmp_path: Path, compared: list[ABConfig]
) -> None:
    """None is kept: 0; it may be none: 0; it is surely more: that much."""
    for number, low in enumerate((None, 0.0, 0.001)):
        folder = tmp_path / str(number)
        if low is not None:
            save_version_noise(LocalStorage(folder), record(low))
        ab("main", archive=folder, progress=False)

    assert [0.0, 0.0, 0.004] == [config.version_noise for config in compared]


def test_commands_have_no_versions(tmp_path: Path, compared: list[ABConfig]) -> None:
    """The record is of Python code in this process's layout, not of whatever a shell runs."""
    save_version_noise(LocalStorage(tmp_path), record(0.001))

    ab_commands("true", "true", archive=tmp_path, progress=False)

    assert [0.0] == [config.version_noise for config in compared]


def test_a_damaged_record_stops_before_anything_is_measured(
    tmp_path: Path, compared: list[ABConfig]
) -> None:
    """Known noise must not become none in silence."""
    path = Path(save_version_noise(LocalStorage(tmp_path), record(0.001)))
    path.write_text("{")

    with pytest.raises(CorruptFileError, match="version-noise"):
        ab("main", archive=tmp_path, progress=False)
    assert [] == compared


def test_the_rule_allows_for_it_where_time_is_compared() -> None:
    """Figures such as bytes don't depend on where objects lie."""
    config = replace(ab_run().config, version_noise=0.004)

    assert 0.004 == pair_rule(config, TIME, 3).version_noise
    assert 0.0 == pair_rule(config, Metric("held", "B"), 3).version_noise


def test_the_report_says_so() -> None:
    """In text, HTML and Markdown; without a word where there is none."""
    plain = ab_run(change("mine/work", ChangeStatus.OK))
    allowing = replace(plain, config=replace(plain.config, version_noise=0.004))

    said = "noise of 0.40\u202f%, which verdicts and intervals allow for"
    assert ("Between versions", said) in comparison_facts(allowing)
    for render in (comparison_text, comparison_html, comparison_markdown):
        assert said in render(allowing, GateDecision(Outcome.PASS, 0, "fine"))
        assert "allow for" not in render(plain, GateDecision(Outcome.PASS, 0, "fine"))
