"""Reports of runs that are elsewhere, and pages without notebooks."""

import re
from pathlib import Path
from typing import NoReturn

import pytest
from msgspec.structs import replace

from tests.support.archives import dated_run
from tests.support.helpers import hostile_run
from tests.support.object_store import contents
from tests.support.pages import without_own_script
from veperf.archive.store import Archive
from veperf.core.errors import NotebookError, UsageError
from veperf.core.run import Run
from veperf.report.pages import render as publish


def test_the_first_page_is_put_last(s3_url: str, monkeypatch: pytest.MonkeyPatch):
    """Pages and notebooks lie beside the run, and the address of the first page comes back."""
    run, order = dated_run(0), list[str]()
    archive = Archive(s3_url)
    archive.save(run)

    def render(_: Run, folder: Path, *__: object, archive: Archive) -> Path:
        for name in ("index.html", "index.ipynb", "suite.html", "suite.ipynb"):
            (folder / name).write_text(f"{name} of {archive.location}")
        return folder / "index.html"

    write = type(archive.storage).write

    def watched(storage: object, name: str, data: bytes) -> None:
        order.append(name)
        write(storage, name, data)  # type: ignore[arg-type]  # of the kind that it is taken from

    monkeypatch.setattr(publish, "render_report", render)
    monkeypatch.setattr(type(archive.storage), "write", watched)

    assert f"{s3_url}/{run.id}/index.html" == publish.publish_run_report(run, archive)
    assert ["index.ipynb", "suite.ipynb", "suite.html", "index.html"] == order
    assert f"index.html of {s3_url}".encode() == archive.at(run.id).read("index.html")


def test_what_a_broken_notebook_had_done_is_kept(s3_url: str, monkeypatch: pytest.MonkeyPatch):
    """The error says where, as the folder that it ran in is gone."""
    run = dated_run(0)
    archive = Archive(s3_url)
    archive.save(run)

    def render(_: Run, folder: Path, *__: object, archive: Archive) -> NoReturn:
        (folder / "index.ipynb").write_text("half")
        raise NotebookError("cell In [3] raised")

    monkeypatch.setattr(publish, "render_report", render)
    with pytest.raises(NotebookError) as caught:
        publish.publish_run_report(run, archive)

    assert [f"that folder was temporary; the notebooks are in {s3_url}/{run.id}"] == (
        caught.value.__notes__
    )
    assert b"half" == contents(f"{s3_url}/{run.id}")["index.ipynb"]


def test_a_report_needs_an_archive_that_others_see():
    """None, or one in the memory of this process, is refused before anything runs."""
    run = dated_run(0)
    for archive in (None, Archive("memory://unseen")):
        with pytest.raises(UsageError, match=r"Archive\(folder\)\.save\(result\.run\)"):
            publish.publish_run_report(run, archive)


def test_pages_without_notebooks_show_a_hostile_run_as_text(tmp_path: Path):
    """Of another tool's run with markup in every name: no script and no control character."""
    run = replace(hostile_run(), id="20261123-hostile", source="go test")
    Archive(tmp_path).save(run)

    page = publish.render_report(run, tmp_path / run.id, with_notebooks=False)
    pages = {file.stem: file.read_text(encoding="utf-8") for file in page.parent.glob("*.html")}

    assert {"index", "evil", "regression"} == pages.keys()
    assert [] == [*page.parent.glob("*.ipynb")]
    assert "&lt;script&gt;alert(1)" in pages["evil"]
    for html in pages.values():
        rest = without_own_script(html)
        assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", rest)
        assert 1 == html.count("<h1>")
