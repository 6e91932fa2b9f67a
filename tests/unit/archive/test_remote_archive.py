"""An archive in object storage: requests, interruptions and hostile content."""

import errno
import logging
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from moto.s3.models import s3_backends

from tests.support.ab_runs import ab_run, change
from tests.support.archives import archive_of, dated_run
from tests.support.object_store import KEY, bucket, contents
from veperf.api.reports import report_view
from veperf.api.runs import load, save_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.comparisons import ab_ids, save_ab
from veperf.archive.merge import ALREADY_PRESENT, merge_comparisons, merge_runs
from veperf.archive.packs import MANIFEST
from veperf.archive.storage.objects import Objects
from veperf.archive.storage.remote import RemoteStorage
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.writer import RunWriter
from veperf.core.errors import (
    CorruptFileError,
    IncompleteRunError,
    StorageError,
    UnknownRunError,
    UsageError,
)
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus


@pytest.fixture
def requests() -> Iterator[list[str]]:
    """Record the requests to the server, a line each."""
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    log, listener = logging.getLogger("werkzeug"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    yield seen
    log.removeHandler(listener)
    log.setLevel(before)


def test_a_current_summary_costs_no_request_a_run(s3_url: str, requests: list[str]):
    """However many runs: their list, the packs', the summary's, and its files."""
    archive_of(s3_url, [dated_run(day) for day in range(12)])
    load_summary(Archive(s3_url))
    requests.clear()

    assert 12 == len(load_summary(Archive(s3_url)).runs)

    assert 6 >= len(requests), requests
    assert not [line for line in requests if "run.json" in line]


def test_many_runs_are_listed_a_thousand_objects_a_request(s3_url: str, requests: list[str]):
    """None of the run's files is requested."""
    name, _, prefix = s3_url.removeprefix("s3://").partition("/")
    (server,) = (backends["aws"] for backends in s3_backends.values())
    for i in range(600):
        for file in ("run.json", "complete.json"):
            server.put_object(name, f"{prefix}/20260101-{i:04}/{file}", b"{}")
    requests.clear()

    assert 600 == len(Archive(s3_url).ids())

    assert 4 >= len(requests), requests


def test_a_pack_without_its_manifest_counts_for_nothing(s3_url: str):
    """Objects of a killed compaction are hidden, and the next compaction deletes them."""
    runs = [dated_run(day) for day in range(3)]
    archive = archive_of(s3_url, runs)
    half = archive.packs.storage.at("20260101-half")
    half.write(".hidden", b"")
    half.write("runs.zip", b"PK")

    assert runs == list(Archive(s3_url).readable_runs())
    assert {} == archive.faults()
    compact_archive(archive, keep=0)
    assert runs == list(Archive(s3_url).readable_runs())
    assert not half.exists()


def test_a_removal_that_was_cut_off_leaves_no_half_run(s3_url: str):
    """A half-removed run is neither complete nor unfinished; the next compaction deletes it."""
    runs = [dated_run(day) for day in range(3)]
    archive = archive_of(s3_url, runs)
    gone = archive.at(runs[0].id)
    gone.write(".hidden", b"")
    gone.delete(["complete.json"])

    assert ([run.id for run in runs[1:]], []) == (archive.ids(), archive.incomplete_ids())
    with pytest.raises(UnknownRunError):
        archive.load(runs[0].id)
    compact_archive(archive, keep=5)
    assert not gone.exists()


@pytest.mark.slow
def test_readers_lose_nothing_while_others_pack_and_prune(s3_url: str):
    """Runs are read again and again from elsewhere: each is there, and as it was."""
    runs = [dated_run(day) for day in range(5)]
    archive_of(s3_url, runs)
    done, wrong = threading.Event(), list[object]()

    def read() -> None:
        while not done.is_set():
            archive = Archive(s3_url)
            actual = list(archive.readable_runs())
            if [run for run in runs[1:] if run not in actual]:
                wrong.append([run.id for run in actual])
            if runs[3] != archive.load(runs[3].id):
                wrong.append("another run")

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for keep in (3, 0):
            compact_archive(Archive(s3_url), keep=keep)
        prune_runs(Archive(s3_url), [runs[0].id])
    finally:
        done.set()
        reader.join()

    assert [] == wrong
    assert runs[1:] == list(Archive(s3_url).readable_runs())


def test_hostile_objects_are_not_believed(s3_url: str):
    """Another run's content, garbage, a pack that names paths, keys that are no paths."""
    runs = [dated_run(day) for day in range(4)]
    archive = archive_of(s3_url, runs)
    swapped, garbage, deep = (archive.at(run.id) for run in runs[:3])
    swapped.write("run.json", archive.at(runs[3].id).read("run.json"))
    swapped.write("complete.json", archive.at(runs[3].id).read("complete.json"))
    garbage.write("complete.json", b"\xff{]")
    deep.write("complete.json", b'{"run": ' + b"[" * 100_000)
    manifest = {"runs": {"../x": 1, "y/z": 2}, "sha256": {}, "format": 1}
    archive.packs.storage.write(f"evil/{MANIFEST}", msgspec.json.encode(manifest))
    archive.storage.write("20260101-x/run.json", b"null")
    name, _, prefix = s3_url.removeprefix("s3://").partition("/")
    bucket().call_s3("put_object", Bucket=name, Key=f"{prefix}/a/../run.json", Body=b"{}")

    assert runs[3:] == list(archive.readable_runs())
    for run, notices in zip(runs[:3], ("holds run", "not a valid", "nests deeper"), strict=True):
        with pytest.raises(CorruptFileError, match=notices):
            archive.load(run.id)
    faults = archive.faults()
    assert {run.id for run in runs[:3]} | {"packs", "a/../run.json"} == faults.keys()
    compact_archive(archive, keep=0)
    assert runs[3:] == list(Archive(s3_url).readable_runs())
    with pytest.raises(CorruptFileError):
        archive.load("20260101-x")


def test_an_interrupted_run_goes_on_from_another_place(s3_url: str):
    """A resumed run has the passes that were written; the first process can't continue it."""
    whole = dated_run(0)
    first = Archive(s3_url).begin(msgspec.structs.replace(whole, passes=()))
    for item in whole.passes[:2]:
        first.add(item, {})
    with pytest.raises(UsageError, match="another process is measuring"):
        Archive(s3_url).resume("last")
    first.close()

    again = Archive(s3_url).resume("last")
    with pytest.raises(IncompleteRunError, match="2 of 6 passes"):
        Archive(s3_url).load(whole.id)
    assert [2, 3, 4, 5] == again.missing()
    for item in whole.passes[2:]:
        again.add(item, {})
    again.complete()

    assert whole == Archive(s3_url).load()
    assert {"run.json", "samples.parquet", "complete.json"} == contents(
        f"{s3_url}/{whole.id}"
    ).keys()


def _measured(writer: RunWriter, run: Run) -> None:
    for item in run.passes:
        if item.index in writer.missing():
            writer.add(item, {})
    writer.complete()


def test_what_can_t_be_put_is_kept_here_and_taken_over_later(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """If the connection breaks, the run continues locally, and the error says where it is."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    whole = dated_run(0)
    archive = Archive(s3_url)
    writer = archive.begin(msgspec.structs.replace(whole, passes=()))
    writer.add(whole.passes[0], {})

    def broken(objects: Objects, name: str, data: bytes) -> None:
        raise StorageError(errno.EIO, f"can't write {name}: the endpoint can't be reached")

    with monkeypatch.context() as outage:
        outage.setattr(Objects, "put", broken)
        with pytest.raises(StorageError, match="can't be reached; the run is kept in") as caught:
            _measured(writer, whole)

    kept = tmp_path / "veperf" / "kept"
    assert f"`veperf archive import {kept} --archive {s3_url}`" in str(caught.value)
    assert "" == writer.resume_hint()
    assert whole == Archive(kept).load()
    assert [whole.id] == archive.incomplete_ids()
    assert ["", ALREADY_PRESENT] == [
        item.skipped for _ in range(2) for item in merge_runs(archive, Archive(kept))
    ]
    assert [whole] == list(archive.readable_runs())
    assert {} == archive.faults()


def test_what_was_begun_here_as_something_else_stays(near: str, tmp_path: Path):
    """Merging completes an unfinished run only with the same plan."""
    whole = dated_run(0)
    begun = msgspec.structs.replace(whole, passes=(), created="another day")
    Archive(near).begin(begun).close()
    other = archive_of(tmp_path / "other", [whole])

    assert [ALREADY_PRESENT] == [item.skipped for item in merge_runs(Archive(near), other)]
    assert [whole.id] == Archive(near).incomplete_ids()


def test_comparisons_come_over_too(near: str, tmp_path: Path):
    """Comparisons are merged once; a damaged one is skipped with a reason."""
    other = Archive(tmp_path / "other")
    actual = ab_run(change("mine/work", ChangeStatus.OK))
    save_ab(other.storage, actual)
    other.storage.write("ab-broken/ab.json", b"{}")
    archive = Archive(near)

    first = {item.run: item.skipped for item in merge_comparisons(archive, other)}
    again = {item.run: item.skipped for item in merge_comparisons(archive, other)}

    assert "" == first[actual.id]
    assert "not a valid" in first["broken"]
    assert ALREADY_PRESENT == again[actual.id]
    assert [actual.id] == ab_ids(archive.storage)


def test_a_query_reads_elsewhere_and_tells_of_sql_only(s3_url: str):
    """Samples of loose and packed runs; an error in the SQL in DuckDB's words, no other one."""
    runs = [dated_run(day) for day in range(4)]
    archive = archive_of(s3_url, runs)
    compact_archive(archive, keep=2)

    actual = archive.query("SELECT run, count(*) AS n FROM samples GROUP BY ALL ORDER BY run")
    assert [run.id for run in runs] == actual["run"].tolist()
    with pytest.raises(UsageError, match=r"the query failed: .*nonsense"):
        archive.query("SELECT nonsense FROM samples")
    archive.at(runs[3].id).write("samples.parquet", b"PAR1 damaged PAR1")
    with pytest.raises((CorruptFileError, UsageError)) as caught:
        archive.query("SELECT count(*) FROM samples")
    assert KEY not in str(caught.value)


def test_a_file_system_that_wants_folders_gets_them(tmp_path: Path):
    """As over SFTP: runs are kept, packed, pruned and read there, too; so does who reads paths."""
    objects = Objects(LocalFileSystem(), "sftp://box/runs", str(tmp_path / "runs"))
    runs = [dated_run(day) for day in range(6)]
    archive = Archive(RemoteStorage(objects))
    for run in runs:
        archive.save(run)
    compact_archive(archive, keep=2)
    prune_runs(archive, [runs[0].id, runs[5].id])

    assert (
        runs[1:5]
        == list(archive.readable_runs())
        == list(Archive(tmp_path / "runs").readable_runs())
    )
    assert {} == archive.faults()
    assert 4 == len(load_summary(archive).runs)


def test_an_archive_on_a_web_server_can_be_read(tmp_path: Path):
    """Another kind of place: a plain server, which knows no ranges and takes nothing."""
    runs = [dated_run(day) for day in range(3)]
    compact_archive(archive_of(tmp_path, runs), keep=1)
    handler = partial(_QuietHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            archive = Archive(f"http://127.0.0.1:{server.server_port}")
            assert runs == list(archive.readable_runs())
            assert ({}, []) == (archive.faults(), archive.incomplete_ids())
            with pytest.raises(StorageError, match="does not support this; choose another place"):
                archive.save(dated_run(5))
        finally:
            server.shutdown()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *_: object) -> None:
        """Nobody reads it."""


def test_names_may_hold_what_patterns_do(near: str):
    """A query finds the samples of each run, whatever its id looks like."""
    runs = [msgspec.structs.replace(dated_run(0), id=id) for id in ("a*", "b[1]?", "c #%20{x}")]
    archive = archive_of(near, runs)

    assert ["a*", "b[1]?", "c #%20{x}"] == sorted(
        archive.query("SELECT DISTINCT run FROM samples")["run"]
    )
    compact_archive(archive, keep=0)
    assert runs == list(Archive(near).readable_runs())
    assert 3 == len(archive.query("SELECT DISTINCT run FROM samples"))


def test_a_result_says_where_it_is(s3_url: str):
    """A remote result has a URL and no folder, and its report is read from there."""
    run = dated_run(0)
    result = save_run(run, s3_url)

    assert f"{s3_url}/{run.id}" == result.place == load("last", s3_url).place
    assert result.archive is not None
    assert "run.json" in str(report_view(result).files)
    with pytest.raises(UsageError, match="not a folder of this machine"):
        _ = result.folder
