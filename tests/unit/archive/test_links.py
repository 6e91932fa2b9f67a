"""No link in an archive is followed, neither by readers nor by writers."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults.ground import contents, known_baseline
from tests.support.archives import archive_of, dated_run
from veperf.archive.baselines import save_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.comparisons import read_ab
from veperf.archive.files import write_inside
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.core.errors import CorruptFileError, StorageError, UnknownRunError
from veperf.core.paths import default_baselines_folder
from veperf.core.policy import GatePolicy
from veperf.report.pages.preliminary import PreliminaryPage
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site

RUN = dated_run(0)
BASELINES = default_baselines_folder()


def _report(folder: Path) -> None:
    render_report(RUN, folder / RUN.id, BASELINES, (), GatePolicy(), with_notebooks=False)


def _site(folder: Path) -> None:
    build_site(Archive(folder), BASELINES, BASELINES, (), GatePolicy())


def _compact(folder: Path) -> None:
    compact_archive(Archive(folder), keep=0)


def _begin(folder: Path) -> None:
    Archive(folder).begin(replace(RUN, id="begun", passes=())).close()


@pytest.mark.parametrize(
    ("link", "work"),
    [
        (f"{RUN.id}/index.html", _report),
        (RUN.id, _report),
        ("site", _site),
        ("site/benchmarks.html", _site),
        ("index.html", _site),
        ("packs", _compact),
        ("begun", _begin),
    ],
)
@pytest.mark.parametrize("is_dangling", [False, True])
def test_writers_leave_alone_what_a_link_points_to(
    tmp_path: Path, link: str, work: Callable[[Path], None], is_dangling: bool
):
    """As git can carry: the command ends with an error that names the link."""
    folder, elsewhere = archive_of(tmp_path / "runs", [RUN]).folder, tmp_path / "elsewhere"
    path = folder / link
    if path.is_dir():
        path.rename(tmp_path / "kept")
    path.parent.mkdir(exist_ok=True)
    if not is_dangling:
        if path.suffix:
            elsewhere.write_text("not ours")
        else:
            elsewhere.mkdir()
            (elsewhere / "page.html").write_text("not ours")
            (elsewhere / "pack.json").write_text("not ours")
    path.symlink_to(elsewhere)
    before = {p: p.read_bytes() for p in tmp_path.glob("elsewhere/*")}

    with pytest.raises((StorageError, CorruptFileError), match=f"{link}|symbolic link"):
        work(folder)

    assert path.is_symlink()
    assert elsewhere.exists() != is_dangling
    assert before == {p: p.read_bytes() for p in tmp_path.glob("elsewhere/*")}
    assert not elsewhere.is_file() or "not ours" == elsewhere.read_text()


@pytest.mark.parametrize("link", ["box-4c", "box-4c/demo.json"])
def test_a_baseline_is_not_written_through_a_link(tmp_path: Path, link: str):
    """Baselines come by git, too."""
    elsewhere = tmp_path / "elsewhere"
    save_baseline(elsewhere, known_baseline(0))
    before = contents(elsewhere)
    path = tmp_path / "baselines" / link
    path.parent.mkdir(parents=True)
    path.symlink_to(elsewhere / link)

    with pytest.raises(StorageError, match="symbolic link"):
        save_baseline(tmp_path / "baselines", known_baseline(1))

    assert before == contents(elsewhere)


def test_the_overview_of_a_run_is_not_written_through_a_link(tmp_path: Path):
    """A notice says so, and the run goes on."""
    archive, elsewhere = archive_of(tmp_path / "runs", [RUN]), tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    (archive.folder / RUN.id / "index.html").symlink_to(elsewhere)
    notices: list[str] = []

    PreliminaryPage(archive.storage, RUN, BASELINES, notices.append).write(RUN)

    assert "not ours" == elsewhere.read_text()
    assert "symbolic link" in notices[0]


@pytest.mark.parametrize("link", ["ab-x", "ab-x/ab.json", ".summary", RUN.id])
def test_readers_refuse_links(tmp_path: Path, link: str):
    """What lies elsewhere is not in the archive."""
    archive, other = archive_of(tmp_path / "runs", []), archive_of(tmp_path / "other", [RUN])
    load_summary(other)
    (other.folder / "ab-x").mkdir(exist_ok=True)
    (other.folder / "ab-x" / "ab.json").write_text("{}")
    (other.folder / ".summary").mkdir(exist_ok=True)
    path = archive.folder / link
    path.parent.mkdir(exist_ok=True, parents=True)
    path.symlink_to(other.folder / link)

    assert [] == Archive(archive.folder).ids()
    assert () == load_summary(Archive(archive.folder)).runs
    with pytest.raises((CorruptFileError, LookupError)):
        read_ab(archive.folder, "x")


@pytest.mark.parametrize("name", ["../outside", "a/../../outside"])
def test_no_name_leads_out(tmp_path: Path, name: str):
    """Whatever a file is called, it is written below the archive."""
    (tmp_path / "runs").mkdir()
    with pytest.raises(StorageError):
        write_inside(tmp_path / "runs", name, b"")
    assert not (tmp_path / "outside").exists()


def test_a_run_behind_a_link_is_missed_aloud(tmp_path: Path):
    """It may have been the last one: whatever reads runs names the link."""
    notices: list[str] = []
    runs = [dated_run(day) for day in range(3)]
    archive = Archive(archive_of(tmp_path / "runs", runs).folder, notices.append)
    link = archive.folder / runs[2].id
    link.rename(tmp_path / "elsewhere")
    link.symlink_to(tmp_path / "elsewhere")

    assert runs[1] == archive.load("last")
    assert 1 == len(notices)
    assert runs[:2] == list(archive.readable_runs(notices.append))
    assert all(str(link) in notice for notice in notices)
    assert 2 == len(notices)
    with pytest.raises(UnknownRunError, match="symbolic link"):
        archive.load(runs[2].id)
    assert [runs[2].id] == list(load_summary(archive).left_out)
    assert [runs[2].id] == list(compact_archive(archive, keep=0).left_out)
