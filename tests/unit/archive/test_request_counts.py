"""What lists, histories and the site of an archive in object storage request of it."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.archives import archive_of, dated_run
from tests.support.helpers import TARGETS
from veperf.archive.compaction import compact_archive
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import case_trend
from veperf.report.site.build import build_site

TIMES = {"demo/a": 100.0, "demo/b": 9.0}


@pytest.fixture
def requests_of() -> Iterator[Callable[[Callable[[], object]], int]]:
    """Return how many requests a call makes."""
    seen: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(record.getMessage())

    log, listener = logging.getLogger("werkzeug"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)

    def count(call: Callable[[], object]) -> int:
        seen.clear()
        call()
        return len(seen)

    yield count
    log.removeHandler(listener)
    log.setLevel(before)


@pytest.mark.slow
def test_no_request_a_run(
    s3_url: str, tmp_path: Path, requests_of: Callable[[Callable[[], object]], int]
):
    """Forty runs of two months, most in a pack: bounds by what each needs, whatever the number."""
    archive = archive_of(s3_url, [dated_run(day, TIMES) for day in range(40)])
    compact_archive(archive, keep=8)

    def listed() -> object:
        return load_summary(Archive(s3_url))

    def history() -> object:
        return case_trend(load_summary(Archive(s3_url)), "demo/a")

    def site() -> object:
        return build_site(Archive(s3_url), TARGETS, tmp_path)

    first = requests_of(listed)
    unchanged = [requests_of(listed), requests_of(history)]
    requests_of(site)
    unchanged.append(requests_of(site))
    archive.save(dated_run(41, TIMES))
    more = [requests_of(listed), requests_of(history), requests_of(site)]

    # Lists of objects (3), index, facts; of a history also a file a month; of a site also its
    # pages' list and fingerprints, acknowledgements, whether it may write (2), its first page.
    assert [5, 7, 12] == unchanged
    # A run's manifest twice, its list and its file: before the summary was Parquet 12, 12.
    assert [10, 12] == more[:2]
    # Five pages, two of them read before they are replaced, two files, a run judged and shown.
    assert 36 >= more[2]
    # Each of the 8 runs in folders: its manifest twice, its list, its file.
    assert 62 >= first
