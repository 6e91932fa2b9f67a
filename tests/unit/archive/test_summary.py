"""The summary agrees with the runs, whatever happens to its files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.run_summary import RunFacts
from veperf.archive.store import Archive
from veperf.archive.summary import FOLDER, ArchiveSummary, load_summary
from veperf.archive.trend import case_trend
from veperf.core.errors import UnknownRunError
from veperf.core.run import Run
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import series_of


def contents(summary: ArchiveSummary) -> dict[str, list[dict[str, object]]]:
    """Every figure, by run."""
    actual: dict[str, list[dict[str, object]]] = {run.id: [] for run in summary.runs}
    for row in summary.table.to_pylist():
        actual[summary.runs[row.pop("run")].id].append(row)
    return {run: sorted(rows, key=repr) for run, rows in actual.items()}


def by_hand(runs: list[Run]) -> dict[str, list[float]]:
    """What the judge makes of each run's times of demo/a."""
    return {
        run.id: [estimate_median(series_of(run)["demo/a", "time"].values).value] for run in runs
    }


def judged(archive: Archive) -> dict[str, list[float]]:
    """The same from the summary."""
    actual = case_trend(load_summary(archive), "demo/a")
    return {run.id: [value] for run, value in zip(actual.runs, actual.values.tolist(), strict=True)}


def test_values_are_those_that_the_judge_goes_by(near: str):
    """The median over processes of the robust values, its interval, and how many they are."""
    run = dated_run(0)
    summary = load_summary(archive_of(near, [run]))

    expected = estimate_median(series_of(run)["demo/a", "time"].values)
    (row,) = (r for r in summary.table.to_pylist() if r["judged"])
    assert (expected.value, expected.low, expected.high, 6) == (
        row["value"],
        row["low"],
        row["high"],
        row["processes"],
    )
    assert ("demo/a", "time", "ns", "cpu") == (
        row["case"],
        row["metric"],
        row["unit"],
        row["clock"],
    )
    assert [RunFacts] == [type(facts) for facts in summary.runs]


def test_only_new_runs_are_read(place: str):
    """What the summary has is not read again: a run that is damaged afterwards stays in it."""
    archive = archive_of(place, [dated_run(day) for day in range(5)])
    before = contents(load_summary(archive))
    run = archive.ids()[0]
    archive.at(run).write("run.json", b"damaged")
    archive.save(dated_run(5))

    after = load_summary(archive)

    assert before[run] == contents(after)[run]
    assert (6, {}) == (len(after.runs), after.left_out)


def test_a_few_runs_leave_no_files(near: str):
    """A small archive holds nothing but its runs."""
    archive = archive_of(near, [dated_run(day) for day in range(4)])

    assert 4 == len(load_summary(archive).runs)
    assert not archive.storage.at(FOLDER).exists()


def test_packing_changes_nothing(near: str):
    """Packed runs are the same runs, so no segment is written anew."""
    archive = archive_of(near, [dated_run(day) for day in range(8)])
    before = contents(load_summary(archive))
    files = archive.storage.at(FOLDER).names()
    compact_archive(archive, keep=1)

    assert before == contents(load_summary(archive))
    assert files == archive.storage.at(FOLDER).names()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _other(path: Path) -> None:
    path.write_bytes(b"PAR1 is no parquet PAR1")


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [Path.unlink, _cut, _flip, _other, _empty])
def test_what_is_missing_or_broken_is_made_anew(tmp_path: Path, damage: Callable[[Path], None]):
    """A segment that was deleted, cut, altered or overwritten costs time, not a value."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(6)])
    before = contents(load_summary(archive))
    assert list((tmp_path / FOLDER).iterdir())
    for path in (tmp_path / FOLDER).iterdir():
        damage(path)

    assert before == contents(load_summary(archive))
    assert before == contents(load_summary(Archive(tmp_path)))


def test_a_run_that_was_replaced_is_read_anew(tmp_path: Path):
    """Another run of the same id does not keep the figures of the first."""
    runs = [dated_run(day) for day in range(6)]
    archive = archive_of(tmp_path, runs)
    load_summary(archive)
    (archive.folder / runs[2].id).rename(tmp_path.parent / f"{tmp_path.name}-old")
    runs[2] = dated_run(2, {"demo/a": 200.0})
    archive.save(runs[2])

    assert by_hand(runs) == judged(archive)


def test_runs_that_can_t_be_read_are_left_out_with_a_word(tmp_path: Path):
    """The others are there, and the broken one counts again once it is restored."""
    runs = [dated_run(day) for day in range(7)]
    archive = archive_of(tmp_path, runs)
    path = tmp_path / runs[0].id / "run.json"
    sound = path.read_bytes()
    path.write_bytes(sound.replace(b"demo/a", b"demo/x"))

    actual = load_summary(archive)

    assert [run.id for run in runs[1:]] == [run.id for run in actual.runs]
    assert "checksum differs" in actual.left_out[runs[0].id]
    path.write_bytes(sound)
    assert by_hand(runs) == judged(archive)


def test_an_archive_that_can_t_be_written_can_be_read(tmp_path: Path):
    """Where no segment can be kept, the runs are read each time."""
    runs = [dated_run(day) for day in range(6)]
    archive = archive_of(tmp_path, runs)
    (tmp_path / FOLDER).write_text("in the way")

    assert by_hand(runs) == judged(archive)
    assert by_hand(runs) == judged(archive)


def test_an_empty_archive_has_an_empty_summary(near: str):
    """No run: nothing, and nothing is made. No archive at all: an error."""
    Archive(near).storage.write(".note", b"")
    assert ((), 0) == (
        load_summary(Archive(near)).runs,
        load_summary(Archive(near)).table.num_rows,
    )
    with pytest.raises(UnknownRunError, match="there is no archive"):
        load_summary(Archive(f"{near}/none"))
    assert [] == Archive(near).storage.names()


def test_segments_stay_few(near: str):
    """Runs that come one by one leave a handful of files, and each run is in one of them."""
    archive = Archive(near)
    for day in range(20):
        archive.save(dated_run(day))
        load_summary(archive)

    assert 6 >= len(archive.storage.at(FOLDER).names())
    assert 20 == len(judged(archive))


STEPS = st.lists(
    st.sampled_from(["keep", "keep", "keep", "compact", "prune", "read", "lose", "break"]),
    max_size=20,
)


@settings(max_examples=25)
@given(STEPS)
def test_whatever_is_done_the_archive_says_what_was_measured(tmp_path_factory, steps: list[str]):
    """Runs kept, packed, pruned, summaries lost or broken: each run there is as it was kept."""
    archive = Archive(tmp_path_factory.mktemp("steps"))
    kept: list[Run] = []
    for day, step in enumerate(steps):
        match step:
            case "keep":
                kept.append(dated_run(day))
                archive.save(kept[-1])
            case "compact" if kept:
                compact_archive(archive, keep=1)
            case "prune" if kept:
                prune_runs(archive, [kept.pop(len(kept) // 2).id])
            case "read":
                load_summary(archive)
            case "lose" | "break":
                for path in (archive.folder / FOLDER).glob("*"):
                    (Path.unlink if step == "lose" else _flip)(path)

    assert kept == list(Archive(archive.folder).readable_runs())
    assert {} == archive.faults()
    if kept:
        assert by_hand(kept) == judged(archive)
