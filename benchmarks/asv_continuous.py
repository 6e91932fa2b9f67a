"""`asv continuous` with its defaults on the benchmarks of the four suites.

    python -m benchmarks.asv_continuous ASV [SCENARIO] [--bench REGEXP]

ASV is its command, installed with ``asv`` and ``virtualenv`` in an environment of its own. Clones
this checkout's last commit, commits a scenario of ``ab_suite``, and compares both commits: every
timed case is one benchmark of asv, which calls what veperf calls, as often as asv likes. Only the
kernels are built: the environments take all packages from this one, which saves asv minutes.
Prints seconds, and asv's table of changes.
"""

import argparse
import json
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from benchmarks.ab_suite import SCENARIOS, cloned, git
from veperf.core.case import Level
from veperf.core.registry import DEFAULT_SUITES, select_cases

# A process of asv measures one benchmark: set-up, calls, and what ends it.
_SUITE = '''
from veperf.core import registry

registry.load_registry({modules!r})


def make(benchmark, parameters):
    """Return the benchmark of one case."""

    class Case:
        def setup(self):
            self.task = registry.REGISTRY.benchmarks[benchmark].setup(**parameters)

        def time_call(self):
            self.task.call()

        def teardown(self):
            if self.task.close is not None:
                self.task.close()

    return Case


for name, benchmark, parameters in {cases!r}:
    globals()[name] = make(benchmark, parameters)
    globals()[name].__name__ = globals()[name].__qualname__ = name
del name, benchmark, parameters
'''


def write_suite(clone: Path) -> int:
    """Write settings and benchmarks of asv beside ``clone``; return the number of benchmarks."""
    cases = [
        case
        for case in select_cases((), (), quick=True)
        if case.is_timed and case.level is not Level.LOAD
    ]
    named = [
        ("".join(c if c.isalnum() else "_" for c in case.id), case.benchmark, dict(case.params))
        for case in cases
    ]
    folder = clone.parent / "asv"
    (folder / "suite").mkdir(parents=True)
    (folder / "suite" / "__init__.py").touch()
    text = _SUITE.format(modules=[*DEFAULT_SUITES.values()], cases=named)
    (folder / "suite" / "cases.py").write_text(text)
    packages = sysconfig.get_path("purelib")
    link = (
        f"import pathlib, sysconfig; pathlib.Path(sysconfig.get_path('purelib'), 'a.pth')"
        f".write_text('{{build_dir}}\\n{packages}\\n')"
    )
    settings = {
        "version": 1,
        "project": "veperf",
        "repo": str(clone),
        "branches": ["HEAD"],
        "benchmark_dir": "suite",
        "environment_type": "virtualenv",
        "pythons": [f"{sys.version_info.major}.{sys.version_info.minor}"],
        "build_command": [f"in-dir={{build_dir}} {sys.executable} hatch_build.py"],
        "install_command": [f'in-dir={{env_dir}} python -c "{link}"'],
        "uninstall_command": [],
    }
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    return len(cases)


def main() -> None:
    """Print how long asv takes for a scenario, and what it found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("asv", type=Path)
    parser.add_argument("scenario", nargs="?", default="leaf", choices=[*SCENARIOS])
    parser.add_argument("--bench", default="", metavar="REGEXP")
    options = parser.parse_args()
    with cloned() as clone:
        count = write_suite(clone)
        SCENARIOS[options.scenario].edit(clone)
        identity = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        git("-C", str(clone), *identity, "commit", "-qam", options.scenario)
        asv = [str(options.asv.absolute())]
        folder = clone.parent / "asv"
        subprocess.run([*asv, "machine", "--yes"], cwd=folder, check=True, capture_output=True)
        bench = ["--bench", options.bench] if options.bench else []
        began = time.monotonic()
        done = subprocess.run(
            [*asv, "continuous", "--show-stderr", *bench, "HEAD~1", "HEAD"], cwd=folder, check=False
        )
        seconds = time.monotonic() - began
        print(f"asv continuous, {options.scenario}: {seconds:.1f} s, exit {done.returncode}")
        print(f"of {count} benchmarks" + (f", those that fit {options.bench}" if bench else ""))


if __name__ == "__main__":
    main()
