"""What load cases found, over their processes."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.helpers import BEHIND, latencies_ns, plausible_run, with_load
from veperf.core.run import CaseResult, Failure, Run
from veperf.loadtest.histogram import Latencies
from veperf.report.load_summary import Loaded, defaults, loaded


def _found(run: Run, id: str) -> Loaded:
    return next(one for one in loaded(run) if one.case.id == id)


def _with_results(*results: CaseResult) -> Loaded:
    """The default load case with these results, one a process."""
    run = with_load(plausible_run(passes=len(results)))
    passes = tuple(
        replace(made, results=(result,)) for made, result in zip(run.passes, results, strict=True)
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
    found = _with_results(*map(_result, raw)).percentiles

    assert found is not None
    together = np.percentile(np.concatenate(raw), [50, 95, 99, 99.9, 100]) / 1e6
    assert [found.p50, found.p95, found.p99, found.p999, found.max] == pytest.approx(
        together.tolist(), rel=2e-3
    )
    mean = np.mean([np.percentile(r, 99) / 1e6 for r in raw])
    assert abs(found.p99 / mean - 1) > 0.1


def test_invalid_processes_do_not_count_while_there_are_others():
    """One process that fell behind is left out of the latencies, and known by its number."""
    dice = np.random.default_rng(5)
    good, bad = latencies_ns(dice, 1_000), latencies_ns(dice, 20_000)
    found = _with_results(_result(good), _result(bad, BEHIND), _result(good))

    assert 2 * good.size == found.latencies.count
    assert 2 == found.valid
    assert [2] == [number for number, _ in found.invalid]


def test_invalid_processes_are_shown_where_there_is_no_other():
    """The figures are there for the eye, and none counts as valid."""
    raw = latencies_ns(np.random.default_rng(5), 20_000)
    found = _with_results(_result(raw, BEHIND), _result(raw, BEHIND))

    assert 2 * raw.size == found.latencies.count
    assert 0 == found.valid


@pytest.mark.parametrize("text", ["x", "AAAA", "ü", "\x00", "HISTFAAAA" * 9])
def test_latencies_that_can_not_be_read_are_counted(text):
    """A damaged histogram costs its own process only."""
    raw = latencies_ns(np.random.default_rng(5), 1_000)
    found = _with_results(_result(raw), CaseResult("transaction/load", latencies=text))

    assert 1 == found.unreadable
    assert raw.size == found.latencies.count


def test_a_crashed_process_has_no_figures():
    """What is no load run at all is neither valid nor invalid."""
    found = _with_results(CaseResult("transaction/load", failure=Failure("crashed", "signal 11")))

    assert (0, [], ()) == (found.valid, found.invalid, found.believed)
    assert found.percentiles is None
    assert {} == found.stages()


def test_stages_come_in_the_order_of_the_work_and_in_one_unit():
    """As the first process names them, in whatever unit; each is the mean: they add up."""
    figures = [
        {"cpu_hash": 2.0, "cpu_commit": 10.0, "achieved": 9.0, "cpu_zeal": 1.0},
        {"cpu_commit": 14.0, "cpu_zeal": 1.0, "cpu_hash": 4.0},
    ]
    found = _with_results(*(CaseResult("transaction/load", figures=f) for f in figures))

    assert {"hash": 3.0, "commit": 12.0, "zeal": 1.0} == found.stages()
    assert ["hash", "commit", "zeal"] == list(found.stages())


def test_units_of_figures_that_no_case_declares():
    """A search declares its rate only; its other figures have the units of every load run."""
    search = _found(with_load(plausible_run(passes=3)), "transaction/throughput")
    bare = replace(search.case, metrics=search.case.metrics[:1])
    found = Loaded(bare, search.processes, search.believed, search.latencies, None, 0)

    units = [found.unit(m) for m in ("throughput", "offered", "latency_p99", "cpu_verify")]
    assert ["tx/s", "tx/s", "ms", "us"] == units


def test_a_benchmark_is_stood_for_by_its_default_or_else_its_first_case():
    """Whatever the order in which the cases come."""
    found = loaded(with_load(plausible_run(passes=3)))
    ids = [one.case.id for one in defaults(reversed(found))]
    other = [one.case.id for one in defaults(f for f in found if f.rate != 5_000)]

    assert ["transaction/throughput", "transaction/load"] == ids
    assert ["transaction/load[rate=1000]", "transaction/throughput"] == other
