"""With the settings of docs/scale.md no port of a cluster tells anything in plain text."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # has no stubs
import pytest
import yaml

from tests.support.clusters import end, until

PAGE = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
_PAGES = (
    "/json/identity.json", "/json/counts.json", "/info/main/workers.html", "/info/logs.html",
    "/metrics", "/health", "/statics/css/base.css",
)  # fmt: skip
"""Of dask's HTTP server, as it is by default."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate"),
]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    both = first.keys() & second.keys()
    return first | second | {name: _merged(first[name], second[name]) for name in both}


@contextmanager
def _cluster(folder: Path) -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """A scheduler and a worker, started by the page's words with its settings, TLS among them."""
    certificate, key = folder / "host.pem", folder / "host.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-subj", "/CN=veperf", "-days", "1", "-keyout", str(key),
         "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    quiet, tls = (yaml.safe_load(block) for block in _blocks("yaml"))
    text = yaml.safe_dump(_merged(quiet, tls))
    text = re.sub(r"/srv/veperf/tls/(ca|host)\.pem", str(certificate), text)
    text = text.replace("/srv/veperf/tls/host.key", str(key))
    (folder / "dask.yaml").write_text(text)
    port = _free_port()
    lines = [line.removeprefix("$ ") for block in _blocks("console") for line in block.splitlines()]
    with ExitStack() as stack:
        processes = {}
        for kind in ("scheduler", "worker"):
            (line,) = [line for line in lines if line.startswith(f"dask {kind} ")]
            line = line.replace("tcp://head:8786", f"tls://127.0.0.1:{port}")
            words = shlex.split(line.replace("--port 8786", f"--port {port}"))[1:]
            if kind == "worker":
                words += ["--local-directory", str(folder)]
            log = stack.enter_context((folder / f"{kind}.log").open("wb"))
            processes[kind] = subprocess.Popen(
                [sys.executable, "-m", "dask", *words],
                env=os.environ | {"DASK_CONFIG": str(folder / "dask.yaml")},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            stack.callback(end, processes[kind])
        until(lambda: "Registered to" in (folder / "worker.log").read_text())
        yield processes


def _listening(process: "subprocess.Popen[bytes]") -> list[tuple[str, int]]:
    connections = psutil.Process(process.pid).net_connections("inet")
    return [(c.laddr.ip, c.laddr.port) for c in connections if c.status == psutil.CONN_LISTEN]


def _answer(port: int, path: str) -> bytes:
    """What a plain client has in answer within some seconds."""
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as peer:
            peer.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return peer.recv(1000)
    except OSError:
        return b""


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_nothing_is_told_in_plain_text(tmp_path: Path) -> None:
    """What other hosts reach speaks TLS only, and what this one reaches has no pages."""
    with _cluster(tmp_path) as processes:
        for kind, process in processes.items():
            open_ports: set[int] = set()
            own_ports: set[int] = set()
            for address, port in _listening(process):
                own = ip_address(address).is_loopback
                (own_ports if own else open_ports).add(port)

            assert own_ports, f"{kind}: the HTTP server is expected here"
            for port in open_ports:
                assert not _answer(port, "/").startswith(b"HTTP"), f"{kind} on {port}"
            for port in own_ports:
                assert not (answer := _answer(port, "/sitemap.json")).startswith(b"HTTP") or (
                    answer.endswith(b'{"paths": ["/sitemap.json"]}')
                )
                for path in _PAGES:
                    answer = _answer(port, path)
                    assert not answer.startswith(b"HTTP") or b" 404 " in answer.splitlines()[0]
            if kind == "scheduler":
                assert 1 == len(open_ports)
