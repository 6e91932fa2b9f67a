"""What commands print keeps to the terminal: at 80, 100 and 120 columns, names and commands whole.

Commands that measure print what was measured beforehand. Through a pipe everything is whole.
"""

import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import pytest
from msgspec.structs import replace

import veperf as api
from tests.support.ab_runs import ab_run, change
from tests.support.fleets import at, fleet
from tests.support.go_clone import FILES as GO_FILES
from tests.support.go_clone import MAPPING, commit, published_targets, targets_file
from tests.support.helpers import plausible_run, with_load
from tests.unit.abtest.test_sham_result import battery
from tests.unit.cli.test_soak_command import GROWING, soaked
from veperf.abtest.ab_result import ABResult
from veperf.api.results import RunResult
from veperf.api.sweep import plan_sweep_tasks
from veperf.archive.store import Archive
from veperf.cli.main import TASKS, veperf
from veperf.cli.main import _run_command as run_command
from veperf.cli.options import ExampleCommand
from veperf.core.case import Level
from veperf.core.errors import CRASHED
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus, Severity
from veperf.profiling.cpu.call_tree import CpuSamples, Frame, Stack
from veperf.profiling.cpu.profile_cpu import CpuProfile
from veperf.report.demo import Demo

Capture = Callable[..., str]
WIDTHS = (80, 100, 120)
ROOT = Path(__file__).parents[3]
SLOWER = change("hash_compute", ChangeStatus.SLOWER, ratio=1.2, severity=Severity.FAIL)
NAME = re.compile(r"transaction/[a-z_0-9]+(?:\[[^\]\s]*\])?")

COMMANDS = {
    "list": "list transaction",
    "list --runs": "list --runs -A",
    "report": "report last -A -B",
    "ci": "ci --run last --explain -A -B",
    "compare": "compare last 20261120 -A",
    "compare of three": "compare 20261120 20261121 last -A",
    "compare of files": "compare tests/vectors/gobench/old.txt tests/vectors/gobench/new.txt",
    "baseline record": "baseline record last -A -B",
    "baseline update": "baseline update last --reason why -A -B",
    "baseline show": "baseline show -B",
    "baseline history": "baseline history -B",
    "archive verify": "archive verify -A",
    "archive prune": "archive prune --keep 1 --dry-run -A",
    "export": "export last --format junit --output {top}/junit.xml -A",
    "import": "import tests/vectors/gobench/new.txt --archive {top}/imported",
    "init": "init",
    "run": "run -A -B",
    "load": "load -A -B",
    "memory": "memory -A -B",
    "soak": "soak",
    "ab": "ab main -A",
    "ab --machine-class": "ab main --scheduler tcp://127.0.0.1:1 --machine-class small -A",
    "selfcheck": "selfcheck --sham",
    "profile": "profile transaction/hash_compute",
    "demo": "demo",
    "lab": "lab",
    "serve": "serve",
    "site": "site -A",
    "history": "history -A",
    "history of one": "history transaction/hash_compute -A",
    "gate": "gate last --slo {top}/slo.toml --explain -A",
    "archive acknowledge": "archive acknowledge last transaction/hash_compute --reason why -A",
    "archive compact": "archive compact --keep 9 -A",
    "archive import": "archive import {top}/archive --archive {top}/other",
    "archive migrate": "archive migrate -A",
    "sweep": "sweep --show -A",
    "sweep --plan": "sweep {top}/sweep.toml --plan json -A",
    "upstream record": "upstream record {top}/clone --baselines {top}/upstream",
    "upstream check": "upstream check {top}/clone --baselines {top}/upstream",
    "upstream slos": "upstream slos {top}/clone",
    "zk setup": "zk setup {top}/faulty.r1cs -o {top}/test.zkey --seed 7 --force",
    "zk audit": "zk audit {top}/faulty.r1cs",
    "zk prove": "zk prove {top}/final.zkey {top}/fixture.wtns -o {top}/p.json "
    "--public {top}/q.json --force",
    "zk verify": "zk verify {top}/verification_key.json {top}/public.json {top}/proof.json",
    "zk convert": "zk convert {top}/proof.json --to gnark -o {top}/proof.bin --force",
    "zk export-verifier": "zk export-verifier {top}/final.zkey -o {top}/V.sol --force",
    "zk ceremony contribute": "zk ceremony contribute {top}/first.zkey -o {top}/two.zkey --force",
    "zk ceremony beacon": "zk ceremony beacon {top}/two.zkey --value 01 -o {top}/b.zkey --force",
    "zk ceremony verify": "zk ceremony verify {top}/final.zkey --r1cs {top}/fixture.r1cs "
    "--ptau {top}/powers.ptau",
    "a wrong name": "list transaction/hsh",
    "a wrong run": "report 2020 -A",
    "a wrong option": "run --profle quick",
}
FOR_PROGRAMS = {"sweep --plan", "upstream slos"}
"""Commands whose output is read by programs, and is wrapped at no width."""
ZK_FILES = (
    "audit/faulty.r1cs", "circom/fixture.r1cs", "circom/fixture.wtns", "circom/public.json",
    "circom/proof.json", "circom/verification_key.json", "snarkjs/final.zkey",
    "snarkjs/first.zkey", "snarkjs/powers.ptau",
)  # fmt: skip
SLO = """[[slos]]
name = "transfers are committed soon after they arrive, whatever the blocks are filled with"
objectives = { latency_p95 = "<= 1 s", latency_p99 = "<= 10 ms" }
"""
SWEEP = """name = "nightly-of-all-machines"
benchmarks = ["transaction/hash_compute"]
machine_classes = ["small", "large"]
repeats = 3
"""
GO_SLO = """package slo

func One() ResilienceBaseline {
	return ResilienceBaseline{Name: "one", AvailabilityTarget: 0.995, ErrorBudgetMinutes: 216}
}
"""


