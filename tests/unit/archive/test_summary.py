"""The summary agrees with the runs, whatever happens to its files."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.generated_archive import generate
from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.packs import FIGURES
from veperf.archive.run_summary import RunFacts, run_figures
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary, load_summary
from veperf.archive.summary_files import FOLDER
from veperf.archive.summary_tables import FigureColumns, TextColumn
from veperf.archive.trend import case_trend
from veperf.core.errors import UnknownRunError
from veperf.core.run import Run
from veperf.stats.change_points import change_points
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import series_of

SUMMARIES = Path(__file__).parents[2] / "vectors" / "summaries"
"""A file of each earlier format."""


def rows_of(summary: ArchiveSummary) -> list[dict[str, Any]]:
    """Every figure as a mapping; ``run`` is an index into the runs."""
    columns = summary.figures()
    return [
        {
            name: column.names[column.codes[row]]
            if isinstance(column := getattr(columns, name), TextColumn)
            else column[row].item()
            for name in FigureColumns.__dataclass_fields__
        }
        for row in range(columns.run.size)
    ]


def contents(summary: ArchiveSummary) -> dict[str, list[dict[str, object]]]:
    """Every figure, by run."""
    actual: dict[str, list[dict[str, object]]] = {run.id: [] for run in summary.runs}
    for row in rows_of(summary):
        actual[summary.runs[row.pop("run")].id].append(row)
    return {run: sorted(rows, key=repr) for run, rows in actual.items()}


def partitions(archive: Archive) -> list[str]:
    """The files with figures."""
    return [name for name in archive.storage.at(FOLDER).names() if "/" in name]


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
    (row,) = (r for r in rows_of(summary) if r["judged"])
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
    """Packed runs are the same runs, so no figures are written anew."""
    archive = archive_of(near, [dated_run(day) for day in range(8)])
    before = contents(load_summary(archive))
    files = partitions(archive)
    compact_archive(archive, keep=1)

    assert before == contents(load_summary(archive))
    assert files == partitions(archive)


def files_in(archive: Path) -> list[Path]:
    """The files of its summary."""
    return [path for path in (archive / FOLDER).rglob("*") if path.is_file()]


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
    assert files_in(tmp_path)
    for path in files_in(tmp_path):
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
    assert len(runs) == sum(row["judged"] for row in rows_of(load_summary(archive)))


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
        load_summary(Archive(near)).figures().run.size,
    )
    with pytest.raises(UnknownRunError, match="there is no archive"):
        load_summary(Archive(f"{near}/none"))
    assert [] == Archive(near).storage.names()


def test_files_stay_few(near: str):
    """Runs that come one by one leave a file a month and machine class, one of facts, an index."""
    archive = Archive(near)
    for day in range(20):
        archive.save(dated_run(day))
        load_summary(archive)

    assert 3 == len(archive.storage.at(FOLDER).names())
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
                for path in files_in(archive.folder):
                    (Path.unlink if step == "lose" else _flip)(path)

    assert kept == list(Archive(archive.folder).readable_runs())
    assert {} == archive.faults()
    if kept:
        assert by_hand(kept) == judged(archive)


@pytest.mark.parametrize("older", sorted(SUMMARIES.iterdir()), ids=lambda path: path.name)
def test_a_summary_of_each_earlier_format_is_replaced(older: Path, tmp_path: Path):
    """Silently, and nothing of it is left."""
    runs = [dated_run(day) for day in range(6)]
    archive = archive_of(tmp_path, runs)
    shutil.copytree(older, tmp_path / FOLDER)
    former = [path.name for path in files_in(tmp_path)]

    assert by_hand(runs) == judged(archive)
    assert former
    assert not {*former} & {path.name for path in files_in(tmp_path)}


def test_packs_have_the_figures_of_their_runs(near: str, monkeypatch: pytest.MonkeyPatch):
    """A summary that was lost is made of them, the same as from the runs, and parses no run."""
    runs = [dated_run(day, {"demo/a": 100.0, "demo/b": 7.0}) for day in range(8)]
    archive = archive_of(near, runs)
    before = contents(load_summary(archive))
    compact_archive(archive, keep=0)
    archive.storage.remove(FOLDER)
    monkeypatch.setattr("veperf.archive.store.read_complete_run", None)

    assert before == contents(load_summary(Archive(near)))


@pytest.mark.parametrize("is_missing", [True, False])
def test_figures_of_a_pack_that_are_lost_or_broken_are_made_from_its_runs(
    tmp_path: Path, is_missing: bool
):
    """As in packs of earlier versions, which have none."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(8)])
    before = contents(load_summary(archive))
    compact_archive(archive, keep=0)
    shutil.rmtree(tmp_path / FOLDER)
    (figures,) = tmp_path.glob(f"packs/*/{FIGURES}")
    (Path.unlink if is_missing else _flip)(figures)

    assert before == contents(load_summary(Archive(tmp_path)))


def test_a_generated_archive_has_what_its_runs_have(tmp_path: Path):
    """Values and change points, in packs and in folders, on two machine classes."""
    generate(tmp_path / "runs", 160, cases=4, machines=2)
    archive = Archive(tmp_path / "runs")
    runs = list(archive.readable_runs())
    expected = {
        run.id: sorted(
            ({"run": 0, **msgspec.structs.asdict(figure)} for figure in run_figures(run)), key=repr
        )
        for run in runs
    }

    summary = load_summary(archive)
    actual = contents(summary)
    trend = case_trend(summary, "demo/case_00", machine="box-1")

    assert expected == {
        run: sorted(({"run": 0, **row} for row in rows), key=repr) for run, rows in actual.items()
    }
    values = [
        estimate_median(series_of(run)["demo/case_00", "time"].values).value
        for run in runs
        if run.machine.name == "box-1"
    ]
    assert values == trend.values.tolist()
    assert change_points(values) == tuple(change.point for change in trend.change_points)


def test_files_that_another_process_replaces_are_read_anew(tmp_path: Path):
    """A summary that was loaded before gives the figures of the runs that it has."""
    runs = [dated_run(day) for day in range(12)]
    archive = archive_of(tmp_path, runs[:6])
    early = load_summary(archive)
    for run in runs[6:]:
        archive.save(run)
    load_summary(Archive(tmp_path))

    assert [run.id for run in runs[:6]] == early.ids
    assert 6 == len(case_trend(early, "demo/a").runs)


def test_a_run_that_was_removed_by_hand_is_gone(tmp_path: Path):
    """From the runs and from the figures, though a file of the summary has it."""
    runs = [dated_run(day) for day in range(6)]
    archive = archive_of(tmp_path, runs)
    load_summary(archive)
    shutil.rmtree(tmp_path / runs[3].id)
    del runs[3]

    assert by_hand(runs) == judged(archive)
