"""The archive stores runs, and knows which are complete."""

from pathlib import Path

import msgspec
import pytest

from veperf.archive.baselines import load_baselines, load_targets, save_baseline
from veperf.archive.store import Archive, open_archive
from veperf.archive.summary import load_summary
from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import Case, Level
from veperf.core.errors import (
    CorruptFileError,
    IncompleteRunError,
    NewerFormatError,
    UnknownRunError,
    UsageError,
)
from veperf.core.run import CaseResult, Config, Machine, Pass, Revision, Run, Sample

MACHINE = Machine("box-2c", "Box", 2, None, "Linux", "CPython 3.11.7")


def plan(run_id: str, passes: int = 2) -> Run:
    """A run of one case, nothing measured yet."""
    return Run(
        id=run_id,
        created="2026-01-02T03:04:05+00:00",
        config=Config("quick", passes, 2, 1, 5_000_000, 1, 60.0),
        machine=MACHINE,
        revision=Revision("abc"),
        cases=(Case("demo/sum", "demo/sum", "demo", Level.MICRO, "Adds."),),
    )


def one_pass(index: int) -> Pass:
    """A pass with two samples of 10 loops."""
    samples = (Sample(1000 + index, 900, 0), Sample(2000, None, None))
    result = CaseResult("demo/sum", loops=10, operations=5, samples=samples)
    return Pass(index, "2026-01-02", 0.1, 0.0, 0.0, None, None, None, (result,))


def complete(archive: Archive, run_id: str) -> Run:
    writer = archive.begin(plan(run_id))
    for index in writer.missing():
        writer.add(one_pass(index), {"demo/sum": 10})
    return writer.complete()


def test_a_complete_run_reads_back_as_it_was_written(near: str):
    """What is loaded equals what was measured, by id, by prefix and as the last."""
    archive = Archive(f"{near}/reports")
    complete(archive, "2026-a")
    run = complete(archive, "2027-b")

    for name in ("2027-b", "2027", "last"):
        assert run == archive.load(name)
    assert ["2026-a", "2027-b"] == load_summary(archive).ids
    assert not [name for name in archive.at("2027-b").names() if name.startswith("passes")]


def test_an_interrupted_run_keeps_its_passes_and_goes_on(place: str):
    """Without its completion file a run is refused by name, and resuming makes what is missing."""
    archive = Archive(place)
    writer = archive.begin(plan("half"))
    writer.add(one_pass(1), {"demo/sum": 10})
    writer.close()

    with pytest.raises(IncompleteRunError, match=r"1 of 2 passes.*--resume half"):
        archive.load("half")
    assert [] == archive.ids()

    again = archive.resume("last")
    assert [0] == again.missing()
    assert {"demo/sum": 10} == again.run.loops
    again.add(one_pass(0), again.run.loops)
    again.complete()
    assert [0, 1] == [p.index for p in archive.load("half").passes]


def test_a_pass_file_that_was_cut_off_is_made_again(place: str):
    """A broken pass costs that pass only."""
    archive = Archive(place)
    writer = archive.begin(plan("half"))
    writer.add(one_pass(0), {})
    writer.files.write("passes/0001.json", b'{"index": 1, "sta')
    writer.close()

    assert [1] == archive.resume("half").missing()


def test_only_one_process_writes_a_run(place: str):
    """A second writer is refused while the first is at work, and let in afterwards."""
    archive = Archive(place)
    first = archive.begin(plan("busy"))

    with pytest.raises(UsageError, match="another process is measuring run busy"):
        archive.resume("busy")
    first.close()
    archive.resume("busy").close()


def test_a_changed_run_is_not_believed(near: str):
    """run.json with another content than was completed is refused."""
    archive = Archive(near)
    run = complete(archive, "whole")
    forged = msgspec.structs.replace(run, revision=Revision("another"))
    archive.storage.write("whole/run.json", msgspec.json.encode(forged))

    with pytest.raises(CorruptFileError, match="checksum"):
        archive.load("whole")
    with pytest.raises(CorruptFileError, match="checksum"):
        load_summary(archive)
    complete(archive, "other")
    summary = load_summary(Archive(near))
    assert (["other"], ["whole"]) == (summary.ids, list(summary.left_out))


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/b", "", ".", "..", ".hidden"])
def test_no_name_leads_out_of_the_archive(near: str, name: str):
    """Names with separators or dots in front are refused for reading and writing."""
    archive = Archive(f"{near}/reports")
    complete(archive, "whole")

    with pytest.raises((UsageError, UnknownRunError)):
        archive.load(name)
    with pytest.raises(UsageError):
        archive.begin(plan(name))


