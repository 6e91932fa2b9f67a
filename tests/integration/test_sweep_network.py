"""Sweeps over a network that fails: hosts are namespaces, cables are cut, the scheduler restarts.

The work is held until a test lets go of it, so that nothing depends on how fast the machine is.
"""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.clusters import AGAIN, until
from tests.support.networks.held import lines
from tests.support.networks.hosts import Host, kill, network, why_not
from veperf.archive.store import Archive

pytestmark = [pytest.mark.network, pytest.mark.skipif(bool(why_not()), reason=why_not())]
_PORT = 8786
# The shortest that dask takes; a cut cable is noticed after so long.
_DASK = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "11s"}


@dataclass(frozen=True)
class Site:
    """A host for the client, one for the scheduler, and two for workers."""

    client: Host
    scheduler: Host
    workers: tuple[Host, Host]
    folder: Path

    @property
    def archive(self) -> Archive:
        """Where the client keeps runs."""
        return Archive(self.folder / "archive")

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return f"tcp://{self.scheduler.address}:{_PORT}"

    def start_scheduler(self) -> "subprocess.Popen[bytes]":
        """On its port."""
        words = ("--host", self.scheduler.address, "--port", str(_PORT), "--no-dashboard")
        return self.scheduler.start(
            sys.executable, "-m", "dask", "scheduler", *words, environment=_DASK
        )

    def start_worker(self, host: Host) -> None:
        """One that is started again whenever it ends, as an init system would."""
        dask = (sys.executable, "-m", "dask", "worker", self.address, "--no-nanny")
        words = ("--nthreads", "1", "--no-dashboard", "--resources", "veperf=1")
        held = {"HELD": str(self.folder)}
        host.start("sh", "-c", AGAIN, "sh", *dask, *words, environment=_DASK | held)

    def sweep(self, tasks: int) -> "subprocess.Popen[bytes]":
        """A sweep of that many tasks."""
        words = (str(self.folder / "archive"), self.address, str(tasks))
        return self.client.start(
            sys.executable, "-m", "tests.support.networks.client", *words, environment=_DASK
        )

    def begun(self) -> list[tuple[object, object]]:
        """Task and host of all that was begun."""
        return [(line["task"], line["host"]) for line in lines(self.folder, "begun")]

    def let_go(self) -> None:
        """Tasks come back from now on."""
        (self.folder / "go").touch()

    def said(self) -> str:
        """By the client."""
        return (self.client.folder / "log").read_text()


@contextmanager
def _site(folder: Path, *, delay_s: float = 0.0, loss: float = 0.0) -> Iterator[Site]:
    names = ("scheduler", "client", "first", "second")
    with network(folder, names, delay_s=delay_s, loss=loss) as hosts:
        scheduler, client, *workers = hosts
        site = Site(client, scheduler, (workers[0], workers[1]), folder)
        try:
            yield site
        except BaseException:
            for log in folder.glob("*/log"):
                sys.stdout.write(f"--- {log.parent.name}\n{log.read_text()}")
            raise


def _each_once(site: Site, tasks: int) -> None:
    """A run a task, and nothing else in the archive."""
    runs = site.archive.ids()
    assert sorted(map(str, range(tasks))) == sorted(run.split("-")[1] for run in runs)
    assert "failed 0" in site.said()
    assert not _overlaps(site)


def _overlaps(site: Site) -> list[str]:
    """Hosts that did two things at once."""
    result = []
    for host in site.workers:
        events = [
            (line["at_ns"], step)
            for kind, step in (("begun", 1), ("ended", -1), ("gave-up", -1))
            for line in lines(site.folder, kind)
            if line["host"] == host.name
        ]
        at_once = 0
        for _, step in sorted(events, key=str):
            at_once += step
            if at_once > 1:
                result.append(host.name)
    return result


@pytest.mark.slow
def test_the_link_of_a_worker_is_cut(tmp_path: Path) -> None:
    """Its task runs again elsewhere; what it measured meanwhile is not counted, and it is used
    again once it is back.
    """
    with _site(tmp_path) as site:
        site.start_scheduler()
        first, second = site.workers
        site.start_worker(first)
        client = site.sweep(4)
        until(lambda: len(site.begun()) == 1)

        first.cut()
        site.start_worker(second)
        until(lambda: second.name in dict(site.begun()).values())
        until(lambda: "was lost; it had " in site.said())
        first.mend()
        until(lambda: Counter(host for _, host in site.begun())[first.name] == 2)
        site.let_go()
        client.wait(60)

        _each_once(site, 4)
        assert [first.name] == [line["host"] for line in lines(tmp_path, "gave-up")]


@pytest.mark.slow
def test_a_short_cut(tmp_path: Path) -> None:
    """Is not even noticed."""
    with _site(tmp_path) as site:
        site.start_scheduler()
        first, _ = site.workers
        site.start_worker(first)
        client = site.sweep(2)
        until(lambda: len(site.begun()) == 1)

        first.cut()
        site.let_go()
        until(lambda: len(lines(tmp_path, "ended")) > 0)
        first.mend()
        client.wait(60)

        _each_once(site, 2)
        assert 2 == len(site.begun())


@pytest.mark.slow
def test_the_link_of_the_client_is_cut(tmp_path: Path) -> None:
    """Nobody wants what is being measured, so that ends; it goes on once the client is back."""
    with _site(tmp_path) as site:
        site.start_scheduler()
        for host in site.workers:
            site.start_worker(host)
        client = site.sweep(3)
        until(lambda: len(site.begun()) == 2)

        site.client.cut()
        until(lambda: len(lines(tmp_path, "gave-up")) == 2)
        site.client.mend()
        until(lambda: len(site.begun()) == 4)
        site.let_go()
        client.wait(60)

        _each_once(site, 3)
        assert "the scheduler is gone" in site.said()


@pytest.mark.slow
def test_the_scheduler_restarts(tmp_path: Path) -> None:
    """At its address: workers and client come back to it, and it goes on."""
    with _site(tmp_path) as site:
        scheduler = site.start_scheduler()
        for host in site.workers:
            site.start_worker(host)
        client = site.sweep(3)
        until(lambda: len(site.begun()) == 2)

        kill(scheduler)
        site.start_scheduler()
        until(lambda: len(site.begun()) == 4)
        site.let_go()
        client.wait(60)

        _each_once(site, 3)


@pytest.mark.slow
def test_a_bad_line(tmp_path: Path) -> None:
    """Packets late by 50 ms, one in twenty lost: it takes longer, and all come back once."""
    with _site(tmp_path, delay_s=0.05, loss=0.05) as site:
        site.start_scheduler()
        for host in site.workers:
            site.start_worker(host)
        site.let_go()

        site.sweep(12).wait(120)

        _each_once(site, 12)


@pytest.mark.slow
def test_two_workers_on_one_host(tmp_path: Path) -> None:
    """Measure one after the other."""
    with _site(tmp_path) as site:
        site.start_scheduler()
        first, _ = site.workers
        site.start_worker(first)
        site.start_worker(first)
        client = site.sweep(6)
        until(lambda: len(lines(tmp_path, "came")) == 2)
        assert 1 == len(site.begun())
        site.let_go()
        client.wait(60)

        _each_once(site, 6)
        assert 2 == len({line["worker"] for line in lines(tmp_path, "ended")})
