"""``explore()``: an archive's runs to touch in a notebook, down to samples and code."""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anywidget
import msgspec
import traitlets

from veperf.abtest.comparison_report import sort_by_urgency
from veperf.api.results import Folder, PolicyLike, RunLike
from veperf.archive.completion_order import LAST
from veperf.core.errors import UnknownRunError, UsageError, VeperfError
from veperf.core.escape import as_html, one_line
from veperf.core.run import Run
from veperf.jupyter import explore_answers
from veperf.jupyter.explore_answers import MOST_ROWS, Brush, Plain
from veperf.jupyter.explored_runs import ExploredRuns
from veperf.jupyter.follower import Follower
from veperf.profiling.cpu.profile_cpu import profile_cpu
from veperf.report.html.fragment import component_css, live_css, standalone
from veperf.report.html.script import live_functions

if TYPE_CHECKING:
    import pandas as pd

_MOST_RUNS = 4
"""Runs that are drawn at once."""
_PROFILE_S = 1.0


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message of the front end; the answer has the same token."""

    ask: str
    token: int
    query: str = ""
    suite: str = ""
    benchmark: str = ""
    offset: int = 0


_ALL = _Question("benchmarks", 0)


def explore(
    *runs: RunLike,
    benchmark: str = "",
    metric: str = "",
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
) -> "Explorer":
    """Look at runs in JupyterLab: pick, compare, brush samples, go from a verdict to the code.

    Elsewhere, as in nbconvert or papermill, it shows the first run's verdict as a table. Nothing is
    sent to the page but what it shows, however many runs the archive holds.

    >>> explorer = veperf.explore()                                    # the last run
    >>> explorer = veperf.explore("last", "20261120", benchmark="transaction/validation")
    >>> explorer.selected                                              # what was brushed
    >>> explorer.benchmark = "transaction/execution"                   # or pick it from Python

    Args:
        runs: results, names as ``load`` takes, or files, at most four; the last when there is none.
        benchmark: a case of the first run; the one that its verdict says the worst of when not
            given.
        metric: of the case; the one that its verdict says the worst of when not given.
        archive: as in ``run``.
        baselines: folder of targets and baselines; the project's ``data/baselines``.
        known_misses: targets that are known to be missed, and so are not the worst.
        policy: of the gate, or its file or table; that of the project when not given.

    Raises:
        UnknownRunError: a run is named that the archive does not have.
        UsageError: there are more than four runs.
        VeperfError: as ``load``.
    """
    if len(runs) > _MOST_RUNS:
        raise UsageError(f"{len(runs)} runs: at most {_MOST_RUNS} are shown at once")
    source = ExploredRuns(archive, baselines, known_misses, policy)
    ids = [source.add(run) for run in runs]
    if not runs:
        try:
            ids = [source.add(LAST)]
        except UnknownRunError:  # of an archive without a run: the first may be under way
            ids = source.unfinished()[-1:]
    return Explorer(source, ids, benchmark, metric)


@cache
def _script() -> str:
    """Return the module that a front end runs: functions of the pages' script, and the explorer."""
    folder = files("veperf.jupyter")
    own = ((folder / name).read_text(encoding="utf-8") for name in ("charts.js", "explorer.js"))
    return "\n".join([live_functions(), *own])


@cache
def _style() -> str:
    own = files("veperf.jupyter") / "explorer.css"
    return f"{component_css()}\n{live_css()}\n{own.read_text(encoding='utf-8')}"


