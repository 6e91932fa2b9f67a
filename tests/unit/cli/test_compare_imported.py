"""`veperf compare` of files of other tools ends with 1 where they are slower, for sure."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from veperf.cli.main import veperf

TIMES_NS = (1000, 1004, 998, 1001, 1007, 995, 1002, 1010, 999, 1003)


def go_file(path: Path, factor: float, allocations: int = 12, cpu: str = "") -> str:
    lines = (f"BenchmarkEncode-8 9999 {t * factor} ns/op {allocations} allocs/op" for t in TIMES_NS)
    path.write_text(
        "\n".join(["goos: linux", f"cpu: {cpu}", "pkg: example.org/a", *lines, "PASS", ""])
    )
    return str(path)


def compare(folder: Path, factor: float, *options: str, allocations: int = 12) -> Result:
    base = go_file(folder / "old.txt", 1)
    new = go_file(folder / "new.txt", factor, allocations)
    return CliRunner().invoke(veperf, ["compare", base, new, *options])


@pytest.mark.parametrize(
    ("factor", "options", "code", "word"),
    [
        (10, (), 1, "slower"),
        (1.15, (), 0, "suspect"),
        (1.15, ("--same-machine",), 1, "slower"),
        (1.15, ("--fail-over", "10%"), 1, "slower"),
        (1.4, ("--fail-over", "50%"), 0, "suspect"),
        (1.15, ("--same-machine", "--fail-over", "50%"), 0, "suspect"),
        (1, (), 0, "within 3"),
    ],
)
def test_what_is_surely_slower_ends_with_1(
    tmp_path: Path, factor: float, options: tuple[str, ...], code: int, word: str
) -> None:
    """Beyond 20 %, or 5 % on the same machine, or the threshold that is set."""
    result = compare(tmp_path, factor, *options)

    assert code == result.exit_code, result.output
    assert word in result.output


def test_more_allocations_end_with_1(tmp_path: Path) -> None:
    """A count needs neither a calibration run nor the same machine."""
    result = compare(tmp_path, 1, allocations=14)

    assert 1 == result.exit_code
    assert "slower" in result.output


@pytest.mark.parametrize(
    ("allocations", "options", "code", "said"),
    [
        (12, (), 0, "times are not compared: machine class xeon, now epyc"),
        (12, ("--same-machine",), 0, "whatever --same-machine says"),
        (14, (), 1, "1 slower (BenchmarkEncode-8 allocs/op, by 17"),
    ],
)
def test_of_another_cpu_only_counts_are_judged(
    tmp_path: Path, allocations: int, options: tuple[str, ...], code: int, said: str
) -> None:
    """A time ten times as long is not, and it is said why."""
    base = go_file(tmp_path / "old.txt", 1, cpu="Xeon")
    new = go_file(tmp_path / "new.txt", 10, allocations, cpu="EPYC")
    result = CliRunner().invoke(veperf, ["compare", base, new, *options])

    assert code == result.exit_code, result.output
    assert said in result.output
    assert "1 not comparable (BenchmarkEncode-8)" in result.output


def test_the_machine_of_a_run_of_veperf_is_measured_not_stated() -> None:
    """A new run has its calibration run: the option is for results of other tools."""
    result = CliRunner().invoke(veperf, ["ci", "--same-machine"])

    assert 2 == result.exit_code
    assert "--run" in result.output
