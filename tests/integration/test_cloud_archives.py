"""Archives at Google, Azure and over SFTP, on emulators.

Azure's is no package of Python: `.ci/run` installs it by npm, outside the tree.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncssh
import pytest

from tests.support.clusters import end, until
from tests.support.runs import timed_run
from veperf.archive.compaction import compact_archive, prune_runs
from veperf.archive.migration import migrate_archive
from veperf.archive.store import Archive
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep_journal import SweepJournal, read_sweep_state, write_sweep_plan
from veperf.cluster.sweep_plan import SweepPlan, plan_sweep
from veperf.cluster.sweep_result import SweepResult, sweep_result_of
from veperf.core.errors import StorageError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
_AZURITE = Path("~/.cache/veperf-ci/node_modules/.bin").expanduser()
"""Where `.ci/run` installs it."""
_SFTP = """
import asyncio, asyncssh, sys
folder, key, authorized, port = sys.argv[1:]

async def serve():
    await asyncssh.create_server(
        asyncssh.SSHServer, "127.0.0.1", int(port), server_host_keys=[key],
        authorized_client_keys=authorized,
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
    program = shutil.which("azurite-blob", path=f"{os.environ.get('PATH', '')}:{_AZURITE}")
    if program is None:
        pytest.skip("no azurite-blob: npm install --global azurite")
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
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder of an SSH server, with a user whose keys are where OpenSSH has them."""
    ssh = tmp_path / "home" / ".ssh"
    ssh.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(ssh.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    keys = {path: asyncssh.generate_private_key("ssh-ed25519") for path in ("host", "user")}
    for name, key in keys.items():
        key.write_private_key(str(tmp_path / name))
        key.write_public_key(str(tmp_path / f"{name}.pub"))
    (ssh / "id_ed25519").write_bytes((tmp_path / "user").read_bytes())
    port = free_port()
    known = f"[127.0.0.1]:{port} {(tmp_path / 'host.pub').read_text()}"
    (ssh / "known_hosts").write_text(known)
    process = start(
        sys.executable, "-c", _SFTP, str(tmp_path), str(tmp_path / "host"),
        str(tmp_path / "user.pub"), str(port), port=port,
    )  # fmt: skip
    yield f"sftp://127.0.0.1:{port}/runs/ours"
    end(process)


@pytest.mark.parametrize("kind", ["google", "azure", "sftp"])
def test_runs_and_sweeps_are_kept(kind: str, request: pytest.FixtureRequest) -> None:
    """Written and read back, packed, pruned and queried, as in a folder."""
    url: str = request.getfixturevalue(kind)
    archive = Archive(url)
    assert [] == archive.ids()
    for name in ("r1", "r2"):
        archive.save(timed_run({"a/x": [5.0, 6.0]}, id=name))
    sweep = write_sweep_plan(archive, PLAN)
    with SweepJournal(archive, sweep, only=PLAN.tasks[0]) as journal:
        journal.add_result(PLAN.tasks[0], timed_run({"a/x": [7.0]}, id="r3"), "box")

    again = Archive(url)
    assert ["r1", "r2", "r3"] == sorted(again.ids())
    assert (1, "1") == (_state(again, sweep).failed, _state(again, sweep).missing)
    with SweepJournal(again, sweep, only=PLAN.tasks[0]) as journal:
        assert "r3" == journal.state.entries[PLAN.tasks[0].id].result_id
    assert timed_run({"a/x": [5.0, 6.0]}, id="r1") == again.load("r1")
    compact_archive(again, keep=0)
    prune_runs(again, ["r2"])

    packed = Archive(url)
    assert ({}, ["r1", "r3"]) == (packed.faults(), sorted(packed.ids()))
    assert 2 == packed.query("SELECT count(DISTINCT run) AS runs FROM samples")["runs"].item()
    assert timed_run({"a/x": [5.0, 6.0]}, id="r1") == packed.load("r1")
    assert not any(step.is_changed for step in migrate_archive(packed))


def test_a_host_with_another_key_gets_nothing(sftp: str) -> None:
    """Neither one that is not known, nor one that answers in place of one that is."""
    known = Path.home() / ".ssh" / "known_hosts"
    name = known.read_text().split()[0]
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    for content in (f"{name} {other}", ""):
        known.write_text(content)
        with pytest.raises(StorageError, match=r"is not in ~/\.ssh/known_hosts"):
            Archive(sftp)
    known.unlink()
    with pytest.raises(StorageError, match=r"is not in ~/\.ssh/known_hosts"):
        Archive(sftp)


def test_threads_do_not_take_each_others_answers(sftp: str) -> None:
    """One that renews a lease, beside one that reads: neither waits for ever."""
    storage = Archive(sftp).storage
    storage.write("here", b"1")
    with ThreadPoolExecutor(4) as pool:
        reads = [pool.submit(storage.read, "here") for _ in range(200)]

        assert {b"1"} == {read.result(60) for read in reads}


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
