"""Go benchmark text, for benchstat: a line a process, parameters as sub-benchmarks.

What ``go test`` has measured is written as it was: names, packages and units. A name that is not
one word, as Go's are, is percent-encoded: then all are, and the first line says so to readers.
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
from veperf.formats.go_lines import ENCODED
from veperf.formats.go_test import TOOL, WHOLE_PACKAGE

# Controls, invisible marks such as those of direction, lone surrogates, private characters, spaces.
_ENCODED = frozenset({"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"})
_PROCS = re.compile(r"-(?=\d+$)")


def write_go_text(run: Run) -> ExportedFile:
    """Write a run as Go benchmark text; what failed, in any process, as ``go test`` says it.

    Raises:
        UsageError: the run has no values.
    """
    metrics = exported_metrics(run)
    require_values(metrics, run, "Go benchmark text")
    by_case: dict[str, list[ExportedMetric]] = {}
    for figure in metrics:
        by_case.setdefault(figure.case.id, []).append(figure)
    failures = run.first_failures
    cases = [case for case in run.cases if case.id in by_case or case.id in failures]
    names = go_names(run)
    is_encoded = any(
        _encoded(names[case.id], case) != names[case.id] for case in cases if not _is_whole(case)
    )
    commit = safe_text(run.revision.commit) or "unknown"
    lines = [f"# run {safe_text(run.id)}, commit {commit}{ENCODED if is_encoded else ''}"]
    units = dict.fromkeys(map(_unit_line, metrics))
    lines += filter(None, units)
    lines += setting_lines(run)
    package = "" if run.source == TOOL else None
    for case in cases:
        if (of_case := go_package(case, run)) != package:
            package = of_case
            lines += ["", f"pkg: {package}".rstrip()]
        name = names[case.id]
        if is_encoded:
            name = _encoded(name.replace("%", "%25"), case)
        if case.id in by_case:
            lines += _result_lines(name, by_case[case.id])
        if case.id in failures:
            lines.append(f"FAIL\t{_word(package)}" if _is_whole(case) else f"--- FAIL: {name}")
    return ExportedFile("\n".join(lines) + "\n", _changed_note(cases, names))


def _changed_note(cases: Sequence[Case], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return a note on names that Go text holds only in another form."""
    changed = [
        safe_text(case.id)
        for case in cases
        if not _is_whole(case) and (_word(case.id) != case.id or names[case.id] != _go_name(case))
    ]
    reason = "as a Go name is one word with a capital (see %20 and (2) in them), characters of"
    return left_out_note(changed, reason)


def _is_whole(case: Case) -> bool:
    return case.id == f"{case.suite}/{WHOLE_PACKAGE}"


def go_names(run: Run) -> dict[str, str]:
    """Return the Go name of each case of ``run``, unique in its package, by id."""
    by_suite: dict[str, list[Case]] = {}
    for case in run.cases:
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


def go_package(case: Case, run: Run) -> str:
    """Return the package of a case of ``run``: its suite where no Go package is known."""
    return safe_text(case.what if run.source == TOOL else case.suite)


def setting_lines(run: Run) -> Iterator[str]:
    """Yield the settings of all results of ``run``, a line each."""
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
        return local
    parameters = case.id.removeprefix(case.benchmark)
    if parameters.startswith("[") and parameters.endswith("]"):
        local = local.removesuffix(parameters) + "/" + parameters[1:-1].replace(",", "/")
    return f"Benchmark{local[:1].upper()}{local[1:]}"


def _encoded(name: str, case: Case) -> str:
    """Return the Go name of ``case`` as one word."""
    word = _word(name)
    if case.id.removeprefix(f"{case.suite}/").startswith("Benchmark"):
        return word
    # A dash and a number at the end would be taken for the number of processors.
    return _PROCS.sub("%2D", word)


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
