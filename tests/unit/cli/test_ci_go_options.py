"""``veperf ci --go``: what goes together, and what would be ignored."""

import pytest
from click.testing import CliRunner

from veperf.cli.main import veperf

GO = ("--go", "./...", "--against", "main")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--go", "./..."), "--against"),
        ((*GO, "transaction"), "no BENCHMARK"),
        ((*GO, "--run", "last"), "no --run"),
        ((*GO, "--known-miss", "transaction/validation"), "no options of one"),
        ((*GO, "--better", "ops=higher"), "no options of one"),
        ((*GO, "--same-machine"), "no options of one"),
        ((*GO, "--module", "mine"), "no --module"),
        ((*GO, "--profile", "standard"), "no --profile"),
        ((*GO, "--processes", "3"), "no --processes"),
        ((*GO, "-k", "hash"), "no -k"),
        (("--bench", "Order"), "--go ./..."),
        (("--against", "main", "--go-tags", "ledger"), "--go ./..."),
    ],
)
def test_what_would_be_ignored_is_refused(words: tuple[str, ...], reason: str) -> None:
    """As wrong usage, before anything is measured."""
    result = CliRunner().invoke(veperf, ["ci", *words])

    assert 2 == result.exit_code
    assert reason in result.output
