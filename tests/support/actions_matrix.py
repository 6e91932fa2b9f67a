"""Runs a workflow of GitHub Actions on this machine, as far as docs/sweeps.md has need of one.

Jobs in the order of their needs, one of a matrix after the other or some at once; steps that use an
action, or install something, are passed over. Expressions are paths of names, ``fromJSON``, texts
and ``||``; any other is an error.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")
_PATH = re.compile(r"(?:fromJSON\((?P<json>[\w.]+)\))?\.?(?P<path>[\w.]*)")


@dataclass
class Workflow:
    """A workflow, and what came of its jobs."""

    folder: Path
    environment: Mapping[str, str]
    jobs: dict[str, Any]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    codes: dict[str, list[int]] = field(default_factory=dict)
    """By job the exit codes of its instances."""
    summary: str = ""

    @classmethod
    def read(cls, text: str, folder: Path, environment: Mapping[str, str]) -> "Workflow":
        """The one in a YAML text, whose steps run in ``folder``."""
        return cls(folder, environment, yaml.safe_load(text)["jobs"])

    def run(self, name: str, only: int | None = None) -> list[int]:
        """Run the job ``name``, of a matrix the instance ``only``, and return its exit codes."""
        job = self.jobs[name]
        rows: list[dict[str, Any]] = [{}]
        if "strategy" in job:
            rows = self._value(job["strategy"]["matrix"]["include"], {})
            assert job["strategy"]["fail-fast"] is False
        chosen = rows if only is None else [rows[only]]
        with ThreadPoolExecutor(2) as pool:
            self.codes[name] = list(
                pool.map(lambda row: self._run_instance(name, job, row), chosen)
            )
        return self.codes[name]

    def _run_instance(self, name: str, job: dict[str, Any], row: dict[str, Any]) -> int:
        context: dict[str, Any] = {"matrix": row, "steps": {}}
        assert str(self._value(job["runs-on"], context))
        extra = {k: str(self._value(v, context)) for k, v in job.get("env", {}).items()}
        for number, step in enumerate(job["steps"]):
            if "uses" in step or step["run"].startswith("pip "):
                continue
            files = {}
            for kind in ("OUTPUT", "STEP_SUMMARY"):
                file = self.folder / f".{name}-{row.get('task', '')}-{number}-{kind}"
                file.write_text("")
                files[f"GITHUB_{kind}"] = file
            done = subprocess.run(
                # As the runner starts a shell that is not named.
                ["bash", "-e", "-c", self._value(step["run"], context)],
                cwd=self.folder,
                env=os.environ
                | dict(self.environment)
                | extra
                | {k: str(v) for k, v in files.items()},
                check=False,
            )
            self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
            if done.returncode:
                return done.returncode
            lines = files["GITHUB_OUTPUT"].read_text().splitlines()
            context["steps"][step.get("id", "")] = {
                "outputs": dict(line.split("=", 1) for line in lines)
            }
        values = job.get("outputs", {}).items()
        self.outputs[name] = {key: str(self._value(value, context)) for key, value in values}
        return 0

    def _value(self, text: str, context: Mapping[str, Any]) -> Any:
        whole = _EXPRESSION.fullmatch(text)
        if whole:
            return self._evaluate(whole[1], context)
        return _EXPRESSION.sub(lambda match: str(self._evaluate(match[1], context)), text)

    def _evaluate(self, expression: str, context: Mapping[str, Any]) -> Any:
        needs = {name: {"outputs": outputs} for name, outputs in self.outputs.items()}
        value: Any = ""
        for part in map(str.strip, expression.split("||")):
            if part.startswith("'"):
                value = part.strip("'")
            else:
                match = _PATH.fullmatch(part)
                assert match, f"{part!r} is more than this runs"
                value = {**context, "needs": needs}
                if match["json"]:
                    value = json.loads(_at(value, match["json"]))
                value = _at(value, match["path"]) if match["path"] else value
            if value not in ("", None):
                break
        return value


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name, "")
    return value