@pytest.fixture(scope="module")
def top(tmp_path_factory) -> Path:
    """An archive of three runs, the last with a slowdown and loads, and a folder of targets."""
    folder: Path = tmp_path_factory.mktemp("terminal")
    for day, slower in ((20, {}), (21, {}), (22, {"transaction/hash_compute": 1.5})):
        run = plausible_run(created=f"2026-11-{day}T10:15:00+00:00", seed=day, slower=slower)
        Archive(folder / "archive").save(with_load(run) if slower else run)
    (folder / "baselines").mkdir()
    targets = (ROOT / "data" / "baselines" / "targets.json").read_bytes()
    (folder / "baselines" / "targets.json").write_bytes(targets)
    for path in ZK_FILES:
        shutil.copy(ROOT / "tests" / "vectors" / "zk" / path, folder)
    (folder / "slo.toml").write_text(SLO)
    (folder / "sweep.toml").write_text(SWEEP)
    plan_sweep_tasks(folder / "sweep.toml", archive=str(folder / "archive"))
    (folder / "upstream").mkdir()
    revision = commit(folder / "clone", dict(GO_FILES) | {"pkg/chaos/slo/baselines.go": GO_SLO})
    published = targets_file(published_targets(revision)).data
    (folder / "upstream" / "targets.json").write_bytes(published)
    (folder / "upstream" / "go_benchmarks.json").write_bytes(msgspec.json.encode(MAPPING))
    return folder


def one_load(run: Run) -> Run:
    """``run`` with one load in one pass alone."""
    case = next(case for case in run.cases if case.level is Level.LOAD)
    (result,) = [result for result in run.passes[0].results if result.case == case.id]
    return replace(run, cases=(case,), passes=(replace(run.passes[0], results=(result,)),))


