"""The thresholds of VirtEngine's k6 scripts, tests/load/k6/*.js, as service levels.

``options.thresholds`` of a script names metrics, each with expressions such as ``p(95)<500`` or
``rate>0.95``, or objects with one under ``threshold`` (grafana.com/docs/k6, "Thresholds"). k6
measures times in ms. A trend of the script's own is a time where it says so, ``new Trend(name,
true)``; else its figures have no unit, in k6's results as here.
"""

import posixpath
import re
from collections.abc import Iterator, Sequence

from veperf.core.errors import CorruptFileError
from veperf.core.objectives import Bound, Objective, ServiceLevel
from veperf.formats.k6 import is_time_metric
from veperf.upstream.clone import CommitTree
from veperf.upstream.go_source import go_tokens

K6_FOLDER = "tests/load/k6"
_EXPRESSION = re.compile(
    r"\s*(?:p\(([0-9]{1,3}(?:\.[0-9]{1,4})?)\)|(avg|med|min|max|rate|count|value))"
    r"\s*(<=|>=|<|>)\s*([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*",
    re.ASCII,
)
_BOUNDS: dict[str, Bound] = {
    "<": "at most",
    "<=": "at most",
    ">": "at least",
    ">=": "at least",
}
_FAILED = "http_req_failed"
_MS = 1e-3
_PERCENT = 100.0


def read_k6_thresholds(tree: CommitTree) -> tuple[ServiceLevel, ...]:
    """Return the thresholds of all scripts, a service level for each metric of each.

    Raises:
        CorruptFileError: an expression can't be read.
    """
    scripts = [path for path in tree.below(K6_FOLDER) if path.endswith(".js")]
    return tuple(
        level for path, text in tree.read_all(scripts) for level in _levels(go_tokens(text), path)
    )


def _levels(tokens: Sequence[str], path: str) -> Iterator[ServiceLevel]:
    script = posixpath.basename(path).removesuffix(".js")
    times = {
        name
        for at, token in enumerate(tokens[:-4])
        if token == "Trend" and tokens[at + 1] == "(" and tokens[at + 3 : at + 5] == [",", "true"]
        if (name := _text(tokens[at + 2])) is not None
    }
    for metric, expressions in _thresholds(tokens):
        is_time = metric in times or is_time_metric(metric.partition("{")[0])
        objectives = tuple(_objective(e, metric, path, is_time=is_time) for e in expressions)
        if objectives:
            name = f"k6 {script}: {metric}"
            yield ServiceLevel(name, objectives, (metric,), what=f"threshold of {path}")


def _thresholds(tokens: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each metric with its expressions, of the first ``thresholds: {``."""
    heads = [list(tokens[at : at + 3]) for at in range(len(tokens))]
    start = next((i for i, h in enumerate(heads) if h == ["thresholds", ":", "{"]), None)
    if start is None:
        return
    depth, metric, expressions = 0, "", list[str]()
    for at in range(start + 2, len(tokens)):
        token = tokens[at]
        depth += (token in ("{", "[", "(")) - (token in ("}", "]", ")"))
        is_key = depth == 1 and tokens[at + 1 : at + 2] == [":"]
        if is_key or not depth:
            if metric:
                yield metric, expressions
            if not depth:
                return
            metric, expressions = _text(token) or token, []
        elif depth > 1 and (text := _text(token)) is not None and re.search("[<>]", text):
            expressions.append(text)


def _text(token: str) -> str | None:
    """Return the text of a plain string literal; None if it is none."""
    is_text = len(token) > 1 and token[0] == token[-1] and token[0] in "'\"`"
    return token[1:-1] if is_text and "\\" not in token else None


def _objective(expression: str, metric: str, path: str, *, is_time: bool) -> Objective:
    match = _EXPRESSION.fullmatch(expression)
    if match is None:
        raise CorruptFileError(f"{path}: no threshold that can be read: {expression[:100]!r}")
    percentile, statistic, sign, number = match.groups()
    bound, limit = _BOUNDS[sign], float(number)
    if statistic == "rate":
        name = "error_rate" if metric.partition("{")[0] == _FAILED else "rate"
        return Objective(name, bound, _PERCENT * limit, "%")
    name = f"p{percentile.replace('.', '')}" if percentile else statistic
    if not is_time:
        return Objective("mean" if name == "avg" else name, bound, limit, "")
    if name == "med":
        return Objective("latency", bound, _MS * limit, "s")
    return Objective(f"latency_{'mean' if name == 'avg' else name}", bound, _MS * limit, "s")
