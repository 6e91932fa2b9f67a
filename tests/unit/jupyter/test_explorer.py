"""The explorer's side in the kernel: messages in, state and messages out."""

import json
import re
from typing import Any

import anywidget
import comm
import pytest
import traitlets
from msgspec.structs import replace

import veperf
from tests.support.ab_runs import ab_run, change
from tests.support.helpers import HOSTILE, plausible_run
from tests.support.runs import timed_run
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.core.errors import UnknownRunError, UsageError
from veperf.core.run import Run, Sample
from veperf.core.verdict import ChangeStatus, Severity
from veperf.jupyter import explore_answers
from veperf.jupyter.explorer import Explorer


class Wire(comm.DummyComm):
    """A channel that keeps what is sent, and brings messages of the front end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: list[dict[str, Any]] = []
        super().__init__(*args, **kwargs)

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        """Keep the message as JSON has it."""
        self.sent.append({"type": msg_type} | json.loads(json.dumps(data)))

    def bring(self, data: dict[str, Any]) -> None:
        """Have the kernel handle a message of the front end."""
        self.handle_msg({"content": {"data": data}, "buffers": []})


class FrontEnd:
    """A front end that shows ``explorer``."""

    def __init__(self, explorer: Explorer) -> None:
        self.explorer = explorer
        anywidget.AnyWidget.open(explorer)
        self.wire: Wire = explorer.comm
        self.asked = 0

    def ask(self, **question: Any) -> dict[str, Any]:
        """Ask a question, and return the answer."""
        self.asked += 1
        self.wire.bring({"method": "custom", "content": {"token": self.asked, **question}})
        contents = [m.get("content", {}) for m in self.wire.sent]
        answers: list[dict[str, Any]] = [c for c in contents if c.get("token") == self.asked]
        (answer,) = answers
        return answer

    def pick(self, **state: Any) -> None:
        """Change the state, as a click does."""
        self.wire.bring({"method": "update", "state": state, "buffer_paths": []})

    def pushed(self, kind: str) -> Any:
        """Return the last answer of a kind that was sent unasked."""
        messages = [m["content"] for m in self.wire.sent if m.get("method") == "custom"]
        answers: list[Any] = [m["answer"] for m in messages if m.get("push") == kind]
        return answers[-1]


@pytest.fixture(autouse=True)
def wire(monkeypatch):
    """Widgets open a ``Wire``."""
    monkeypatch.setattr("comm.create_comm", Wire)


def archived(folder, *runs: Run) -> Archive:
    """An archive with these runs."""
    archive = Archive(folder)
    for run in runs:
        archive.save(run)
    return archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Archive:
    """Two runs, of which the later one has a benchmark that is 40 % slower, and a comparison."""
    earlier = plausible_run(seed=1, passes=3, created="2026-11-20T06:00:00+00:00")
    later = plausible_run(seed=2, passes=3, slower={"transaction/decode": 1.4})
    archive = archived(tmp_path_factory.mktemp("explored") / "reports", earlier, later)
    slower = change("transaction/sign", ChangeStatus.SLOWER, ratio=1.2, severity=Severity.FAIL)
    save_ab(archive.storage, ab_run(change("transaction/encode", ChangeStatus.OK), slower))
    return archive


@pytest.fixture
def front_end(archive) -> FrontEnd:
    """The last run in a front end."""
    return FrontEnd(veperf.explore(archive=archive.folder))


def test_opens_on_the_last_run_and_its_worst(archive):
    """The same that investigate() opens on."""
    explorer = veperf.explore(archive=archive.folder)
    focus = veperf.investigate(archive=archive.folder).focus

    assert [veperf.load(archive=archive.folder).run.id] == explorer.runs
    assert (focus.case.id, focus.metric) == (explorer.benchmark, explorer.metric)


def test_a_pick_in_the_page_is_state_in_python(front_end):
    """A click changes the traits, and the page is sent what is to be seen."""
    front_end.pick(benchmark="transaction/decode", metric="time")
    view = front_end.pushed("view")
    samples = front_end.explorer.selected

    assert "transaction/decode" == front_end.explorer.benchmark
    assert ["transaction/decode"] == list(samples["case"].unique())
    assert samples["value"].tolist() == view["series"][0]["values"]
    assert samples["process"].tolist() == view["series"][0]["owners"]


def test_a_pick_in_python_is_sent_to_the_page(front_end):
    """Both the state and what is to be seen."""
    front_end.explorer.benchmark = "transaction/encode"
    states = [m["state"] for m in front_end.wire.sent if m.get("method") == "update"]

    assert {"benchmark": "transaction/encode"} in states
    assert "transaction/encode" == front_end.pushed("view")["benchmark"]


def test_the_selection_is_what_lies_within_the_brush(front_end):
    """Of the values of ``samples()``, those of the order and the range that are brushed."""
    front_end.pick(benchmark="transaction/decode", metric="time")
    whole = front_end.explorer.selected
    low, high = sorted(whole["value"])[2], sorted(whole["value"])[9]
    front_end.pick(brush=[1, 12, low, high])
    expected = whole[(whole["order"].between(1, 12)) & (whole["value"].between(low, high))]
    brushed = front_end.pushed("brush")

    assert expected["value"].tolist() == front_end.explorer.selected["value"].tolist()
    assert 0 < len(expected) < len(whole)
    assert len(expected) == brushed["total"]
    assert expected["process"].nunique() == brushed["passes"] == len(brushed["rows"])
    assert {"box-9000-4c"} == {row["Machine"] for row in brushed["rows"]}


def test_another_benchmark_forgets_the_brush(front_end):
    """Its samples are others."""
    front_end.pick(brush=[0, 3, 0, 1e9])
    front_end.pick(benchmark="transaction/encode", metric="time")

    assert [] == front_end.explorer.brush
    assert {} == front_end.pushed("brush")


def test_times_are_those_of_the_table_of_samples(front_end, archive):
    """By the clock that the case is judged by, of one operation."""
    front_end.pick(benchmark="transaction/decode", metric="time")
    samples = veperf.load(archive=archive.folder).samples()
    expected = samples[samples["case"] == "transaction/decode"]
    clock = front_end.pushed("view")["series"][0]["clock"]

    assert expected[f"{clock}_ns"].tolist() == pytest.approx(
        front_end.explorer.selected["value"].tolist()
    )


def test_a_comparison_leads_to_its_worst_and_to_its_pairs(front_end):
    """With the samples of each pair."""
    (comparison,) = front_end.ask(ask="comparisons")["answer"]["rows"]
    front_end.pick(comparison=comparison)
    pairs = front_end.pushed("pairs")

    assert "transaction/sign" == front_end.explorer.benchmark
    assert ["slower", "within 3 %"] == [
        row["word"].replace("\u202f", " ") for row in front_end.pushed("comparison")["rows"]
    ]
    assert [1.2] * 6 == [pair["new"] / pair["base"] for pair in pairs["pairs"]]
    assert [1000.0, 1010.0] == pairs["pairs"][0]["base_samples"]


def test_lists_are_sent_in_parts(tmp_path, monkeypatch):
    """However many runs there are: a page at a time, the latest first, found by words."""
    monkeypatch.setattr("veperf.jupyter.explorer.MOST_ROWS", 3)
    ids = [f"2026110{day}-000000-abc1234" for day in range(1, 9)]
    archived(tmp_path, *(timed_run({"a/b": [1.0, 2.0]}, id=id) for id in ids))
    front_end = FrontEnd(veperf.explore(archive=tmp_path))
    first = front_end.ask(ask="runs")["answer"]
    second = front_end.ask(ask="runs", offset=3)["answer"]
    named = front_end.ask(ask="runs", query="20261102 BOX")["answer"]

    assert (8, 8, 1) == (first["total"], second["total"], named["total"])
    assert ids[:-4:-1] == [row["id"] for row in first["rows"]]
    assert ids[-4:-7:-1] == [row["id"] for row in second["rows"]]
    assert ids[1] == named["rows"][0]["id"]


def test_of_many_samples_some_are_sent_and_all_are_selected(tmp_path):
    """What a picture can show; the selection is of the run itself."""
    run = timed_run({"a/b": [100.0]})
    (pass_,) = run.passes
    (result,) = pass_.results
    many = replace(result, samples=tuple(Sample(n, n, 0) for n in range(1, 9_001)), loops=1)
    run = replace(run, passes=(replace(pass_, results=(many,)),))
    front_end = FrontEnd(veperf.explore(run, archive=tmp_path))
    front_end.ask(ask="everything")
    front_end.pick(brush=[0, 7_999, 0, 1e9])

    assert len(front_end.pushed("view")["series"][0]["values"]) <= explore_answers.MOST_POINTS
    assert 8_000 == len(front_end.explorer.selected) == front_end.pushed("brush")["total"]


@pytest.mark.parametrize(
    "question",
    [
        {"ask": "rm"},
        {"ask": "runs", "offset": "x"},
        {"ask": "runs", "shell": "ls"},
        {"ask": ["runs"]},
        {"ask": "comparisons", "query": 3},
    ],
)
def test_wrong_questions_are_told(front_end, question):
    """In words, and nothing is raised in the kernel."""
    assert " " in front_end.ask(**question)["error"]


def test_wrong_state_is_refused(front_end):
    """A view that does not exist, and more runs than are drawn."""
    with pytest.raises(traitlets.TraitError):
        front_end.explorer.view = "kitchen"
    with pytest.raises(traitlets.TraitError):
        front_end.explorer.runs = ["a"] * 5


def test_a_run_that_is_gone_is_told(front_end):
    """On the page: the kernel goes on."""
    front_end.explorer.runs = ["20200101-000000-0000000"]

    assert "20200101-000000-0000000" in front_end.pushed("trouble")


def test_without_a_front_end_the_verdict_is_a_table(archive):
    """The ranking of investigate(), in text and HTML, and no channel is opened."""
    explorer = veperf.explore(archive=archive.folder)
    data, _ = explorer._repr_mimebundle_()
    ranking = veperf.investigate(archive=archive.folder).ranking

    assert {"text/plain", "text/html"} == set(data)
    assert repr(ranking) in data["text/plain"] == repr(explorer)
    assert ranking.html in data["text/html"]
    assert explorer.comm is None


def test_with_a_front_end_the_widget_and_the_table_are_there(archive, monkeypatch):
    """The table is an output of its own, with what to do: a saved notebook has no widget."""
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr("veperf.jupyter.explorer._has_front_end", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda data, **_: shown.append(data))
    explorer = veperf.explore(archive=archive.folder)
    explorer._ipython_display_()
    widget, table = shown

    assert explorer.model_id == widget["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "text/html" not in widget
    assert "<table" in table["text/html"]
    assert "run its cell again" in table["text/html"]
    assert set(table) == {"text/plain", "text/html"}
    (opened,) = explorer.comm.sent
    assert "export default" in opened["state"]["_esm"]
    assert ".vpx" in opened["state"]["_css"]


def test_hostile_names_are_escaped(tmp_path):
    """In the table; on the page all names become text nodes, which the browser test holds."""
    hostile = f"evil/{HOSTILE}"
    explorer = veperf.explore(timed_run({hostile: [1.0, 2.0]}), archive=tmp_path)
    data, _ = explorer._repr_mimebundle_()

    assert hostile == explorer.benchmark
    assert not re.search(r"<(script|img)", data["text/html"])
    assert "\x1b" not in data["text/plain"]


def test_an_empty_archive_is_no_error(tmp_path):
    """It says how to make a run; one that is named has to be there."""
    front_end = FrontEnd(veperf.explore(archive=tmp_path / "none"))

    assert "veperf.run()" in repr(front_end.explorer)
    assert [] == front_end.ask(ask="benchmarks")["answer"]["rows"]
    assert front_end.explorer.selected.empty
    with pytest.raises(UnknownRunError):
        veperf.explore("20261120", archive=tmp_path / "none")


def test_more_runs_than_are_drawn_are_refused(tmp_path):
    """Four have colours that are told apart."""
    with pytest.raises(UsageError, match="at most 4"):
        veperf.explore(*["last"] * 5, archive=tmp_path)
