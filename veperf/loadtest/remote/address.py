"""Where a target listens: ``unix:///path/of/socket`` or ``tcp://host:port``."""

import contextlib
import socket
import stat
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from veperf.core.errors import UsageError

_BACKLOG = 128
# sockaddr_un.sun_path on Linux is 108 bytes, the last of them 0.
_UNIX_PATH_BYTES = 107
_KEEPALIVE_S = 5
_GIVE_UP_MS = 20_000


class UnixAddress(Struct, frozen=True):
    """A socket in a folder of this machine."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


class TcpAddress(Struct, frozen=True):
    """A port, by IPv4 or IPv6; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return (
            f"tcp://[{self.host}]:{self.port}"
            if ":" in self.host
            else f"tcp://{self.host}:{self.port}"
        )


Address = UnixAddress | TcpAddress


def parse_address(text: str) -> Address:
    """``text`` as an address.

    Raises:
        UsageError: it is none.
    """
    wanted = UsageError(f"{text!r} is no address; it is unix:///PATH or tcp://HOST:PORT")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wanted from None
    if parts.query or parts.fragment or "@" in parts.netloc or "\0" in text:
        raise wanted
    if parts.scheme == "tcp" and host and port is not None and not parts.path:
        return TcpAddress(host, port)
    if parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1:
        if len(parts.path.encode()) > _UNIX_PATH_BYTES:
            raise UsageError(
                f"{text} is too long: a socket's path has at most {_UNIX_PATH_BYTES} bytes"
            )
        return UnixAddress(parts.path)
    raise wanted


class Listener:
    """A socket that takes connections, non-blocking, and its real address."""

    def __init__(self, address: Address) -> None:
        """Listen.

        Raises:
            UsageError: that is not possible there.
        """
        try:
            if isinstance(address, TcpAddress):
                self.socket = _listen_tcp(address)
                self.address: Address = TcpAddress(address.host, self.socket.getsockname()[1])
            else:
                self.socket = _listen_unix(Path(address.path))
                self.address = address
        except OSError as error:
            raise UsageError(f"can't listen on {address}: {error.strerror or error}") from error
        self.socket.setblocking(False)

    def accept(self) -> socket.socket | None:
        """The next connection, non-blocking; None where there is none after all."""
        try:
            peer, _ = self.socket.accept()
        except OSError:
            # It has gone again, or there are no descriptors left: not the listener's end.
            return None
        return tuned(peer)

    def close(self) -> None:
        """Listen no more. Safe to call twice."""
        if self.socket.fileno() >= 0 and isinstance(self.address, UnixAddress):
            Path(self.address.path).unlink(missing_ok=True)
        self.socket.close()


def dial(address: Address, timeout_s: float) -> socket.socket:
    """A connection to ``address``, non-blocking.

    Raises:
        OSError: nobody takes it there.
    """
    if isinstance(address, TcpAddress):
        return tuned(socket.create_connection((address.host, address.port), timeout_s))
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.settimeout(timeout_s)
        peer.connect(address.path)
    except BaseException:
        peer.close()
        raise
    return tuned(peer)


def tuned(peer: socket.socket) -> socket.socket:
    """``peer``, made non-blocking; by TCP, sent at once, and closed when the link is cut.

    A host that is gone says nothing: keepalive probes find that out within ``_GIVE_UP_MS``.
    """
    peer.setblocking(False)
    if peer.family != socket.AF_UNIX:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_S)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_S)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GIVE_UP_MS)
    return peer


def _listen_tcp(address: TcpAddress) -> socket.socket:
    # The first that the name stands for decides between IPv4 and IPv6.
    (family, *_), *_ = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)


def _listen_unix(path: Path) -> socket.socket:
    """Only this user can connect: nobody can before the mode is set, because nobody listens yet."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_left_over(path)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_left_over(path: Path) -> None:
    """Remove the socket of a process that is gone, and nothing else."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
