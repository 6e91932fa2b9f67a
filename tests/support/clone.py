"""A clone of the project as its working tree is, for tests of what people do in one."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def clone(folder: Path) -> Path:
    """The package, its notebooks, targets and example in ``folder``, as a commit.

    With PYTHONPATH set to it, it is the checkout that veperf finds itself in.
    """
    for name in ("veperf", "notebooks", "reports/example"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    published = ("targets.json", "go_benchmarks.json", "upstream.json")
    for name in ("pyproject.toml", ".gitignore", *(f"data/baselines/{name}" for name in published)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@localhost"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "all of it"]):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder
