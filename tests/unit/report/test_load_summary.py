"""What load cases found, over their processes."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.helpers import BEHIND, latencies_ns, plausible_run, with_load
from veperf.core.run import CaseResult, Failure, Run
from veperf.loadtest.histogram import Latencies
from veperf.report.load_summary import LoadSummary, default_cases, load_summaries


def _found(run: Run, id: str) -> LoadSummary:
    return next(load for load in load_summaries(run) if load.case.id == id)


def _with_results(*results: CaseResult) -> LoadSummary:
    """The default load case with these results, one a process."""
    run = with_load(plausible_run(passes=len(results)))
    passes = tuple(
        replace(pass_, results=(result,)) for pass_, result in zip(run.passes, results, strict=True)
    )
    return _found(replace(run, passes=passes), "transaction/load")


def _result(raw, failure: Failure | None = None) -> CaseResult:
    histogram = Latencies()
    histogram.record(raw)
    return CaseResult("transaction/load", latencies=histogram.encode(), failure=failure)


def test_percentiles_are_those_of_all_latencies_together():
    """As numpy has them over the raw latencies of unlike processes: not the mean of three."""
    dice = np.random.default_rng(5)
    raw = [latencies_ns(dice, rate) for rate in (1_000, 9_000, 20_000)]
    actual = _with_results(*map(_result, raw)).percentiles

    assert actual is not None
    together = np.percentile(np.concatenate(raw), [50, 95, 99, 99.9, 100]) / 1e6
    assert [actual.p50, actual.p95, actual.p99, actual.p999, actual.max] == pytest.approx(
        together.tolist(), rel=2e-3
    )
    mean = np.mean([np.percentile(r, 99) / 1e6 for r in raw])
    assert abs(actual.p99 / mean - 1) > 0.1


def test_invalid_processes_do_not_count_while_there_are_others():
    """One process that fell behind is left out of the latencies, and known by its number."""
    dice = np.random.default_rng(5)
    good, bad = latencies_ns(dice, 1_000), latencies_ns(dice, 20_000)
    actual = _with_results(_result(good), _result(bad, BEHIND), _result(good))

    assert 2 * good.size == actual.latencies.count
    assert 2 == actual.valid
    assert [2] == [number for number, _ in actual.invalid]


def test_invalid_processes_are_shown_where_there_is_no_other():
    """The figures are there for the eye, and none counts as valid."""
    raw = latencies_ns(np.random.default_rng(5), 20_000)
    actual = _with_results(_result(raw, BEHIND), _result(raw, BEHIND))

    assert 2 * raw.size == actual.latencies.count
    assert 0 == actual.valid


@pytest.mark.parametrize("text", ["x", "AAAA", "ü", "\x00", "HISTFAAAA" * 9])
def test_latencies_that_can_not_be_read_are_counted(text):
    """A damaged histogram costs its own process only."""
    raw = latencies_ns(np.random.default_rng(5), 1_000)
    actual = _with_results(_result(raw), CaseResult("transaction/load", latencies=text))

    assert 1 == actual.unreadable
    assert raw.size == actual.latencies.count


def test_a_crashed_process_has_no_figures():
    """What is no load run at all is neither valid nor invalid."""
    actual = _with_results(CaseResult("transaction/load", failure=Failure("crashed", "signal 11")))

    assert (0, [], ()) == (actual.valid, actual.invalid, actual.counted)
    assert actual.percentiles is None
    assert {} == actual.stages()


def test_stages_come_in_the_order_of_the_work_and_in_one_unit():
    """As the first process names them, in whatever unit; each is the mean: they add up."""
    figures = [
        {"cpu_hash": 2.0, "cpu_commit": 10.0, "achieved": 9.0, "cpu_zeal": 1.0},
        {"cpu_commit": 14.0, "cpu_zeal": 1.0, "cpu_hash": 4.0},
    ]
    actual = _with_results(*(CaseResult("transaction/load", figures=f) for f in figures))

    assert {"hash": 3.0, "commit": 12.0, "zeal": 1.0} == actual.stages()
    assert ["hash", "commit", "zeal"] == list(actual.stages())


def test_units_of_figures_that_no_case_declares():
    """A search declares its rate only; its other figures have the units of every load run."""
    search = _found(with_load(plausible_run(passes=3)), "transaction/throughput")
    bare = replace(search.case, metrics=search.case.metrics[:1])
    actual = LoadSummary(bare, search.processes, search.counted, search.latencies, None, 0)

    units = [actual.unit(m) for m in ("throughput", "offered", "latency_p99", "cpu_verify")]
    assert ["tx/s", "tx/s", "ms", "us"] == units


def test_a_benchmark_is_stood_for_by_its_default_or_else_its_first_case():
    """Whatever the order in which the cases come."""
    actual = load_summaries(with_load(plausible_run(passes=3)))
    ids = [load.case.id for load in default_cases(reversed(actual))]
    other = [load.case.id for load in default_cases(f for f in actual if f.rate != 5_000)]

    assert ["transaction/throughput", "transaction/load"] == ids
    assert ["transaction/load[rate=1000]", "transaction/throughput"] == other
