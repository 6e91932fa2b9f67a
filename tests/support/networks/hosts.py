"""Hosts in namespaces: each with a name, an address, processes and a temporary folder of its own.

A host is a process that waits for the end of its standard input, in network, UTS, mount and PID
namespaces of its own; one more holds the switch, a bridge. Namespaces have no names, and end with
those processes, which end with the test, however that ends: nothing is left that could be in the
way of the next one. Without root it is done within a user namespace, where that is permitted.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.processes import children

ROOT = Path(__file__).resolve().parents[2]
_CABLE = Path(__file__).with_name("cable.py")
_NEEDED = ("ip", "unshare", "nsenter")


@dataclass(slots=True)
class Host:
    """One host, and its end of the cable to the switch."""

    name: str
    address: str
    folder: Path
    """Of its temporary files and logs."""
    holder: "subprocess.Popen[bytes]"
    switch: "subprocess.Popen[bytes]"
    port: str
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(
        self, *words: str, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a process on this host; what it says goes to a file in ``folder``."""
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [*_into(self.holder, processes=True), *words],
                env={**os.environ, "TMPDIR": str(self.folder), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    def cut(self) -> None:
        """Pull the cable out of the switch."""
        _run(*_into(self.switch), "ip", "link", "set", self.port, "down")

    def mend(self) -> None:
        """Put it back."""
        _run(*_into(self.switch), "ip", "link", "set", self.port, "up")


@contextmanager
def network(
    folder: Path, names: tuple[str, ...], *, delay_s: float = 0.0, loss: float = 0.0
) -> Iterator[tuple[Host, ...]]:
    """Hosts of those names on one switch.

    Args:
        folder: for their temporary folders.
        names: of the hosts.
        delay_s: of every packet between the first host and the switch.
        loss: the part of those packets that never arrives.
    """
    hosts: list[Host] = []
    with _waited_for(hosts), ExitStack() as stack:
        switch = stack.enter_context(_holder([]))
        in_switch = _into(switch)
        _run(*in_switch, "ip", "link", "add", "switch", "type", "bridge")
        _run(*in_switch, "ip", "link", "set", "switch", "up")
        for number, name in enumerate(names, 1):
            holder = stack.enter_context(_holder(in_switch))
            place = folder / name
            place.mkdir()
            host = Host(name, f"10.0.0.{number}", place, holder, switch, f"port{number}")
            if delay_s or loss:
                stack.enter_context(_bad_cable(host, delay_s, loss))
                delay_s = loss = 0.0
            else:
                peer = ("peer", "name", "eth0", "netns", str(holder.pid))
                _run(*in_switch, "ip", "link", "add", host.port, "type", "veth", *peer)
            _run(*in_switch, "ip", "link", "set", host.port, "master", "switch", "up")
            inside = _into(holder, processes=True)
            _run(*inside, "hostname", name)
            for words in ("addr add {}/24 dev eth0", "link set eth0 up", "link set lo up"):
                _run(*inside, "ip", *words.format(host.address).split())
            hosts.append(host)
        yield tuple(hosts)


@cache
def why_not() -> str:
    """What keeps this machine from having namespaces; empty if nothing does."""
    if not sys.platform.startswith("linux"):
        return "namespaces are Linux's"
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun, of which bad cables are made"
    try:
        for program in _NEEDED:
            subprocess.run([program, "--version"], capture_output=True, check=False)
        with _holder([]) as switch:
            _run(*_into(switch), "ip", "link", "add", "switch", "type", "bridge")
    except (OSError, subprocess.SubprocessError) as error:
        return f"no network namespaces here: {error}"
    return ""


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill what ``Host.start`` started: the one child of the process that entered the host."""
    for child in children(process.pid):
        os.kill(child, signal.SIGKILL)
    process.wait()


@contextmanager
def _waited_for(hosts: list[Host]) -> Iterator[None]:
    """Take leave of the processes of ``hosts``, which end with the hosts."""
    try:
        yield
    finally:
        for host in hosts:
            for process in host.processes:
                process.wait()


@contextmanager
def _holder(prefix: list[str]) -> "Iterator[subprocess.Popen[bytes]]":
    """What keeps namespaces alive until its input ends."""
    user = ["--user", "--map-root-user"] if os.geteuid() and not prefix else []
    kinds = ["--net", "--uts", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]
    with subprocess.Popen(
        [*prefix, "unshare", *user, *kinds, "sh", "-c", "echo ready; exec cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        if holder.stdout.readline() != b"ready\n":
            raise OSError(holder.stderr.read().decode(errors="replace").strip())
        yield holder


@contextmanager
def _bad_cable(host: Host, delay_s: float, loss: float) -> Iterator[None]:
    switch_net = f"/proc/{host.switch.pid}/ns/net"
    words = (switch_net, host.port, str(delay_s), str(loss))
    with subprocess.Popen(
        [*_into(host.holder), sys.executable, str(_CABLE), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as cable:
        assert cable.stdout is not None
        assert cable.stdout.readline() == b"ready\n"
        yield


def _into(holder: "subprocess.Popen[bytes]", *, processes: bool = False) -> list[str]:
    """What enters the namespaces of ``holder``; that of its processes only where asked to."""
    place = f"/proc/{holder.pid}/ns"
    user = [f"--user={place}/user", "--preserve-credentials"] if os.geteuid() else []
    spaces = [f"--net={place}/net", f"--uts={place}/uts"]
    if processes:
        spaces += [f"--mount={place}/mnt", f"--pid={place}/pid_for_children", f"--wd={ROOT}"]
    return ["nsenter", *user, *spaces, "--"]


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True, timeout=30)
