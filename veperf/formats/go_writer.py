"""Go benchmark text, for benchstat: a line a process, parameters as sub-benchmarks."""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from veperf.core.case import Case
from veperf.core.run import Run
from veperf.formats.exported import (
    ExportedFile,
    ExportedMetric,
    exported_metrics,
    require_values,
    safe_text,
    unique_names,
)

_SAFE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
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
    cases = [of_case[0].case for of_case in by_case.values()]
    names = unique_names([_go_name(case) for case in cases], "{}({})")
    lines = [f"# run {safe_text(run.id)}, commit {safe_text(run.revision.commit) or 'unknown'}"]
    units = dict.fromkeys(_unit_line(figure) for figure in metrics if not figure.is_time)
    lines += filter(None, units)
    lines += _config_lines(run)
    suite = None
    for case, name in zip(cases, names, strict=True):
        if case.suite != suite:
            suite = case.suite
            lines += ["", f"pkg: {_word(suite) or 'go'}"]
        lines += _result_lines(name, by_case[case.id])
    return ExportedFile("\n".join(lines) + "\n")


def _config_lines(run: Run) -> Iterator[str]:
    system = safe_text(run.machine.system).split(" ")[0].lower()
    for key, value in (("goos", system), ("cpu", safe_text(run.machine.cpu_model).strip())):
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
    return quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)


def _is_numeric_suffix(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
