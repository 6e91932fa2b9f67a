"""A run whose load is put on by shards, before and after it is measured."""

from pathlib import Path

import pytest

from veperf import session
from veperf.archive.store import Archive
from veperf.errors import UsageError
from veperf.model import LoadPlan, Machine
from veperf.progress import Silent

ELSEWHERE = Machine("other-8c", "Other CPU", 8, None, "Linux", "CPython 3.11")


def test_a_load_of_elsewhere_is_not_gone_on_with_here(tmp_path: Path) -> None:
    """Its figures would stand under the name of a machine on which nothing was measured."""
    writer = session.begin_load(
        "apart/load", {}, LoadPlan(passes=1, shards=2), archive=Archive(tmp_path),
        baselines=tmp_path, modules=["tests.apart_loads"], machine=ELSEWHERE,
    )  # fmt: skip

    assert ELSEWHERE == writer.run.machine
    assert ["apart/load[shards=2]"] == [case.id for case in writer.run.cases]
    with pytest.raises(UsageError, match="on a target elsewhere"):
        session.finish(writer, Silent())
