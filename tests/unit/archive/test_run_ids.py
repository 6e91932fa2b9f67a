"""Valid and invalid run ids."""

import msgspec
import pytest

from tests.support.ab_runs import ab_run
from tests.support.archives import archive_of, dated_run
from veperf.archive.comparisons import ab_ids, save_ab
from veperf.core.errors import UsageError


def test_a_name_that_would_break_a_line_is_none(near: str):
    """Line ends, colours, marks that turn text round: refused, not found, and named by verify."""
    archive = archive_of(near, [dated_run(0)])
    for name in ("a\nb", "a\x1b[31mb", "a\rb", "a\u202eb", "a\u2028b", "\x7f", "a\tb"):
        with pytest.raises(UsageError, match=r"is not a run id: .* printable") as caught:
            archive.save(msgspec.structs.replace(dated_run(1), id=name))
        assert str(caught.value).isprintable()
        assert not archive.is_complete(name)
    odd = archive.storage.at("a\nb")
    odd.write("run.json", b"{}")
    odd.write("complete.json", b"{}")

    assert [dated_run(0).id] == archive.ids()
    assert [] == archive.incomplete_ids()
    (wrong,) = archive.faults()["a\nb"]
    assert wrong.isprintable()


def test_nor_is_it_one_of_a_comparison(near: str):
    """A comparison with an invalid id is neither written nor listed."""
    archive = archive_of(near, [])
    for name in ("a\nb", "../b", "a/b", ""):
        with pytest.raises(UsageError, match="is not a valid id of a comparison"):
            save_ab(archive.storage, msgspec.structs.replace(ab_run(), id=name))
    archive.storage.write("ab-a\nb/ab.json", b"{}")
    assert [] == ab_ids(archive.storage)