def test_unknown_and_ambiguous_names_say_what_to_do(near: str):
    """No such run, more than one, or none at all: each has its own words."""
    archive = Archive(near)
    for name in ("last", "2026"):
        with pytest.raises(UnknownRunError, match="there is no archive"):
            Archive(f"{near}/none").load(name)
    archive.begin(plan("2025-begun")).close()
    with pytest.raises(UnknownRunError, match="no complete run yet"):
        archive.load()
    complete(archive, "2026-a")
    complete(archive, "2026-b")
    with pytest.raises(UnknownRunError, match="any of 2026-a, 2026-b"):
        archive.load("2026")
    with pytest.raises(UnknownRunError, match="no run '2030'"):
        archive.load("2030")


def test_samples_are_a_table_of_time_an_operation(place: str):
    """DuckDB sees every sample of every run, divided by loops and operations."""
    archive = Archive(place)
    complete(archive, "a")
    complete(archive, "b")

    actual = archive.query(
        "SELECT run, max(wall_ns) AS worst, count(*) AS n FROM samples GROUP BY ALL ORDER BY run"
    )

    assert [("a", 40.0, 4), ("b", 40.0, 4)] == list(actual.itertuples(index=False, name=None))
    with pytest.raises(UsageError, match="the query failed"):
        archive.query("SELECT nonsense FROM samples")


def test_baselines_keep_to_their_machine_class_and_format(tmp_path: Path):
    """Every class's baseline of the suite is found; a later format is refused by name."""
    item = Baseline("demo", "2026-01-01", "run", MACHINE, Revision(), (1.0,), ())
    other = msgspec.structs.replace(item, machine=msgspec.structs.replace(MACHINE, name="other-8c"))
    path = save_baseline(tmp_path, item)
    save_baseline(tmp_path, other)

    assert (item, other) == load_baselines(tmp_path, ["demo", "elsewhere"])

    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(item, format=99)))
    with pytest.raises(NewerFormatError, match=r"demo\.json"):
        load_baselines(tmp_path, ["demo"])
    with pytest.raises(UsageError):
        save_baseline(tmp_path, msgspec.structs.replace(item, suite="../../escape"))


def test_a_baseline_is_not_replaced_by_one_that_knows_less(tmp_path: Path):
    """A run of some benchmarks does not wipe out what is recorded of the others."""

    def baseline(*cases: str) -> Baseline:
        series = tuple(
            BaselineSeries(c, "time", "ns", "lower", "cpu", 1, 1, (1.0,), (1.0,)) for c in cases
        )
        return Baseline("demo", "2026-01-01", "run", MACHINE, Revision(), (), series)

    save_baseline(tmp_path, baseline("demo/a", "demo/b"))

    with pytest.raises(UsageError, match=r"did not measure demo/b, which .*demo\.json has"):
        save_baseline(tmp_path, baseline("demo/a"))
    save_baseline(tmp_path, baseline("demo/a", "demo/b", "demo/c"))
    assert 3 == len(load_baselines(tmp_path, ["demo"])[0].series)


def test_every_published_target_is_there_once():
    """data/baselines/targets.json holds the 43 published targets of four suites and memory."""
    targets = load_targets(Path(__file__).parents[3] / "data" / "baselines")

    assert 43 == len(targets.targets)
    suites = {t.id.partition("/")[0] for t in targets.targets}
    assert {"transaction", "verification", "bidding", "zk_proof", "memory"} == suites
    assert (10, 20) == (targets.warn_percent, targets.fail_percent)


def test_targets_named_twice_are_refused(tmp_path: Path):
    """A target that stands there twice could be judged by either: refused."""
    item = '{"id": "a/b", "limit": 1, "unit": "ns", "better": "lower", "what": ""}'
    (tmp_path / "targets.json").write_text(
        '{"version": "1", "source": "", "warn_percent": 10, "fail_percent": 20,'
        f' "targets": [{item}, {item}]}}'
    )

    with pytest.raises(CorruptFileError, match="names a target twice: a/b"):
        load_targets(tmp_path)


def test_a_file_is_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Wherever its name comes from."""
    (tmp_path / "runs").write_text("")
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path / "runs"))

    for place in (None, tmp_path / "runs"):
        with pytest.raises(UsageError, match="is a file"):
            open_archive(place)
