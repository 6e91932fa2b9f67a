"""Every command of docs/virtengine.md runs, in order, on a module that mimics VirtEngine's layout.

What would take minutes or the network is shortened: see SHORTER and STAND_INS. An uncommitted
change of the provider daemon, which allocates more, is what the page's reader has made.
"""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.go_modules import GoRepository, go_environment
from tests.support.virtengine_module import virtengine
from veperf.core.policy import find_policy

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "virtengine.md"
STAND_INS = {"pip install veperf": "veperf --version"}
# Few pairs and one binary a side decide counts, and call no time slower at this alpha.
SHORTER = " --max-pairs 6 --go-layouts 1 --alpha 0.1%"
# What the planted allocations do to a command, by how it begins; others end with 0.
CODES = {
    "veperf ab --go ./pkg/provider_daemon HEAD": 1,
    "veperf ci --go": 1,
    "sh gate.sh": 1,
    # The module lacks most of VirtEngine's functions, and most targets have no answer.
    "veperf ci --run last": 3,
    "veperf upstream check": 1,
}


def page_blocks(language: str) -> list[str]:
    """Return the page's code in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def page_commands() -> Iterator[str]:
    """Yield the page's commands as they are written."""
    for block in page_blocks("sh"):
        yield from block.splitlines()


def shortened(command: str, clone_url: Path) -> str:
    """Return what is run for a command of the page."""
    command = STAND_INS.get(command, command)
    command = command.replace("https://github.com/virtengine/virtengine", str(clone_url))
    if re.match(r"(veperf ab|veperf ci|sh gate.sh).* --go", command):
        command += SHORTER
    if command.startswith("sh gate.sh"):  # the whole module was compared by then
        command = command.replace("./...", "./pkg/...")
    return command.replace("-count 6", "-count 2 -benchtime 20x")


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute of CPU time, and most of it in processes that take turns
def test_the_page_is_what_one_does(tmp_path: Path) -> None:
    """From the clone to the gate: each command ends as the page says, and leaves its files."""
    origin = GoRepository(tmp_path / "github" / "virtengine")
    origin.commit(virtengine())
    origin.git("branch", "topic")
    work = tmp_path / "work"
    work.mkdir()
    environment = go_environment(tmp_path / "cache") | {
        "GIT_AUTHOR_NAME": "tests", "GIT_AUTHOR_EMAIL": "tests@localhost",
        "GIT_COMMITTER_NAME": "tests", "GIT_COMMITTER_EMAIL": "tests@localhost",
    }  # fmt: skip
    program = tmp_path / "bin" / "veperf"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m veperf "$@"\n')
    program.chmod(0o755)
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"

    outputs: dict[str, str] = {}
    for command in page_commands():
        if command.startswith("cd "):
            work = work / command.removeprefix("cd ")
            subprocess.run(["git", "-C", work, "branch", "-q", "topic", "origin/topic"], check=True)
            shutil.copy(ROOT / "docs" / "ci" / "gate.sh", work)
            for name, content in virtengine(copies=True).items():
                (work / name).write_text(content)
            continue
        line = shortened(command, origin.folder)
        done = subprocess.run(
            ["sh", "-c", line], cwd=work, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        expected = next((code for start, code in CODES.items() if command.startswith(start)), 0)
        assert expected == done.returncode, f"{command}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        outputs[command] = done.stdout

    (compared,) = [text for line, text in outputs.items() if line.endswith("provider_daemon HEAD")]
    assert "BenchmarkBidSigning" in compared
    assert "allocs/op" in compared
    assert "1" <= ET.parse(work / "junit.xml").getroot().get("failures", "")
    for comment in (work / "comment.md", work / "performance" / "comment.md"):
        assert "BidSigning" in comment.read_text()
    assert (
        "performance.yml"
        in subprocess.run(
            ["git", "-C", work, "show", "--stat", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_the_exception_of_the_page_is_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes below what `veperf init --go` writes, and says what the page says."""
    (tmp_path / ".git").mkdir()
    settings = (ROOT / "veperf" / "cli" / "starter" / "go" / "veperf.toml").read_text()
    (tmp_path / "veperf.toml").write_text(f"{settings}\n{''.join(page_blocks('toml'))}")
    monkeypatch.chdir(tmp_path)

    policy = find_policy()

    limits = [
        policy.threshold("fail_over", f"{suite}/BenchmarkQuery-2", "time", 0.05)[0]
        for suite in ("market-keeper", "veid-keeper")
    ]
    assert [0.20, 0.10] == limits
