"""The set-up cache gives what would be made, whatever lies in its folder, and shares no more."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from veperf.workloads import setup_cache
from veperf.workloads.setup_cache import VARIABLE, hash_sources, load_or_make

CONTENTS = bytes(range(256)) * 40


SOURCES = "hash of the sources"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the cache, which isn't there yet."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


class Maker:
    """Makes the contents, and counts how often."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        return CONTENTS


def test_bytes_are_made_once_for_the_same_question(folder: Path) -> None:
    """Another question, or other code, is made by itself; so is all that has no known code."""
    maker = Maker()

    assert [CONTENTS] * 3 == [load_or_make("a", SOURCES, maker) for _ in range(3)]
    assert 1 == maker.calls
    for number, (what, sources) in enumerate([("b", SOURCES), ("a", "x"), ("a", ""), ("a", "")], 2):
        load_or_make(what, sources, maker)
        assert number == maker.calls
    assert {0o700} == {folder.stat().st_mode & 0o777}


def test_the_hash_of_sources_is_that_of_code_not_of_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal in two checkouts; another line, name or module changes it, also of the cache itself."""

    def hash_of(checkout: str, **files: str) -> str:
        workloads = tmp_path / checkout
        all_files = {"setup_cache": "B = 1", "package/one": "A = 1", "package/sub/two": ""} | files
        for name, text in all_files.items():
            path = workloads / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(setup_cache, "__file__", str(workloads / "setup_cache.py"))
        return hash_sources(workloads / "package")

    variants: list[dict[str, str]] = [
        {"package/one": "A = 2"},
        {"package/sub/two": "A"},
        {"package/sub/three": ""},
        {"setup_cache": "B = 2"},
    ]
    hashes = [hash_of(str(number), **files) for number, files in enumerate([{}, *variants])]

    assert hashes[0] == hash_of("again")
    assert len(hashes) == len(set(hashes))
    assert hash_sources(tmp_path / "nowhere")
    (tmp_path / "again" / "package" / "gone.py").symlink_to("nowhere")
    assert "" == hash_sources(tmp_path / "again" / "package")


def link_elsewhere(path: Path) -> None:
    other = path.parent.parent / "other"
    path.rename(other)
    path.symlink_to(other)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def change_byte(place: int) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[place] ^= 1
        path.write_bytes(data)

    return change


def take_entry_of_other(path: Path) -> None:
    """Put a sound entry of another question there."""
    (other,) = (p for p in path.parent.iterdir() if p != path)
    path.write_bytes(other.read_bytes())


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: os.truncate(path, 1_000),
    "only its head": lambda path: os.truncate(path, 64),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "another name": change_byte(0),
    "another digest": change_byte(40),
    "another byte": change_byte(5_000),
    "text": lambda path: path.write_text("not an entry"),
    "another's": take_entry_of_other,
    "a link": link_elsewhere,
    "a pipe": replace_by_pipe,
    "a folder": replace_by_folder,
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_not_a_sound_entry_is_made_anew(folder: Path, damage: str) -> None:
    """Never trusted, never an error; the next process finds a sound one, but for a folder."""
    load_or_make("a", SOURCES, Maker())
    (path,) = folder.iterdir()
    load_or_make("b", SOURCES, lambda: b"other")
    DAMAGE[damage](path)
    maker = Maker()

    assert CONTENTS == load_or_make("a", SOURCES, maker) == load_or_make("a", SOURCES, maker)
    assert (2 if damage == "a folder" else 1) == maker.calls
    assert not path.is_symlink()


@pytest.mark.parametrize("case", ["off", "open to others", "a link", "a file", "no home"])
def test_without_a_private_folder_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """The bytes are made each time, and nothing is written."""
    before: set[Path] = set()
    if case == "off":
        monkeypatch.setenv(VARIABLE, "off")
    elif case == "open to others":
        folder.mkdir(mode=0o755)
    elif case == "a link":
        (folder.parent / "other").mkdir(mode=0o700)
        folder.symlink_to(folder.parent / "other")
    elif case == "a file":
        folder.write_text("mine")
    else:
        monkeypatch.setenv(VARIABLE, "/dev/null/cache")
    before = set(folder.parent.rglob("*"))
    maker = Maker()

    assert [CONTENTS] * 2 == [load_or_make("a", SOURCES, maker) for _ in range(2)]
    assert 2 == maker.calls
    assert before == set(folder.parent.rglob("*"))


def test_the_entries_used_last_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder's files fit the limit; remains of a process that was killed go, too."""
    monkeypatch.setattr(setup_cache, "MAX_BYTES", 3 * len(CONTENTS))
    folder.mkdir(mode=0o700)
    (folder / "remains").write_bytes(CONTENTS)
    for age, what in enumerate(["a", "b"]):
        load_or_make(what, SOURCES, Maker())
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns)
        os.utime(newest, (100 + age, 100 + age))
    os.utime(folder / "remains", (1, 1))
    load_or_make("a", SOURCES, Maker())  # used again
    load_or_make("c", SOURCES, Maker())
    makers = {what: Maker() for what in "abc"}
    for what in "acb":
        load_or_make(what, SOURCES, makers[what])

    assert {"a": 0, "b": 1, "c": 0} == {what: maker.calls for what, maker in makers.items()}
    assert sum(path.stat().st_size for path in folder.iterdir()) <= setup_cache.MAX_BYTES
    assert not (folder / "remains").exists()
