"""Where targets listen, and who may come in there."""

import socket
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.loadtest.remote.target_socket import (
    Listener,
    TcpAddress,
    UnixAddress,
    open_connection,
    parse_target_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("unix:///tmp/a.sock", UnixAddress("/tmp/a.sock")),
        ("tcp://127.0.0.1:0", TcpAddress("127.0.0.1", 0)),
        ("tcp://[::1]:7700", TcpAddress("::1", 7700)),
        ("tcp://bench.example:65535", TcpAddress("bench.example", 65535)),
    ],
)
def test_an_address_reads_as_it_is_written(text: str, address: TcpAddress | UnixAddress) -> None:
    """Both kinds, there and back."""
    assert address == parse_target_address(text)
    assert text == str(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/tmp/a.sock",
        "127.0.0.1:7700",
        "http://127.0.0.1:7700",
        "tcp://127.0.0.1",
        "tcp://:7700",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:-1",
        "tcp://127.0.0.1:x",
        "tcp://user@127.0.0.1:7700",
        "tcp://127.0.0.1:7700/path",
        "tcp://127.0.0.1:7700?x=1",
        "tcp://[::1:7700",
        "unix://",
        "unix:///",
        "unix://host/a.sock",
        "unix:///" + "a" * 107,
        "unix:///a\0b",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """In words, before anything is opened."""
    with pytest.raises(UsageError):
        parse_target_address(text)


@given(st.one_of(st.text(), st.text().map("tcp://".__add__), st.text().map("unix:///".__add__)))
def test_any_text_is_an_address_or_an_error(text: str) -> None:
    """Nothing else is raised, and what is taken is understood again."""
    try:
        address = parse_target_address(text)
    except UsageError:
        return
    assert address == parse_target_address(str(address))


def taken_in(listener: Listener) -> socket.socket:
    """The next connection."""
    parsed = listener.accept()
    assert parsed is not None
    return parsed


def test_a_socket_in_a_folder_is_its_owners(tmp_path: Path) -> None:
    """Nobody else may connect, and it is gone with its listener."""
    path = tmp_path / "a.sock"
    with closing(Listener(UnixAddress(str(path)))) as listener:
        assert 0o600 == path.stat().st_mode & 0o777
        with open_connection(listener.address, 5):
            taken_in(listener).close()

    assert not path.exists()


def test_a_socket_that_was_left_over_is_taken_over(tmp_path: Path) -> None:
    """That of a process that was killed: nobody listens on it any more."""
    path = tmp_path / "a.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with (
        closing(Listener(UnixAddress(str(path)))) as listener,
        open_connection(listener.address, 5),
    ):
        taken_in(listener).close()


def test_nothing_of_others_is_removed(tmp_path: Path) -> None:
    """Neither a socket that is listened on, nor a file that is no socket."""
    path, file = tmp_path / "a.sock", tmp_path / "notes"
    file.write_text("mine")
    with closing(Listener(UnixAddress(str(path)))):
        for taken in (path, file):
            with pytest.raises(UsageError, match="can't listen on"):
                Listener(UnixAddress(str(taken)))
        open_connection(UnixAddress(str(path)), 5).close()

    assert "mine" == file.read_text()


def test_a_free_port_is_found_and_sends_at_once() -> None:
    """The real port is known, and small messages do not wait for others (Nagle)."""
    with closing(Listener(TcpAddress("127.0.0.1", 0))) as listener:
        assert isinstance(listener.address, TcpAddress)
        assert 0 < listener.address.port
        with open_connection(listener.address, 5) as own, taken_in(listener) as other:
            for end in (own, other):
                assert end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(UsageError, match="can't listen on"):
            Listener(listener.address)


def test_where_nobody_can_listen_is_said() -> None:
    """An address of another host, a name that is none, a folder that is not there."""
    for address in (
        TcpAddress("192.0.2.1", 0),
        TcpAddress("no such host", 0),
        UnixAddress("/no/such/folder/a.sock"),
    ):
        with pytest.raises(UsageError, match="can't listen on"):
            Listener(address)
