"""Every command in the README and the docs runs.

They run in a copy of the project with a small archive, three processes in place of six or more.
Commands that would take minutes, or that need the network or Go, have a stand-in: see STAND_INS.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from tests.support.helpers import plausible_run
from veperf.archive.store import Archive
from veperf.cli.main import veperf as cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ELSEWHERE = {"virtengine.md", "zk_files.md"}
"""Pages whose commands run where other files are: test_docs_virtengine.py, test_docs_zk.py."""

# What is run in place of a command, and why.
STAND_INS = {
    # Minutes: they set up an environment, or run all tests.
    "make report": "make -n report",
    "make test": "make -n test",
    "make setup": "make -n setup",
    # Minutes: standard has 12 processes, and the search for a rate takes 3 minutes.
    "veperf run transaction/execution --profile standard": "veperf run transaction/hash_compute",
    "veperf run transaction/throughput": "veperf list transaction/throughput",
    "veperf run --budget 90s": "veperf run --budget 5s transaction/hash_compute",
    "veperf run --level micro -k 'hash or nonce and not load' --processes 10 --min-time 1s": (
        "veperf list --level micro -k 'hash or nonce and not load'"
    ),
    # Minutes: both measure everything; so they show and gate a run that is there.
    "papermill notebooks/run.ipynb out.ipynb -p select transaction/encode -p profile quick": (
        "papermill notebooks/run.ipynb out.ipynb -p run last"
    ),
    # Minutes: equal code takes many pairs to be called equal.
    "veperf selfcheck mine": (
        "veperf selfcheck mine/digest --module mine.benchmarks --max-pairs 6"
    ),
    # Installed it is already; test_foreign_project.py has a repository for the rest.
    "pip install veperf": "veperf --version",
    "pip install --no-deps veperf": "veperf --version",
    "pip install -r docs/ci/gate-requirements.txt": "veperf --version",
    "veperf init": "veperf init --help",
    "veperf init --go": "veperf init --help",
    "veperf run": "veperf run --module mine.benchmarks mine",
    # Minutes: six edits and a planted slowdown of fifteen kinds of work.
    "veperf selfcheck --sham": (
        "veperf selfcheck --sham sham/sorting --edits 1 --planted 0 --max-pairs 6"
    ),
    "veperf ci --explain": "veperf ci --run last --explain",
    "veperf ab HEAD --all transaction/hash_compute": (
        "veperf ab HEAD --all transaction/hash_compute --time-budget 2s"
    ),
    "veperf ci --against HEAD": (
        "veperf ci --against HEAD --time-budget 2s --module mine.benchmarks mine/digest"
    ),
    # Run by test_ci_kit.py, where there is a repository to push to and a slowdown to find.
    "sh docs/ci/gate.sh origin/main --budget 20m": "sh -n docs/ci/gate.sh",
    "sh docs/ci/archive.sh reports": "sh -n docs/ci/archive.sh",
    # Run by test_ab_go_modules.py, where there is Go code, and its like for programs' results.
    "veperf ab main --go ./...": "veperf ab --help",
    "veperf ab main --go ./x/market/... --bench 'Match|Query' --head topic --budget 10m": (
        "veperf ab --help"
    ),
    "veperf ab --command-a './old --benchmark_format=json' "
    "--command-b './new --benchmark_format=json' --bench-format google": "veperf ab --help",
    "veperf ab --command-a 'cd old && cargo bench -q' --command-b 'cd new && cargo bench -q' "
    "--bench-format criterion": "veperf ab --help",
    # There is no such bucket; test_archive_elsewhere.py has one.
    "pip install 'veperf[s3]'": "veperf --version",
    "veperf run transaction --archive s3://bucket/performance": (
        "veperf list --runs --archive reports"
    ),
    "veperf archive import reports --archive s3://bucket/performance": (
        "veperf archive import reports --archive memory://performance"
    ),
    # Needs Go; the file is what it prints. Other lines have `veperf ci --run last`.
    "go test -run '^$' -bench . -benchmem -count 6 -json ./... | veperf import - && "
    "veperf ci --run last": "veperf import - <new.txt",
}
# What a page's Python would measure for minutes.
PYTHON_STAND_INS = {'veperf.run("transaction")': 'veperf.load("last")'}
# The modules that pages have one write.
MODULES = {
    "benchmarks.md": "mine",
    "tutorials/add_benchmark.md": "queueing",
    "tutorials/find_leak.md": "leaky",
}
# Ends with 1, as the run misses the one target that no library meets, or 0.
GATES = re.compile(r"veperf ci .*--run last")
# Ends with 1, as there is a leak, or with 3 where the machine is too busy for the load.
LEAKS = re.compile(r"veperf soak leaky/cache")


@dataclass(frozen=True)
class Command:
    """A line of a page's code."""

    page: str
    line: str

    @property
    def name(self) -> str:
        """Without the folder of the environment, and without a comment."""
        return re.sub(r"\s+#.*", "", self.line).replace(".venv/bin/", "").strip()


def blocks(page: Path, language: str) -> list[str]:
    """The code in a page's fenced blocks of that language; empty is none."""
    actual = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [code for language_of_block, code in actual if language_of_block == language]


