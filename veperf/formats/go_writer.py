"""Go benchmark text, for benchstat: a line a process, parameters as sub-benchmarks.

What ``go test`` has measured is written as it was: names, packages and units.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import category
from urllib.parse import quote

from veperf.core.case import TIME, Case
from veperf.core.run import Run
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    left_out_note,
    require_values,
    safe_text,
    unique_names,
)
from veperf.formats.go_test import TOOL

# Controls, invisible marks such as those of direction, lone surrogates, private characters, spaces.
_ENCODED = frozenset({"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"})
_PROCS = re.compile(r"-(?=\d+$)")


def write_go_text(run: Run) -> ExportedFile:
    """Write a run as Go benchmark text.

    Raises:
        UsageError: the run has no values.
    """
    metrics = exported_metrics(run)
    require_values(metrics, run, "Go benchmark text")
    by_case: dict[str, list[ExportedMetric]] = {}
    for figure in metrics:
        by_case.setdefault(figure.case.id, []).append(figure)
    is_go = run.source == TOOL
    cases = [of_case[0].case for of_case in by_case.values()]
    names = _names(cases)
    lines = [f"# run {safe_text(run.id)}, commit {safe_text(run.revision.commit) or 'unknown'}"]
    units = dict.fromkeys(map(_unit_line, metrics))
    lines += filter(None, units)
    lines += _config_lines(run)
    package = "" if is_go else None
    for case in cases:
        if (of_case := _word(case.what if is_go else case.suite)) != package:
            package = of_case
            lines += ["", f"pkg: {package}".rstrip()]
        lines += _result_lines(names[case.id], by_case[case.id])
    return ExportedFile("\n".join(lines) + "\n", _changed_note(cases, names))


def _changed_note(cases: Sequence[Case], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a note on names that Go text holds only in another form."""
    changed = [
        safe_text(case.id)
        for case in cases
        if _word(case.id) != case.id or names[case.id] != _go_name(case)
    ]
    reason = "as a Go name is one word with a capital (see %20 and (2) in them), characters of"
    return left_out_note(changed, reason)


def _names(cases: Sequence[Case]) -> dict[str, str]:
    """Return the name of each case, unique in its package, by id."""
    by_suite: dict[str, list[Case]] = {}
    for case in cases:
        by_suite.setdefault(case.suite, []).append(case)
    return {
        case.id: name
        for group in by_suite.values()
        for case, name in zip(
            group,
            unique_names(list(map(_go_name, group)), "{}({})"),
            strict=True,
        )
    }


def _config_lines(run: Run) -> Iterator[str]:
    system = safe_text(run.machine.system).split(" ")[0].lower()
    goos, _, goarch = system.partition("/")
    cpu = safe_text(run.machine.cpu_model).strip()
    for key, value in (("goos", goos), ("goarch", goarch), ("cpu", cpu)):
        if value:
            yield f"{key}: {value}"


def _result_lines(name: str, of_case: Sequence[ExportedMetric]) -> Iterator[str]:
    lines: dict[int, list[str]] = {}
    for figure in of_case:
        for process, value in zip(figure.processes, figure.values, strict=True):
            lines.setdefault(process, []).append(f"{value!r} {_go_unit(figure)}")
    count = max(1, of_case[0].loops * of_case[0].operations)
    for process in sorted(lines):
        yield "\t".join([name, str(count), *lines[process]])


def _unit_line(figure: ExportedMetric) -> str:
    metric = figure.metric
    if metric == TIME:
        return ""
    better = f" better={metric.better}" if metric.better != "unknown" else ""
    exact = " assume=exact" if metric.exact else ""
    return f"Unit {_go_unit(figure)}{better}{exact}" if better or exact else ""


def _go_unit(figure: ExportedMetric) -> str:
    """Return ``ns/op`` for times, else name and unit in one word, as Go has them."""
    if figure.is_time:
        return "ns/op"
    name, unit = figure.metric.name, figure.metric.unit
    word = _word(name if unit in ("", name) else f"{name}-{unit}")
    return f"value-{word}" if not word or _is_numeric_suffix(word) else word


def _go_name(case: Case) -> str:
    """Return ``BenchmarkState_write/a=1`` for the case ``transaction/state_write[a=1]``."""
    local = case.id.removeprefix(f"{case.suite}/")
    if local.startswith("Benchmark"):
        return _word(local)
    parameters = case.id.removeprefix(case.benchmark)
    if parameters.startswith("[") and parameters.endswith("]"):
        local = local.removesuffix(parameters) + "/" + parameters[1:-1].replace(",", "/")
    # A dash and a number at the end would be taken for the number of processors.
    word = _PROCS.sub("%2D", _word(local))
    return f"Benchmark{word[:1].upper()}{word[1:]}"


def _word(text: str) -> str:
    """Return ``text`` as one word, with spaces and control characters percent-encoded."""
    return "".join(
        quote(char.encode("utf-8", "surrogatepass")) if category(char) in _ENCODED else char
        for char in text
    )


def _is_numeric_suffix(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