class Explorer(anywidget.AnyWidget):
    """Runs to look at in a notebook; what is picked there can be read and set here.

    Every trait may be set from Python, and the page follows; ``observe`` tells of what is picked.
    """

    _esm = traitlets.Unicode().tag(sync=True)  # as anywidget calls the module and its style
    _css = traitlets.Unicode().tag(sync=True)
    _saved = traitlets.Unicode().tag(sync=True)  # id of the element with the table
    runs = traitlets.List(traitlets.Unicode(), maxlen=_MOST_RUNS).tag(sync=True)
    """Ids of the runs that are drawn; the verdict is that of the first."""
    benchmark = traitlets.Unicode().tag(sync=True)
    """The case."""
    metric = traitlets.Unicode().tag(sync=True)
    """The metric of the case."""
    comparison = traitlets.Unicode().tag(sync=True)
    """Id of an A/B comparison, whose verdict and pairs are shown; none where empty."""
    view = traitlets.Enum(
        ["samples", "processes", "distribution", "pairs", "code"], default_value="samples"
    ).tag(sync=True)
    """The picture."""
    brush = traitlets.List(traitlets.Float(), maxlen=4).tag(sync=True)
    """First and last sample in a run's order, lowest and highest value; all where empty."""
    follow = traitlets.Bool(default_value=False).tag(sync=True)
    """Whether a run that is going on is followed: it is drawn as its processes finish."""

    def __init__(
        self,
        source: ExploredRuns,
        runs: list[str],
        benchmark: str,
        metric: str,
    ) -> None:
        self._source = source
        self._follower = Follower(source, self._renew)
        self._answers: Mapping[str, Callable[[_Question], Plain]] = {
            "runs": self._run_list,
            "benchmarks": self._benchmark_list,
            "comparisons": self._comparison_list,
            "profile": self._profile,
            "everything": self._send_everything,
        }
        self._sent: object = None
        super().__init__(
            _esm=_script(),
            _css=_style(),
            _saved=f"vpx-{uuid4().hex}",
            runs=runs,
            benchmark=benchmark,
            metric=metric,
        )
        self._pick_worst()
        self.on_msg(self._on_message)
        self.observe(self._on_follow, ["follow"])
        self.observe(self._on_pick, ["runs", "benchmark", "metric"])
        self.observe(lambda _change: self._send_brush(), ["brush"])
        self.observe(self._on_comparison, ["comparison"])

    @property
    def selected(self) -> "pd.DataFrame":
        """The samples that are brushed, a row each; all that are drawn where none is.

        Columns: run, machine, case, metric, process, sample, started (of the pass), order (of the
        sample in its run), value, unit.
        """
        return explore_answers.selected_samples(
            self._drawn(), self.benchmark, self.metric, self._edges()
        )

    @property
    def following(self) -> bool:
        """True while a run that is going on is watched for."""
        return self._follower.is_alive

    def open(self) -> None:
        """Open the channel to the front end, as soon as one shows the widget and not before.

        Where none does, nothing is sent, and a notebook's file is not filled with the script.
        """

    def close(self) -> None:
        """Take the widget from the page, and stop following."""
        if "_follower" in vars(self):  # it may be collected half made
            self.follow = False
            self._follower.stop()
        super().close()

    def __repr__(self) -> str:
        return self._static()[0]

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        text, html = self._static()
        return {"text/plain": text, "text/html": html}, {}

    def _ipython_display_(self) -> None:
        """Show the widget, and behind it the table that is all a saved notebook can show.

        JupyterLab shows an error where a widget was before the kernel ended, whatever else is in
        the same output: the table is one of its own, which the widget hides while it lives.
        """
        from IPython.display import display

        show: Callable[..., object] = display  # IPython is half typed
        data, _ = self._repr_mimebundle_()
        if _has_front_end():
            super().open()
            widget, metadata = super()._repr_mimebundle_() or ({}, {})
            name = f"Explorer of {one_line(', '.join(self.runs)) or 'no run yet'}"
            show({**widget, "text/plain": name}, metadata=metadata, raw=True)
            data["text/html"] = (
                f'<div id="{self._saved}"><p>As it was saved. To touch it, run its cell again.</p>'
                f"{data['text/html']}</div>"
            )
        show(data, raw=True)

    def _static(self) -> tuple[str, str]:
        """Return what is shown without a front end, as text and as HTML. It never fails."""
        try:
            if not self.runs:
                raise UnknownRunError(self._source.describe_absence())
            run = self._source.run(self.runs[0])
            looked_at = self._source.investigation(run, self.benchmark, self.metric)
            parts = (looked_at.ranking, looked_at.headline, looked_at.events)
            text = "\n\n".join([f"Run {one_line(run.id)}", *(repr(part) for part in parts)])
            html = f"<p>Run {as_html(run.id)}</p>" + "".join(part.html for part in parts)
            return text, standalone(html)
        except VeperfError as error:
            return one_line(str(error)), standalone(f"<p>{as_html(str(error))}</p>")

    def _pick_worst(self) -> None:
        """Pick the benchmark and the metric that the verdict says the worst of, if none is."""
        if (self.benchmark and self.metric) or not self.runs:
            return
        try:
            ranking = self._source.ranking(self._source.run(self.runs[0]))
        except VeperfError:  # the front end is told when it asks
            return
        for focus in ranking:
            if self.benchmark in ("", focus.case.id) and self.metric in ("", focus.metric):
                self.benchmark, self.metric = focus.case.id, focus.metric
                return

    def _drawn(self) -> list[Run]:
        return [self._source.run(id) for id in self.runs]

    def _edges(self) -> Brush | None:
        if len(self.brush) != 4:
            return None
        first, last, low, high = self.brush
        return first, last, low, high

    def _on_follow(self, change: Mapping[str, Any]) -> None:
        if change["new"]:
            self._follower.start()
        else:
            self._follower.stop()

    def _on_pick(self, change: Mapping[str, Any]) -> None:
        self.brush = []
        if change["name"] == "runs":
            self._push("benchmarks", lambda: self._benchmark_list(_ALL))
        self._send_view()
        if self.comparison:
            self._push("pairs", self._pairs)

    def _on_comparison(self, _change: Mapping[str, Any]) -> None:
        """Show the comparison, at its most urgent benchmark unless the picked one is in it."""
        if self.comparison:
            try:
                changes = sort_by_urgency(self._source.comparison(self.comparison).changes)
            except VeperfError:  # it will be told
                changes = []
            if changes and self.benchmark not in {change.case for change in changes}:
                self.benchmark, self.metric = changes[0].case, changes[0].metric.name
        self._send_comparison()

    def _send_view(self) -> None:
        """Send samples and processes of what is picked, unless the front end has them already."""

        def view() -> Plain:
            runs = self._drawn()
            return explore_answers.metric_view(runs, self.benchmark, self.metric)

        try:
            passes = [len(run.passes) for run in self._drawn()]
        except VeperfError:  # it will be told
            passes = []
        picked = (list(self.runs), self.benchmark, self.metric, passes)
        if picked != self._sent:
            self._sent = picked
            self._push("view", view)

    def _send_brush(self) -> None:
        picked, edges = (self.benchmark, self.metric), self._edges()
        rows = explore_answers.brush_rows
        self._push("brush", lambda: rows(self._drawn(), *picked, edges) if edges else {})

    def _send_comparison(self) -> None:
        if not self.comparison:
            self._push("benchmarks", lambda: self._benchmark_list(_ALL))
            return
        self._push("comparison", self._compared)
        self._push("pairs", self._pairs)

    def _send_everything(self, _question: _Question) -> Plain:
        """Send all that is picked, to a front end that has just begun to show it."""
        self._sent = None
        self._send_view()
        self._send_comparison()
        self._send_brush()
        return {}

    def _push(self, kind: str, answer: Callable[[], Plain]) -> None:
        """Send what was picked; why it can't be shown goes to the page, as nobody asked here."""
        if self.comm is None:
            return
        try:
            self.send({"push": kind, "answer": answer()})
        except VeperfError as error:
            self.send({"push": "trouble", "answer": one_line(str(error))})

    def _renew(self, id: str) -> None:
        """Show what has been measured of run ``id`` since; the follower's thread calls it.

        The kernel may be busy with the very run, and would answer no question.
        """
        if id not in self.runs:
            self.runs = [id, *self.runs[: _MOST_RUNS - 1]]
        ranked = {(f.case.id, f.metric) for f in self._source.ranking(self._source.run(id))}
        if ranked and (self.benchmark, self.metric) not in ranked:
            self.benchmark = self.metric = ""
            self._pick_worst()
        if not self.comparison:
            self._push("benchmarks", lambda: self._benchmark_list(_ALL))
        self._send_view()

    def _on_message(self, _widget: object, content: object, _buffers: object) -> None:
        """Answer a question of the front end; what it gets wrong is told, not raised."""
        token = content.get("token") if isinstance(content, dict) else None
        try:
            question = msgspec.convert(content, _Question)
            answer = self._answers.get(question.ask)
            if answer is None:
                raise UsageError(f"there is no question {question.ask!r}")
            self.send({"token": token, "answer": answer(question)})
        except (VeperfError, msgspec.ValidationError) as error:
            self.send({"token": token, "error": one_line(str(error))})

    def _run_list(self, question: _Question) -> Plain:
        offset = max(0, question.offset)
        rows, total = self._source.rows(question.query, offset, MOST_ROWS)
        return {"rows": msgspec.to_builtins(rows), "total": total, "offset": offset}

    def _benchmark_list(self, question: _Question) -> Plain:
        if not self.runs:
            return {"suites": [], "rows": [], "total": 0, "absent": self._source.describe_absence()}
        ranking = self._source.ranking(self._source.run(self.runs[0]))
        return explore_answers.benchmark_rows(ranking, question.suite, question.query)

    def _comparison_list(self, question: _Question) -> Plain:
        ids = [id for id in self._source.comparison_ids() if question.query in id]
        return {"rows": ids[:MOST_ROWS], "total": len(ids)}

    def _compared(self) -> Plain:
        return explore_answers.comparison_rows(self._source.comparison(self.comparison))

    def _pairs(self) -> Plain:
        if not self.comparison:
            return {"pairs": [], "absent": "No A/B comparison is picked."}
        comparison = self._source.comparison(self.comparison)
        return explore_answers.pairs_view(comparison, self.benchmark)

    def _profile(self, question: _Question) -> Plain:
        """Sample the code as it is now, for a second, in a fresh process; its HTML is escaped."""
        case = question.benchmark or self.benchmark
        modules = self._drawn()[0].config.modules if self.runs else ()
        profile = profile_cpu(case, seconds=_PROFILE_S, modules=modules)
        return {"benchmark": case, "html": profile._repr_html_()}


def _has_front_end() -> bool:
    """Return whether the cell that runs was sent by a notebook that shows widgets.

    JupyterLab, Notebook and VS Code name the cell in their requests; nbclient, papermill and
    consoles don't.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    return "cellId" in kernel.get_parent("shell").get("metadata", {})
