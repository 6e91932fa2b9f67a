"""Options of the gate: its policy from a file and the command line, and its explanation."""

from collections.abc import Collection
from dataclasses import fields
from pathlib import Path

import click
from click.core import ParameterSource

from veperf.archive.baselines import load_targets
from veperf.cli.output import echo
from veperf.core import paths
from veperf.core.gate import GateDecision
from veperf.core.option_fields import Options, option_fields
from veperf.core.policy import GatePolicy, resolve_policy

_SAID = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def chosen_policy(
    context: click.Context, options: Options, known_misses: Collection[str] = ()
) -> GatePolicy:
    """Return the policy of the project, or of ``--policy``, with the options of the command on top.

    An option that is given wins over the whole file, its rules included.

    Raises:
        CorruptFileError: its file is broken.
        UsageError: its file can't be read, or options contradict each other.
        UnknownTargetError: a known miss is no target.
        DataError: the file of targets is missing or broken.
    """
    from veperf.verdicts.targets import require_published

    file = getattr(options, "policy", "")
    policy = resolve_policy(Path(file) if file else None)
    settings, flags = {}, {}
    known = {field.name for field in fields(GatePolicy)} - {"known_misses"}
    for field in option_fields(type(options)):
        if field.name in known and context.get_parameter_source(field.name) in _SAID:
            settings[field.name] = getattr(options, field.name)
            flags[field.name] = field.flag
    chosen = policy.with_options(settings, flags).with_known_misses(known_misses)
    if chosen.known_misses:
        folder = context.params.get("baselines") or paths.default_baselines_folder()
        require_published(chosen.known_misses, load_targets(folder), "the known misses")
    return chosen


def print_explanation(decision: GateDecision) -> None:
    """Print every question of ``decision``: its answer, what that does, and by which rule."""
    from veperf.report.tables.gate_table import explanation_text

    echo(f"\n{explanation_text(decision)}")