@pytest.fixture
def measured(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is measured or rendered: what would be is there already."""
    last = api.load("last", top / "archive")
    name = "ChunkCheck.__init__.<locals>.<listcomp>"
    frame = Frame(name, "veperf.workloads.transaction.pipeline.checks", "/x/checks.py")
    stack = Stack((frame,), 12, 90)
    cpu = CpuProfile("transaction/hash_compute", CpuSamples((stack,), 1000, 0.9))
    compared = ABResult(ab_run(SLOWER), top / "archive" / "ab-1")
    for place, result in {
        "veperf.api.runs.run": last,
        "veperf.api.runs.run_load": RunResult(one_load(last.run), last.kept),
        "veperf.abtest.run.ab": compared,
        "veperf.api.sweep.ab_fleet": fleet(at("small", SLOWER), at("large", SLOWER)),
        "veperf.abtest.sham.battery.sham_selfcheck": battery(SLOWER),
        "veperf.runner.soak.soak": soaked(GROWING),
        "veperf.profiling.cpu.profile_cpu.profile_cpu": cpu,
        "veperf.report.pages.render.publish_run_report": top / "archive" / "index.html",
        "veperf.report.demo.make_demo": Demo(top / "demo" / "index.html", top / "demo" / "site"),
        "veperf.api.reports.site": top / "archive" / "site" / "index.html",
        "veperf.jupyter.launcher.jupyterlab_command": (["jupyter"], {}),
        "os.execvpe": None,
        "veperf.runner.load_server.serve_loads": False,
    }.items():
        monkeypatch.setattr(place, lambda *_, result=result, **__: result)


@pytest.fixture
def capture(top: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> Capture:
    """What a command prints at a width; -A is the archive, -B are the baselines."""

    def output(words: str, columns: int | None = None) -> str:
        filled = words.format(top=top).replace("-A", f"--archive {top / 'archive'}")
        filled = filled.replace("-B", f"--baselines {top / 'baselines'}")
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["veperf", *shlex.split(filled)])
            patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
            if columns is None:
                patch.delenv("COLUMNS", raising=False)
            else:
                patch.setenv("COLUMNS", str(columns))
            assert run_command() != CRASHED
        return "".join(capsys.readouterr())

    return output


def unbroken(line: str) -> bool:
    """Whether a line has no place to break: a command, a name or a path, and what it is."""
    words = line.replace("`", "").split()
    return line.lstrip().startswith(("$ ", "`veperf", "veperf")) or max(map(len, words)) > 60


def leaves(group: click.Command, path: str = "") -> Iterator[tuple[str, click.Command]]:
    if isinstance(group, click.Group):
        for name, command in group.commands.items():
            yield from leaves(command, f"{path} {name}".strip())
    else:
        yield path, group


@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_longer_than_the_terminal(
    name: str, capture: Capture, measured: None, monkeypatch, tmp_path: Path
):
    """But for what can't be broken; no name is cut that is whole through a pipe."""
    if name == "init":
        monkeypatch.chdir(tmp_path)
    piped = capture(COMMANDS[name])

    for columns in WIDTHS:
        output = capture(COMMANDS[name], columns)
        assert name not in FOR_PROGRAMS or output.count("\n") == piped.count("\n")
        long = [line for line in output.splitlines() if len(line) > columns]
        assert name in FOR_PROGRAMS or [] == [line for line in long if not unbroken(line)]
        assert set(NAME.findall(output)) <= set(NAME.findall(piped))
    assert "…" not in piped


def test_every_command_is_looked_at():
    """A command that is added is captured above."""
    assert {path for path, _ in leaves(veperf)} <= set(COMMANDS)


@pytest.mark.parametrize("columns", WIDTHS)
def test_help_fits(columns: int):
    """Every command's, examples and all; only a command itself may be longer."""
    for path, command in [("", veperf), *leaves(veperf)]:
        with click.Context(command, info_name=path, terminal_width=columns) as context:
            lines = command.get_help(context).splitlines()
        long = [line for line in lines if len(line) > columns]
        assert [] == [line for line in long if not line.startswith(("  veperf ", "    dask "))], (
            path
        )
        if isinstance(command, ExampleCommand):
            assert all(any(e.split("   ")[0] in line for line in lines) for e in command.examples)


def test_help_lists_every_command_once_by_task():
    """And none is without a task."""
    by_task = [command.name for commands in TASKS.values() for command in commands]

    assert sorted(veperf.commands) == sorted(filter(None, by_task))
    assert all(f"\n{task}:\n" in veperf.get_help(click.Context(veperf)) for task in TASKS)


def test_hints_stand_on_their_own_line(capture: Capture, measured: None):
    """The run that was just made is `last`: nobody types an id."""
    lines = capture("run -A", 80).splitlines()

    (hint,) = [line for line in lines if "veperf report" in line]
    assert hint.startswith("`veperf report last --archive ")
    assert "kept in" in "".join(lines[lines.index(hint) - 2 : lines.index(hint)])
    lines = capture("list transaction/hsh", 80).splitlines()
    assert "  did you mean transaction/hash_compute?" == lines[1]


def test_heads_and_rows_name_what_was_asked_for(capture: Capture):
    """Ids too long for a head get letters, told once; of a trend the latest change stays."""
    lines = capture("compare 20261120 20261121 last -A", 80).splitlines()

    assert 1 == lines.count("C = 20261122-000022-abc1234")
    assert {"A", "B", "C"} < {word for line in lines for word in line.split()}
    assert "20261120-\n" not in "\n".join(lines)
    assert "20261122-000022-abc1234" in capture("compare 20261120 last -A").split("──")[0]
    lines = capture("history -A", 80).splitlines()
    assert ["Last", "Latest", "Since"] == lines[1].split()[1:]


def test_a_run_is_not_compared_with_itself(capture: Capture):
    """One name is compared with the last run; of that there must be another."""
    assert "last is the last run: name another" in capture("compare last -A")


def test_a_profile_has_its_shares(capture: Capture, measured: None):
    """However long the names of the functions are."""
    output = capture("profile transaction/hash_compute", 80)
    assert 2 == len(re.findall(r"100\s%\s+ChunkCheck\.__init__", output))


def test_the_help_of_a_group_has_whole_sentences(capture: Capture):
    """No command's is cut off."""
    for group in ("archive", "baseline", "upstream", "zk", "zk ceremony"):
        output = capture(f"{group} --help", 80)
        assert "Commands:" in output
        assert "..." not in output.partition("Commands:")[2]


def test_a_pipe_gets_everything(capture: Capture):
    """All columns, and the whole of each cell on its line."""
    output = capture("list transaction/state_write")

    (head,) = [line for line in output.splitlines() if line.startswith("Benchmark")]
    assert ["Benchmark", "Level", "Target", "One operation"] == re.split(r"  +", head)
    assert "and its share of the hashing at commit." in output
    lines = capture("list transaction/state_write", 80).splitlines()
    assert "transaction/state_write · component · has a target" == lines[0]
    assert "[accounts=1000] [accounts=100000]" in lines[3]


@pytest.mark.parametrize(
    ("no_color", "expected"),
    [(None, "\x1b[31m✗\x1b[0m fail\r\n"), ("1", "✗ fail\r\n"), ("", "\x1b[31m✗\x1b[0m fail\r\n")],
)
def test_no_color_is_honoured(no_color: str | None, expected: str):
    """In a terminal, where symbols have colours; an empty NO_COLOR counts as none."""
    ours, theirs = pty.openpty()
    environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
    environment |= {} if no_color is None else {"NO_COLOR": no_color}
    script = "from veperf.cli.output import echo; echo('✗ fail')"
    subprocess.run(
        [sys.executable, "-c", script], stdout=theirs, env=environment, cwd=ROOT, check=True
    )
    os.close(theirs)
    output = os.read(ours, 1_000).decode()
    os.close(ours)

    assert expected == output
