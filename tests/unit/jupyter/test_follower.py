"""A run that is going on is followed, and nothing is watched for longer than that is asked."""

from threading import Event
from threading import enumerate as all_threads

import pytest
from msgspec.structs import replace

import veperf
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.jupyter.explored_runs import ExploredRuns
from veperf.jupyter.follower import Follower, Seen

TIMES = {"a/b": [100.0, 101.0, 102.0]}
OLD, NEW = "20261101-000000-abc1234", "20261201-000000-abc1234"


@pytest.fixture
def archive(tmp_path) -> Archive:
    """An archive with a run."""
    archive = Archive(tmp_path)
    archive.save(timed_run(TIMES, id="20261115-000000-abc1234"))
    return archive


def test_each_process_is_told_and_the_end(archive):
    """Once each: as it begins, after each pass, and when it is whole."""
    told: list[tuple[str, int]] = []
    source = ExploredRuns(archive.folder)
    follower = Follower(source, lambda id: told.append((id, len(source.run(id).passes))))
    run = timed_run(TIMES, id=NEW)
    seen = follower.look(Seen())
    with archive.begin(replace(run, passes=())) as writer:
        for pass_ in run.passes:
            seen = follower.look(follower.look(seen))
            writer.add(pass_, {})
        seen = follower.look(seen)
        writer.complete()
    follower.look(follower.look(seen))

    assert [(NEW, 0), (NEW, 1), (NEW, 2), (NEW, 3), (NEW, 3)] == told


def test_a_run_that_was_interrupted_long_ago_goes_on_only_when_it_does(archive):
    """One that others came after is told of once it has a new pass."""
    told: list[str] = []
    follower = Follower(ExploredRuns(archive.folder), told.append)
    run = timed_run(TIMES, id=OLD)
    with archive.begin(replace(run, passes=())) as writer:
        writer.add(run.passes[0], {})
        seen = follower.look(Seen())
        before = list(told)
        writer.add(run.passes[1], {})
        follower.look(seen)

    assert ([], [OLD]) == (before, told)


def test_the_explorer_shows_the_run_while_it_goes_on(archive):
    """It becomes the first run, with the processes that are done; closing ends the thread."""
    renewed = Event()
    explorer = veperf.explore(archive=archive.folder)
    explorer.observe(lambda _: renewed.set(), ["runs"])
    run = timed_run(TIMES, id=NEW)
    with archive.begin(replace(run, passes=())) as writer:
        writer.add(run.passes[0], {})
        explorer.follow = True
        watched = explorer.following
        assert renewed.wait(20)
    explorer.close()

    assert watched
    assert NEW == explorer.runs[0]
    assert 4 == len(explorer.selected.query("run == @NEW"))
    assert not explorer.following
    assert "veperf-follow" not in {thread.name for thread in all_threads()}
