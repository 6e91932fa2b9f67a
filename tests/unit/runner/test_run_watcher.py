"""What is told of a run between its passes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.runs import one_pass
from veperf.archive.store import Archive
from veperf.core.run import Pass
from veperf.progress.display import NoProgress
from veperf.runner import run_lifecycle


@pytest.mark.parametrize("stopped_after", [None, 0, 3])
def test_a_run_is_told_of_before_its_first_pass_and_after_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped_after: int | None
) -> None:
    """Never while a pass is measured; an interrupted run is told of once more, with the reason."""
    told: list[tuple[int, str]] = []
    measuring = [False]

    class _Passes:
        def __init__(self, **settings: Any) -> None:
            self.loops = settings["loops"]

        def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
            for index in indices:
                if index == stopped_after:
                    raise KeyboardInterrupt
                measuring[0] = True
                pass_ = one_pass([], index)
                measuring[0] = False
                yield pass_

    def watch(run: Any, stopped: str) -> None:
        assert not measuring[0]
        assert (tmp_path / run.id / "passes").exists() == bool(run.passes)
        told.append((len(run.passes), stopped))

    monkeypatch.setattr(run_lifecycle, "Passes", _Passes)
    writer = run_lifecycle.begin_run(
        ["hungry/eats"], archive=Archive(tmp_path), baselines=tmp_path,
        modules=["tests.support.allocating"],
    )  # fmt: skip
    planned = writer.run.config.passes
    if stopped_after is None:
        run_lifecycle.finish_run(writer, NoProgress(), on_pass=watch)
        assert [(done, "") for done in range(planned + 1)] == told
        return
    with pytest.raises(KeyboardInterrupt) as caught:
        run_lifecycle.finish_run(writer, NoProgress(), on_pass=watch)
    assert [(done, "") for done in range(stopped_after + 1)] == told[:-1]
    assert (stopped_after, caught.value.__notes__[0]) == told[-1]
    assert "--resume" in told[-1][1]
