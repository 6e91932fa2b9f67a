"""``%veperf`` and completion, in IPython itself."""

import pytest

from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.cli.notebook import load_ipython_extension

RUN = "20261120-000000-abc1234"


@pytest.fixture(scope="module")
def shell():
    """IPython with the extension, and no history in a file."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    config.Completer.use_jedi = False
    made = InteractiveShell(config=config)
    load_ipython_extension(made)
    load_ipython_extension(made)  # as %reload_ext does
    return made


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Archive:
    """The default archive, with a run."""
    monkeypatch.setenv("VEPERF_ARCHIVE", str(tmp_path))
    archive = Archive(tmp_path)
    archive.save(timed_run({"transaction/sign": [100.0, 101.0]}, id=RUN))
    return archive


def completed(shell, text: str) -> set[str]:
    """What Tab offers at the end of ``text``, as the lines that result."""
    items = shell.Completer.completions(text, len(text))
    return {text[: item.start] + item.text for item in items if item.type == "veperf"}


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%veperf compa", "%veperf compare"),
        ("%veperf run --proc", "%veperf run --processes"),
        ("%veperf run transaction/has", "%veperf run transaction/hash_compute"),
        ("%veperf report 2026", f"%veperf report {RUN}"),
        ("%veperf run 'transaction/has", "%veperf run 'transaction/hash_compute"),
        ('veperf.run("transaction/has', 'veperf.run("transaction/hash_compute'),
        (
            "x = veperf.run('bidding', 'transaction/si",
            "x = veperf.run('bidding', 'transaction/sign",
        ),
        ('veperf.load("la', 'veperf.load("last'),
        ('veperf.compare("last", "2026', f'veperf.compare("last", "{RUN}'),
        ('veperf.investigate("a/b[x=1,y=2]", "la', 'veperf.investigate("a/b[x=1,y=2]", "last'),
        ('veperf.explore("last", benchmark="bidd', 'veperf.explore("last", benchmark="bidding'),
        ('veperf.cpu.profile("transaction/vali', 'veperf.cpu.profile("transaction/validation'),
    ],
)
def test_names_are_completed(shell, archive, text, expected):
    """Commands, options, benchmarks and runs, where each belongs."""
    assert expected in completed(shell, text)


@pytest.mark.filterwarnings("ignore::IPython.core.completer.ProvisionalCompleterWarning")
@pytest.mark.parametrize(
    "text", ['print("la', 'veperf.load("last", "la', 'veperf.run("transaction", profile="la', "la"]
)
def test_other_texts_are_left_alone(shell, archive, text):
    """Nothing of veperf's is offered where no name of its is expected."""
    assert set() == completed(shell, text)


def test_a_line_is_the_command(shell, archive, capsys):
    """The same output as in a terminal."""
    shell.run_line_magic("veperf", "list --runs")

    assert RUN in capsys.readouterr().out


def test_without_a_command_the_help_is_shown(shell, capsys):
    """The list of commands."""
    shell.run_line_magic("veperf", "")

    assert "compare" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("kompare", "No such command"),
        ("run --no-such", "No such option"),
        ("lab", "a notebook already"),
        ("run 'transaction", "can't be split"),
        ("report 2031", "has no run"),
    ],
)
def test_wrong_lines_are_one_line(shell, archive, capsys, line, said):
    """An error of veperf's own, without its frames."""
    shell.run_cell(f"%veperf {line}")
    printed = capsys.readouterr()

    assert said in printed.out + printed.err
    assert "File " not in printed.out


def test_help_shows_examples(shell):
    """``%veperf?`` and ``veperf.explore?``."""
    magic = shell.object_inspect("%veperf")

    assert "%veperf run transaction" in magic["docstring"]
