"""A run whose load is put on by shards, before and after it is measured."""

from pathlib import Path

import pytest

from veperf.archive.store import Archive
from veperf.core.errors import UsageError
from veperf.core.run import Machine
from veperf.progress.display import NoProgress
from veperf.runner import run_lifecycle

ELSEWHERE = Machine("other-8c", "Other CPU", 8, None, "Linux", "CPython 3.11")


def test_a_load_of_elsewhere_is_not_gone_on_with_here(tmp_path: Path) -> None:
    """Its figures would stand under the name of a machine on which nothing was measured."""
    writer = run_lifecycle.begin_load(
        "apart/load", {}, shards=2, archive=Archive(tmp_path),
        baselines=tmp_path, modules=["tests.support.remote_loads"], machine=ELSEWHERE,
    )  # fmt: skip

    assert ELSEWHERE == writer.run.machine
    assert ["apart/load[shards=2]"] == [case.id for case in writer.run.cases]
    with pytest.raises(UsageError, match="on a target elsewhere"):
        run_lifecycle.finish_run(writer, NoProgress())
