"""Go's benchmark text, for ``benchstat`` and whatever else reads what ``go test -bench`` prints.

golang.org/design/14313-benchmark-format: a line a process, each with all metrics of its case. Names
and units stay one word: whatever is no visible ASCII is percent-encoded, as in addresses. The
configuration lines are only those that forbid a comparison where they differ: benchstat puts runs
whose other configuration differs into separate tables.
"""

import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from veperf.model import Case, Run
from veperf.writers.figures import Figure, figures, refuse_nothing, safe, unique
from veperf.writers.written import Written

_SAFE = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_GO_NAME = re.compile(r"Benchmark(?![a-z])")
_PROCS = re.compile(r"-(?=\d+$)")


def write(run: Run) -> Written:
    """The text.

    Raises:
        UsageError: the run has no values.
    """
    found = figures(run)
    refuse_nothing(found, run, "Go benchmark text")
    by_case: dict[str, list[Figure]] = {}
    for figure in found:
        by_case.setdefault(figure.case.id, []).append(figure)
    cases = [of_case[0].case for of_case in by_case.values()]
    names = unique([_name(case) for case in cases], "{}({})")
    lines = [f"# run {safe(run.id)}, commit {safe(run.revision.commit) or 'unknown'}"]
    lines += dict.fromkeys(_unit_line(figure) for figure in found if not figure.is_time)
    lines += _places(run)
    suite = None
    for case, name in zip(cases, names, strict=True):
        if case.suite != suite:
            suite = case.suite
            lines += ["", f"pkg: {_word(suite) or 'go'}"]
        lines += _results(name, by_case[case.id])
    return Written("\n".join(lines) + "\n")


def _places(run: Run) -> Iterator[str]:
    system = safe(run.machine.system).split(" ")[0].lower()
    for key, value in (("goos", system), ("cpu", safe(run.machine.cpu_model).strip())):
        if value:
            yield f"{key}: {value}"


def _results(name: str, of_case: Sequence[Figure]) -> Iterator[str]:
    lines: dict[int, list[str]] = {}
    for figure in of_case:
        for process, value in zip(figure.processes, figure.values, strict=True):
            lines.setdefault(process, []).append(f"{value!r} {_unit(figure)}")
    count = max(1, of_case[0].loops * of_case[0].operations)
    for process in sorted(lines):
        yield "\t".join([name, str(count), *lines[process]])


def _unit_line(figure: Figure) -> str:
    exact = " assume=exact" if figure.metric.exact else ""
    return f"Unit {_unit(figure)} better={figure.metric.better}{exact}"


def _unit(figure: Figure) -> str:
    """``ns/op``; of other metrics the name and the unit, which Go has in one."""
    if figure.is_time:
        return "ns/op"
    name, unit = figure.metric.name, figure.metric.unit
    word = _word(name if unit in ("", name) else f"{name}-{unit}")
    return f"value-{word}" if not word or _is_number(word) else word


def _name(case: Case) -> str:
    """``BenchmarkState_write/accounts=1000`` of ``transaction/state_write[accounts=1000]``."""
    local = case.id.removeprefix(f"{case.suite}/")
    if _GO_NAME.match(local):
        return _word(local)
    parameters = case.id.removeprefix(case.benchmark)
    if parameters.startswith("[") and parameters.endswith("]"):
        local = local.removesuffix(parameters) + "/" + parameters[1:-1].replace(",", "/")
    # What ends in a number after a dash would be taken for a number of processors.
    word = _PROCS.sub("%2D", _word(local))
    return f"Benchmark{word[:1].upper()}{word[1:]}"


def _word(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe=_SAFE)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
