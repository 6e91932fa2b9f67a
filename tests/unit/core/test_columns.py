"""Figures in columns are the figures of the passes that are made of them."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from veperf.archive.files import encode_json
from veperf.core.columns import Repetitions
from veperf.core.run import Run
from veperf.formats.imported import ParsedRun, metric_of
from veperf.formats.imported_run import build_run
from veperf.stats.process_values import series_of

_FIGURES = st.dictionaries(st.sampled_from("abc"), st.floats(0.5, 9), min_size=1)


@given(st.lists(_FIGURES), st.lists(st.integers(0, 5), unique=True))
def test_repetitions_have_what_was_added(rows: list[dict[str, float]], places: list[int]) -> None:
    """Each metric where it was measured, in whatever repetitions that is."""
    repetitions, some = Repetitions(), Repetitions()
    for loops, figures in enumerate(rows, 1):
        repetitions.add(figures, loops)
    chosen = [place for place in sorted(places) if place < len(rows)]
    some.extend(repetitions, chosen)

    assert [*enumerate(rows, 1)] == [*repetitions.rows()]
    assert [(place + 1, rows[place]) for place in chosen] == [*some.rows()]
    assert [row for row in ({k: v for k, v in r.items() if k != "a"} for r in rows) if row] == [
        figures for _, figures in repetitions.of_metrics("bc").rows()
    ]


@given(st.dictionaries(st.sampled_from("xyz"), st.lists(_FIGURES, max_size=4), min_size=1))
def test_series_are_those_of_the_passes(benchmarks: dict[str, list[dict[str, float]]]) -> None:
    """Of metrics with gaps and of failures, too; and so they are when read from an archive."""
    parsed = ParsedRun("tool")
    for name, rows in benchmarks.items():
        benchmark = parsed.benchmark("suite", name)
        for figures in rows:
            benchmark.add({metric_of(key, "ns"): value for key, value in figures.items()})
    run = build_run(parsed, "file").run
    kept = msgspec.json.decode(encode_json(run), type=Run)

    def content(run: Run) -> list[tuple[object, ...]]:
        every = series_of(run).values()
        return [(s.case, s.metric, s.values.tolist(), s.failed, s.loops) for s in every]

    assert run == kept
    assert content(run) == content(kept)
    assert run.first_failures == kept.first_failures
