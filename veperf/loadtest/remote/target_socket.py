"""Addresses and sockets of a target: ``unix:///path/of/socket`` or ``tcp://host:port``."""

import contextlib
import ipaddress
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
    """The path of a socket on this machine."""

    path: str

    def __str__(self) -> str:
        return f"unix://{self.path}"


class TcpAddress(Struct, frozen=True):
    """A host and port, by IPv4 or IPv6; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"tcp://{host}:{self.port}"


Address = UnixAddress | TcpAddress


def parse_target_address(text: str) -> Address:
    """Parse ``text`` as an address.

    Raises:
        UsageError: it is none.
    """
    no_address = UsageError(f"{text!r} is no address; give unix:///PATH or tcp://HOST:PORT")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise no_address from None
    if parts.query or parts.fragment or "@" in parts.netloc or "\0" in text:
        raise no_address
    if parts.scheme == "tcp" and host and port is not None and not parts.path:
        return TcpAddress(host, port)
    if parts.scheme == "unix" and not parts.netloc and len(parts.path) > 1:
        if len(parts.path.encode()) > _UNIX_PATH_BYTES:
            raise UsageError(
                f"{text} is too long: a socket's path has at most {_UNIX_PATH_BYTES} bytes"
            )
        return UnixAddress(parts.path)
    raise no_address


class Listener:
    """A non-blocking socket that accepts connections, and its real address."""

    def __init__(self, address: Address) -> None:
        """Start to listen.

        Raises:
            UsageError: that is not possible at ``address``.
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
        """Return the next connection, non-blocking; None where there is none after all."""
        try:
            peer, _ = self.socket.accept()
        except OSError:
            # It is gone again, or there are no descriptors left: the listener goes on.
            return None
        return configure_socket(peer)

    def close(self) -> None:
        """Stop listening. Safe to call twice."""
        if self.socket.fileno() >= 0 and isinstance(self.address, UnixAddress):
            Path(self.address.path).unlink(missing_ok=True)
        self.socket.close()


def is_of_this_host(address: Address) -> bool:
    """Return whether only processes of this host can connect to what listens on ``address``."""
    if isinstance(address, UnixAddress):
        return True
    try:
        infos = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(info[4][0]).is_loopback for info in infos)


def open_connection(address: Address, timeout_s: float) -> socket.socket:
    """Open a non-blocking connection to ``address``.

    Raises:
        OSError: nothing accepts it there.
    """
    if isinstance(address, TcpAddress):
        return configure_socket(socket.create_connection((address.host, address.port), timeout_s))
    peer = socket.socket(socket.AF_UNIX)
    try:
        peer.settimeout(timeout_s)
        peer.connect(address.path)
    except BaseException:
        peer.close()
        raise
    return configure_socket(peer)


def configure_socket(peer: socket.socket) -> socket.socket:
    """Make ``peer`` non-blocking; with TCP also send at once, and close when the link is cut.

    A host that is gone sends nothing: keepalive probes detect that within ``_GIVE_UP_MS``.
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
    # The first address of the name decides between IPv4 and IPv6.
    (family, *_), *_ = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)


def _listen_unix(path: Path) -> socket.socket:
    """Listen at ``path`` for this user alone: the mode is set before listening begins."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_stale_socket(path)
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale_socket(path: Path) -> None:
    """Remove the socket of a process that is gone, and nothing else."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
