"""Readers account for every part of a file: none is lost in silence."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.hostile_files import VECTORS, any_format, mutated, samples
from veperf.core.errors import VeperfError
from veperf.formats import account as accounts
from veperf.formats.account import FileAccount, account_notes, explain_account, summarise_accounts
from veperf.formats.imported_run import ImportedRun
from veperf.formats.readers import read_runs, read_runs_from

SILENT = "the reader says nothing of it"


def read(data: bytes, name: str = "f", format: str = "") -> ImportedRun:
    return read_runs(data, name, format=format)[0]


def counted(found: dict[str, list[range]]) -> int:
    return sum(len(span) for spans in found.values() for span in spans)


def assert_whole(account: FileAccount, data: bytes) -> None:
    """Assert that something is said of each part, and that there is a part for each line."""
    assert account.seen > 0
    assert SILENT not in account.refused
    said = account.taken + counted(account.skipped) + counted(account.refused)
    assert account.seen == said
    if account.part == "line" and not data.startswith((b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff")):
        assert len(data.removesuffix(b"\n").split(b"\n")) == account.seen


def test_readers_account_for_every_part_of_a_sample() -> None:
    """All formats do, and take something of a file with results."""
    read_files = 0
    for name, data in samples():
        try:
            imported = read(data, name)
        except VeperfError:
            continue
        read_files += 1
        (account,) = imported.accounts
        assert_whole(account, data)
        assert account.taken > 0, name
        assert imported.run.reading == summarise_accounts([account])
    assert read_files > 20


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32))
def test_readers_account_for_damaged_files(seed: int) -> None:
    """Whatever is left of a file, or it is an error."""
    dice = random.Random(seed)
    name, data = dice.choice(samples())
    data = mutated(data, dice)
    try:
        imported = read(data, name, any_format(dice))
    except VeperfError:
        return

    (account,) = imported.accounts
    assert_whole(account, b"\x1f\x8b")  # how many lines there are depends on the encoding


def test_a_folder_has_an_account_a_file() -> None:
    """And one summary of all of them."""
    (imported,) = read_runs_from(VECTORS / "interop" / "criterion")

    assert 3 == len(imported.accounts)
    assert "30 samples of 3 files: 30 taken, none refused" == imported.run.reading


MIXED = (
    b"pkg: ex/a\n"
    b"BenchmarkA-8 100 5 ns/op\n"
    b"BenchmarkB-8 100 x ns/op\n"
    b"BenchmarkC-8 7 ns/op\n"
    b"\n"
    b"some log\n"
    b" 100 5 ns/op\n"
    b"hello BenchmarkD-8 100 5 ns/op\n"
    b"Unit frobs\n"
    b"PASS\n"
)


def test_what_was_refused_is_a_note_of_the_run() -> None:
    """With its lines and the reason; the account explains the others."""
    imported = read(MIXED)

    assert {
        "line 3 left out: an incomplete result",
        "line 4 left out: figures without a number of iterations before them",
        "line 8 left out: a result without a name of its own",
        "line 9 left out: a Unit line without settings",
    } <= set(imported.notes)
    assert 10 == imported.accounts[0].seen
    explained = "\n".join(explain_account(imported.accounts[0]))
    for words in (
        "10 lines: 2 taken, 4 skipped",
        "skipped 1: settings: line 1",
        "skipped 1: blank lines: line 5",
        "skipped 1: lines of other text: line 6",
        "refused 1: an incomplete result: line 3",
    ):
        assert words in explained


def test_a_file_without_results_says_what_was_in_it() -> None:
    """The error has the summary, and what was refused."""
    with pytest.raises(VeperfError, match=r"2 lines: 0 taken.*line 2 left out: a result without"):
        read(b"pkg: ex/a\n 100 5 ns/op\n", format="go")


def test_the_gravest_that_is_said_of_a_part_counts() -> None:
    """Refused before taken before skipped, in whichever order; nothing said is refused."""
    account = FileAccount("f")
    account.begin("row", 5)
    for number, words in enumerate((["skip", "take"], ["take", "skip"], ["refuse", "take"]), 1):
        for word in words:
            call = getattr(account, word)
            call(number) if word == "take" else call(number, word)
    account.skip(4, "headers")

    assert (5, 2) == (account.seen, account.taken)
    assert {"headers": [range(4, 5)]} == account.skipped
    assert {"refuse": [range(3, 4)], SILENT: [range(5, 6)]} == account.refused


def test_an_account_of_many_reasons_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond so many reasons the others are counted together."""
    monkeypatch.setattr(accounts, "_MOST_REASONS", 15)
    account = FileAccount("f")
    account.begin("line", 1000)
    for number in range(1, 1001):
        account.refuse(number, f"reason {number}")

    assert 1000 == counted(account.refused)
    assert 10 < len(account.refused) <= 16
    assert account_notes([account])[-1].startswith("more was left out for ")
    assert 11 == len(account_notes([account]))
    assert any("for other reasons" in line for line in explain_account(account))


def test_places_are_named_in_ranges() -> None:
    """The first ones, and how many more."""
    account = FileAccount("f")
    account.begin("entry", 12)
    for number in (2, 3, 4, 7, 9, 11):
        account.refuse(number, "no name")
    for number in (1, 5, 6, 8, 10, 12):
        account.take(number)

    assert ["entries 2 to 4, 7, 9 and 1 more left out: no name"] == account_notes([account])
    assert "12 entries: 6 taken, 6 refused" == summarise_accounts([account])
