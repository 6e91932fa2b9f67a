"""Files of valgrind's callgrind, and how it is started."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from veperf.abtest import callgrind
from veperf.abtest.counts import require_counter
from veperf.abtest.run import ab_commands
from veperf.cli.ab import ab_command
from veperf.core.ab_records import ABConfig
from veperf.core.errors import MeasureError, UsageError
from veperf.core.options import CommandOptions
from veperf.measure.worker_client import CodeSource

# As callgrind 3.19 writes it for a command.
PROFILE = b"""# callgrind format
version: 1
creator: callgrind-3.19.0
pid: 5287
cmd:  /bin/true
part: 1


desc: I1 cache: 
desc: Timerange: Basic block 0 - 27283
desc: Trigger: Program termination

positions: line
events: Ir
summary: 138264


ob=(1) /bin/true
fl=(1) ???
fn=(1) totals: 7
0 11
calls=1 0 
0 138253


totals: 138264
"""  # noqa: W291
CONFIG = ABConfig((), (), 8, 1, 1, 60.0, 48, 0.05)


def test_the_total_is_read(tmp_path: Path) -> None:
    """It is the last line, and a function's name is none."""
    path = tmp_path / "counts.1"
    path.write_bytes(PROFILE)

    assert 138_264 == callgrind.read_total(path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        PROFILE[:-16],
        PROFILE + b"totals: 3\n",
        b"totals: -3\n",
        b"totals: 1e9\n",
        b"\xff" * 9000,
    ],
)
def test_a_broken_file_is_refused(content: bytes, tmp_path: Path) -> None:
    """Cut off, with two totals, or none that is a number."""
    path = tmp_path / "counts.1"
    path.write_bytes(content)

    with pytest.raises(MeasureError, match=r"counts\.1 has no total of instructions"):
        callgrind.read_total(path)


def test_a_sample_is_what_follows_its_first_file(tmp_path: Path) -> None:
    """In numeric order; files of other processes stay, and those read are gone."""
    for name, total in (("7.9", 1), ("7.10", 20), ("7.11", 300), ("8.12", 4000), ("7", 50_000)):
        (tmp_path / f"counts.{name}").write_text(f"totals: {total}\n")

    assert 320 == callgrind.take_sample_count(tmp_path, 7)
    assert ["counts.7", "counts.8.12"] == sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(MeasureError, match="counted no sample"):
        callgrind.take_sample_count(tmp_path, 7)


def test_processes_of_a_command_are_all_counted(tmp_path: Path) -> None:
    """One that another program took the place of leaves an empty file."""
    (tmp_path / "counts.5").write_text("totals: 30\n")
    (tmp_path / "counts.6").write_text("totals: 4\n")
    (tmp_path / "counts.7").touch()

    assert [30, 4] == list(callgrind.process_counts(tmp_path))


def test_counts_need_valgrind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its absence is an error that says how to get it, where instructions are wanted."""
    monkeypatch.setenv("PATH", "/nowhere")

    for config in (
        ABConfig((), (), 8, 1, 1, 60.0, 48, 0.05, witness=("instructions",)),
        ABConfig((), (), 8, 1, 1, 60.0, 48, 0.05, decide_by="instructions"),
    ):
        with pytest.raises(MeasureError, match="apt-get install valgrind"):
            require_counter(config)
    require_counter(CONFIG)


def test_both_sides_run_in_one_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing in it is drawn, and the rest of the code's environment stays."""
    program = tmp_path / "valgrind"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    code = CodeSource("/bin/python", environment={"PYTHONPATH": "tree", "PYTHONMALLOC": "debug"})

    actual = callgrind.counted_code(code, tmp_path)

    assert {"PYTHONPATH": "tree", **callgrind.FIXED_ENVIRONMENT} == actual.environment
    assert "malloc" == actual.environment["PYTHONMALLOC"]
    command = actual.command()
    assert [str(program), "--quiet"] == command[:2]
    assert f"--callgrind-out-file={tmp_path}/counts.%p" in command
    assert code.command() == command[command.index("/bin/python") :]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["main", "--scheduler", "tcp://x:1", "--by", "instructions"], "workers compare times"),
        (["main", "--scheduler", "tcp://x:1", "--witness", "bytecodes"], "workers compare times"),
        (["main", "--witness", "cycles"], "'cycles' is not one of 'instructions', 'bytecodes'"),
    ],
)
def test_the_command_refuses_what_can_not_be_counted(words: list[str], message: str) -> None:
    """As wrong usage, before anything is measured."""
    done = CliRunner().invoke(ab_command, words)

    assert (2, True) == (done.exit_code, message in done.output)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (CommandOptions(witness=("bytecodes",)), "counted of benchmarks, not of commands"),
        (CommandOptions(decide_by="instructions", value="printed"), "--by or --value"),
    ],
)
def test_commands_have_instructions_only(options: CommandOptions, message: str) -> None:
    """Bytecodes are of benchmarks, and one thing decides."""
    with pytest.raises(UsageError, match=message):
        ab_commands("true", "true", options=options, progress=False)
