"""Archives at Google, Azure and over SFTP, on emulators, where those are installed.

pip install gcsfs gcp-storage-emulator adlfs asyncssh paramiko
npm install azurite      # its programs in the PATH
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clusters import end, until
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep_journal import TaskJournal, read_sweep_state, write_sweep_plan
from veperf.cluster.sweep_plan import SweepPlan, plan_sweep
from veperf.cluster.sweep_result import SweepResult, sweep_result_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
_SFTP = """
import asyncio, asyncssh, sys
folder, key, port = sys.argv[1:]

class Anyone(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False

async def serve():
    await asyncssh.create_server(
        Anyone, "127.0.0.1", int(port), server_host_keys=[key],
        sftp_factory=lambda peer: asyncssh.SFTPServer(peer, chroot=folder),
    )
    await asyncio.Event().wait()

asyncio.run(serve())
"""
PLAN: SweepPlan = plan_sweep(SweepSpec("night", benchmarks=("a/x", "a/y")), str)


def _state(archive: Archive, sweep: str) -> SweepResult:
    return sweep_result_of(read_sweep_state(archive, sweep))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def start(*words: str, port: int) -> "subprocess.Popen[bytes]":
    """A server, once it listens."""
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens)
    return process


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its storage, by an emulator on PyPI."""
    pytest.importorskip("gcsfs")
    pytest.importorskip("gcp_storage_emulator")
    port = free_port()
    code = (
        "from gcp_storage_emulator.server import create_server; "
        f"create_server('127.0.0.1', {port}, in_memory=True, default_bucket='runs').run()"
    )
    process = start(sys.executable, "-c", code, port=port)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    monkeypatch.delenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", raising=False)
    yield "gs://runs/ours"
    end(process)


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Its blobs, by the emulator on npm."""
    pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite is not installed")
    port, key = free_port(), "cGxhbnRlZC1rZXk="
    monkeypatch.setenv("AZURITE_ACCOUNTS", f"planted:{key}")
    process = start(
        program, "--blobPort", str(port), "--location", str(tmp_path), "--skipApiVersionCheck",
        "--silent", port=port,
    )  # fmt: skip
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        f"DefaultEndpointsProtocol=http;AccountName=planted;AccountKey={key};"
        f"BlobEndpoint=http://127.0.0.1:{port}/planted;",
    )
    import fsspec

    fsspec.filesystem("abfs", skip_instance_cache=True).mkdir("runs")
    yield "abfs://runs/ours"
    end(process)


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[str]:
    """A folder of an SSH server."""
    pytest.importorskip("paramiko")
    asyncssh = pytest.importorskip("asyncssh")
    key = tmp_path / "host.key"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(key))
    port = free_port()
    process = start(sys.executable, "-c", _SFTP, str(tmp_path), str(key), str(port), port=port)
    yield f"sftp://127.0.0.1:{port}/runs/ours"
    end(process)


@pytest.mark.parametrize("kind", ["google", "azure", "sftp"])
def test_runs_and_sweeps_are_kept(kind: str, request: pytest.FixtureRequest) -> None:
    """Written and read back, packed and pruned, by processes that wait for each other."""
    url: str = request.getfixturevalue(kind)
    archive = Archive(url)
    assert [] == archive.ids()
    for name in ("r1", "r2"):
        archive.save(timed_run({"a/x": [5.0, 6.0]}, id=name))
    sweep = write_sweep_plan(archive, PLAN)
    with TaskJournal(archive, sweep, PLAN, PLAN.tasks[0]) as journal:
        journal.add_result(timed_run({"a/x": [7.0]}, id="r3"), "box")

    again = Archive(url)
    assert ["r1", "r2", "r3"] == sorted(again.ids())
    assert (1, "1") == (_state(again, sweep).failed, _state(again, sweep).missing)
    with TaskJournal(again, sweep, PLAN, PLAN.tasks[0]) as journal:
        assert "r3" == journal.result_id
    assert timed_run({"a/x": [5.0, 6.0]}, id="r1") == again.load("r1")


def test_google_is_not_asked_what_kind_of_bucket_it_is(google: str) -> None:
    """By another protocol, which needs rights of its own: that is a setting of its client."""
    code = (
        f"from veperf.archive.store import Archive; print(Archive({google!r}).ids()); "
        "import gcsfs; print(gcsfs.GCSFileSystem.__module__)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert ["[]", "gcsfs.core"] == done.stdout.splitlines()
    assert "bucket type" not in done.stderr