def commands() -> list[Command]:
    """Every line of every block of shell, with or without a language; each once."""
    actual: dict[str, Command] = {}
    for page in PAGES:
        for block in [*blocks(page, "sh"), *blocks(page, "")]:
            for line in block.replace("\\\n", " ").splitlines():
                item = Command(page.name, line)
                if item.name:
                    actual.setdefault(item.name, item)
    return list(actual.values())


def simple_commands(line: str) -> list[list[str]]:
    """Return the words of each command in a line that joins some by ``&&`` or ``|``."""
    words = shlex.shlex(line, posix=True, punctuation_chars="&|")
    words.whitespace_split = True
    words.commenters = ""
    groups: list[list[str]] = [[]]
    for word in words:
        if word in ("&&", "|"):
            groups.append([])
        else:
            groups[-1].append(word)
    return groups


def mentions() -> list[Command]:
    """Every ``veperf ...`` within a sentence, placeholders and all."""
    return [
        Command(page.name, text)
        for page in PAGES
        for text in re.findall(r"`(veperf [^`]+)`", page.read_text())
    ]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project, a git repository, with an environment of stand-ins and two runs."""
    top: Path = tmp_path_factory.mktemp("docs") / "project"
    shutil.copytree(
        ROOT, top, ignore=lambda folder, names: [n for n in names if _is_left_out(folder, n)]
    )
    shutil.copytree(ROOT / "reports" / "example", top / "reports" / "example")
    for path, content in {
        ".venv/bin/veperf": (
            f'exec "{sys.executable}" -c "from veperf.measure.run_profiles import PASSES; '
            'PASSES.update(quick=3); from veperf.cli import main; main()" "$@"'
        ),
        ".venv/bin/papermill": f'exec "{sys.executable}" -m papermill "$@"',
    }.items():
        _script(top / path, content)
    for page, module in MODULES.items():
        (benchmark,) = blocks(ROOT / "docs" / page, "python")
        (top / module).mkdir()
        (top / module / "benchmarks.py").write_text(benchmark)
    shutil.copy(ROOT / "tests" / "vectors" / "gobench" / "new.txt", top)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
        subprocess.run(["git", *who, *words], cwd=top, check=True, capture_output=True)
    for created in ("2026-11-20T10:15:00+00:00", "2026-11-21T10:15:00+00:00"):
        Archive(top / "reports").save(plausible_run(created=created))
    return top


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [command for command in commands() if command.page not in ELSEWHERE],
    ids=lambda command: command.name[:60],
)
def test_a_command_of_the_docs_runs(command: Command, project: Path):
    """With the exit code that the page leads one to expect."""
    done = _sh(STAND_INS.get(command.name, command.name), project)

    line = STAND_INS.get(command.name, command.name)
    # The project has no targets and no baseline: its gate judges nothing, and doesn't pass.
    allowed = {0, 1, 3} if GATES.search(line) else {1, 3} if LEAKS.search(line) else {0}
    if "time budget ran out" in done.stdout:
        allowed = {1, 3, 4}  # 3 where a busy machine measured no pair
    assert done.returncode in allowed, f"{command.page}: {command.name}\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [*commands(), *mentions()], ids=lambda c: c.name[:60])
def test_veperf_knows_every_word_of_a_command(command: Command):
    """Subcommands, options and choices exist, in what has a stand-in and in sentences as well."""
    for program, *words in simple_commands(command.name):
        if program != "veperf":
            continue
        group: click.Command = cli
        while isinstance(group, click.Group) and words:
            name = words.pop(0)
            assert name in group.commands, f"{command.page}: {command.name}"
            group = group.commands[name]
        # A page may leave a number open, and the rest of a line.
        args = ["1" if word == "N" else word for word in words if word not in ("...", "--help")]
        if args:
            group.make_context(group.name, args)


def test_every_stand_in_is_needed():
    """None is left of a command that the pages no longer have."""
    assert set(STAND_INS) <= {command.name for command in commands()}


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=lambda p: p.name)
def test_the_python_of_a_page_runs(page: Path, project: Path):
    """As it stands, one block after the other, but for what would measure for minutes."""
    script = "\n".join(blocks(page, "python"))
    for original, stand_in in PYTHON_STAND_INS.items():
        script = script.replace(original, stand_in)

    done = _run([sys.executable, "-c", script], project)

    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    """Files that a page links to exist, and so do the headings."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text()):
        file, _, heading = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w -]", "", t.lower()).replace(" ", "-") for t in titles]
            assert heading in slugs, target


def _is_left_out(folder: str, name: str) -> bool:
    kept = {
        "veperf", "docs", "notebooks", "data", ".github", "Makefile", "pyproject.toml", "README.md",
        "requirements.lock", "environment.yml",
    }  # fmt: skip
    return name == "__pycache__" or (Path(folder) == ROOT and name not in kept)


def _script(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{content}\n")
    path.chmod(0o755)


def _sh(line: str, project: Path) -> "subprocess.CompletedProcess[str]":
    return _run(["sh", "-c", line], project)


def _run(words: list[str], project: Path) -> "subprocess.CompletedProcess[str]":
    additions = {
        "PATH": f"{project / '.venv' / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(project),
    }
    kept = {
        k: v for k, v in os.environ.items() if k not in ("GITHUB_STEP_SUMMARY", "VEPERF_ARCHIVE")
    }
    return subprocess.run(
        words, cwd=project, capture_output=True, text=True, env=kept | additions, timeout=120
    )
